// The page Account: who is signed in, what they have, and the parts of the page in modules of their own.
import { $, busy, el, explained, toast } from "./dom.js";
import { call } from "./api.js";
import { key } from "./key.js";
import { number, say, when } from "./say.js";
import { me, refresh, signIn } from "./session.js";
import { enoughFor, showHistory } from "./account/history.js";
import { startGiving } from "./account/give.js";
import { startData } from "./account/data.js";
import "./identities.js";

const EVALUATING_LEAST = 0.01;
let shown = null; // the user whose account stands on the page

document.addEventListener("ordu:me", (event) => show(event.detail));
startSignIn();
startGiving();
startData(deletedNote);
if (key() !== null) {
  $("#sign-in").hidden = true;
  $("#lead").textContent = say("account.looking");
  me().then(show, (problem) => $("#note").replaceChildren(explained(problem)));
}

function show(user) {
  $("#account").hidden = user === null;
  $("#sign-in").hidden = user !== null;
  if (user === null) {
    shown = null;
    $("#lead").replaceChildren(`${say("account.lead-guest")} `, soft(say("account.lead-guest-more")));
    $("#held").hidden = true;
    return;
  }
  const isNew = shown?.id !== user.id;
  shown = user;
  $("#lead").textContent = say("account.lead", { amount: roundly(user.kudos) });
  $("#held").hidden = !(user.evaluating_kudos >= EVALUATING_LEAST);
  if (!$("#held").hidden) $("#held").textContent = say("account.held", { amount: number(user.evaluating_kudos) });
  const since = new Date(Date.now() - user.account_age * 1000);
  $("#you-more").textContent = say("account.you-more", { name: user.username, day: when(since, "day") });
  if (isNew) {
    $("#name").value = user.username.slice(0, user.username.lastIndexOf("#"));
    $("#contact").value = user.contact ?? "";
    showWhetherPublic(user);
    $("#note").replaceChildren();
  }
  if (user.deleted && !document.querySelector("#note .deleted")) $("#note").append(deletedNote(null));
  showHistory(user, since);
  enoughFor(user).then((count) => {
    if (count === null || shown?.id !== user.id) return;
    const amount = roundly(user.kudos);
    $("#lead").replaceChildren(`${say("account.lead-for", { amount })} `, soft(say("account.enough-for", { count })));
  });
}

// What everybody sees has the machines when they are public, and only then.
async function showWhetherPublic(user) {
  const seen = await call("GET", `/api/v2/users/${user.id}`, { key: null });
  $("#public-workers").checked = seen.worker_ids !== undefined;
}

// Never more than there is.
function roundly(kudos) {
  return number(kudos < 100 ? kudos : Math.floor(kudos));
}

function soft(text) {
  return el("span", { class: "soft" }, text);
}

/** The note of an account that was deleted: until when, when that is known, and how to come back. */
function deletedNote(until) {
  const why = until === null ? say("account.deleted-more") : say("account.deleted-until", { day: when(until, "day") });
  const back = el("button", { type: "button", class: "b main" }, say("account.undelete"));
  const note = el("div", { class: "note warn deleted" }, el("h2", {}, say("account.deleted")), el("p", {}, why), el("div", { class: "row gap-s" }, back));
  const takeBack = async () => {
    await call("PUT", `/api/v2/users/${shown.id}`, { body: { undelete: true } });
    note.remove();
    await refresh();
    toast(say("account.undeleted"));
  };
  back.addEventListener("click", () => busy(back, say("account.undelete"), takeBack, (problem) => note.append(explained(problem))));
  return note;
}

function startSignIn() {
  const field = $("#key");
  const tell = (...content) => {
    $("#key-error").replaceChildren(...content);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "key-error key-hint");
    field.focus();
  };
  $("#sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = field.value.trim();
    if (!given) return tell(say("account.key-missing"));
    busy($("#sign-in-form .b"), say("account.signing-in"), async () => {
      await signIn(given, $("#stay").checked);
      $("#key-error").replaceChildren();
      field.removeAttribute("aria-invalid");
      field.value = "";
      $("#main").focus();
    }, (problem) => {
      if (problem.rc === "UserNotFound") tell(say("account.key-unknown", { count: given.length }));
      else tell(explained(problem));
    });
  });
}
