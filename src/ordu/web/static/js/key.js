// The key of whoever is signed in, kept in this browser and sent in a header only.
const NAME = "ordu.key";
const BROWSERS = "ordu.key-is-browsers"; // it came of signing in by a provider, and ends by signing out
export const GUEST = "0000000000";

/** The key, or null for a guest. */
export function key() {
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME);
}

/** The key to send where one is needed: a guest's when nobody is signed in. */
export function keyOrGuest() {
  return key() ?? GUEST;
}

/** Keep a key: in this browser, or in this tab only. `isBrowsers`: it is not the account's own. */
export function keepKey(value, forever, isBrowsers = false) {
  forgetKey();
  (forever ? localStorage : sessionStorage).setItem(NAME, value);
  if (isBrowsers) localStorage.setItem(BROWSERS, "yes");
}

/** Whether the key is one of this browser only. */
export function isBrowsersKey() {
  return localStorage.getItem(BROWSERS) !== null;
}

/** Forget it. */
export function forgetKey() {
  sessionStorage.removeItem(NAME);
  localStorage.removeItem(NAME);
  localStorage.removeItem(BROWSERS);
}
