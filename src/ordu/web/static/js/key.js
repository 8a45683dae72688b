// The key of whoever is signed in, kept in this browser and sent in a header only.
const NAME = "ordu.key";
export const GUEST = "0000000000";

/** The key, or null for a guest. */
export function key() {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
}

/** The key to send where one is needed: a guest's when nobody is signed in. */
export function keyOrGuest() {
  return key() ?? GUEST;
}

/** Keep a key: in this browser, or in this tab only. */
export function keepKey(value, forever) {
  forgetKey();
  (forever ? localStorage : sessionStorage).setItem(NAME, value);
}

/** Forget it. */
export function forgetKey() {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
}
