// Who is signed in: the key, kept in this browser only, and what the horde says of its user.
import { call, send } from "./api.js";
import { key, keepKey, forgetKey, isBrowsersKey } from "./key.js";

let asked = null;

/** The user of the key as `get_find_user` tells it; null when nobody is signed in or the key is unknown. */
export function me() {
  asked ??= find();
  return asked;
}

/** Ask again who that is, and tell the page: the balance or the name has changed. */
export async function refresh() {
  asked = null;
  const user = await me();
  document.dispatchEvent(new CustomEvent("ordu:me", { detail: user }));
  return user;
}

/** Keep a key, in this tab only unless `forever`, and tell the page who came. Throws a Problem for a wrong key. */
export async function signIn(newKey, forever = true) {
  const user = await call("GET", "/api/v2/find_user", { key: newKey });
  const ended = endBrowsersKey();
  keepKey(newKey, forever);
  await ended;
  asked = Promise.resolve(user);
  document.dispatchEvent(new CustomEvent("ordu:me", { detail: user }));
  return user;
}

/** Keep the key that signing in by a provider gave this browser; one of before ends. */
export async function keepBrowsersKey(newKey) {
  const ended = endBrowsersKey();
  keepKey(newKey, true, true);
  await ended;
}

/** Forget the key in this browser; one that is of this browser only ends. */
export async function signOut() {
  const ended = endBrowsersKey();
  forgetKey();
  await ended;
  return refresh();
}

async function endBrowsersKey() {
  if (!isBrowsersKey()) return;
  try {
    await send("DELETE", "/api/v2/sign_in");
  } catch (problem) {
    // Forgotten here all the same: nobody has it any more, and it ends by itself.
    if (problem.name !== "Problem") throw problem;
  }
}

/** Whether a user may open the page "Run it". */
export function runsHorde(user) {
  return user !== null && (user.moderator === true || user.id === 1);
}

async function find() {
  if (key() === null) return null;
  try {
    return await call("GET", "/api/v2/find_user");
  } catch (problem) {
    if (problem.status === 404 || problem.status === 401) {
      document.dispatchEvent(new CustomEvent("ordu:unknown-key"));
      return null;
    }
    asked = null;
    throw problem;
  }
}

// Another tab signed in or out.
addEventListener("storage", (event) => {
  if (event.key === "ordu.key") refresh();
});
