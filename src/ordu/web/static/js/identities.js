// By which providers somebody can sign in, on the page Account: shown, linked, unlinked.
import { call } from "./api.js";
import { $, announce, busy, el, explained } from "./dom.js";
import { say, when } from "./say.js";
import { me } from "./session.js";

const section = document.querySelector("#identities");

if (section) {
  document.addEventListener("ordu:me", ({ detail }) => show(detail));
  me().then(show, () => {});
}

async function show(user) {
  if (user === null || user.id === 0) return;
  const told = await call("GET", `/api/v2/users/${user.id}/identities`);
  const list = section.querySelector(".identities");
  list.replaceChildren(...told.identities.map((identity) => item(user, identity)));
  list.hidden = told.identities.length === 0;
  sayWhetherKey(told.has_key);
  const linked = new Set(told.identities.map((identity) => identity.provider));
  const others = told.providers.filter((each) => !linked.has(each.provider));
  section.querySelector(".links").replaceChildren(...others.map((each) => linking(user, each)));
}

/** An account that was made by a provider has no key of its own to replace: it makes one. */
function sayWhetherKey(hasKey) {
  const act = hasKey ? "replace" : "make";
  const part = $("#replace").parentElement;
  $("h3", part).textContent = say(`account.${act}`);
  $("p", part).textContent = say(`account.${act}-more`);
  $("#replace").textContent = say(`account.${act}-button`);
  $("#replace-sure").textContent = say(`account.${act}-sure`);
  $("#replace-dialog .text").textContent = say(`account.${act}-sure-more`);
  $("#replace-now").textContent = say(`account.${act}-now`);
}

/** An identity, with the button that unlinks it. */
function item(user, { id, name, created_at: since }) {
  const unlink = el("button", { type: "button", class: "b s" }, say("account.unlink", { name }));
  const row = el("li", { class: "row" }, el("span", { class: "grow" }, say("account.identity", { name, day: when(since, "day") })), unlink);
  unlink.addEventListener("click", () =>
    busy(unlink, say("account.unlinking"), () => unlinked(user, id, name), tellIn(row)),
  );
  return row;
}

async function unlinked(user, id, name) {
  await call("DELETE", `/api/v2/users/${user.id}/identities/${id}`);
  announce(say("account.unlinked", { name }));
  await show(user);
}

/** The button that links the account with a provider: it leads there, and from there back here. */
function linking(user, { provider, name }) {
  const link = el("button", { type: "button", class: "b" }, say("account.link", { name }));
  link.addEventListener("click", () =>
    busy(link, say("account.linking"), () => leave(user, provider), tellIn(section.lastElementChild)),
  );
  return link;
}

async function leave(user, provider) {
  // The answer sets a cookie by which the provider's answer is known to be for this browser.
  const { url } = await call("POST", `/api/v2/users/${user.id}/identities`, {
    body: { provider, to: location.pathname },
    credentials: "same-origin",
  });
  location.assign(url);
}

/** What tells a problem at the end of an element, in the stead of the one before. */
function tellIn(element) {
  return (problem) => {
    for (const before of element.querySelectorAll(".problem")) before.remove();
    element.append(explained(problem));
  };
}
