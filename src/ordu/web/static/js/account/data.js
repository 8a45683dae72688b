// What is kept of a person on the page Account: name and contact, the key, all of it to take, and the end of it.
import { call, send } from "../api.js";
import { $, announce, busy, copies, el, explained, toast } from "../dom.js";
import { isBrowsersKey, keepKey } from "../key.js";
import { number, say, when } from "../say.js";
import { me, refresh, signOut } from "../session.js";
import { save } from "./history.js";

const EXPORT_TIMEOUT_MS = 600_000;
const DAY_MS = 86_400_000;
const KEPT_DAYS = 30;

/** Make the forms and buttons work; `deletedNote` makes the note of an account that was deleted. */
export function startData(deletedNote) {
  for (const button of document.querySelectorAll("dialog [data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  $("#you").addEventListener("submit", (event) => {
    event.preventDefault();
    busy($("#save"), say("account.saving"), saveYou, tellYou);
  });
  $("#replace").addEventListener("click", () => {
    $("#replace-problem").replaceChildren();
    $("#replace-dialog").showModal();
  });
  $("#replace-now").addEventListener("click", () => busy($("#replace-now"), say("account.replacing"), replaceKey, tellReplace));
  $("#take").addEventListener("click", () => busy($("#take"), say("account.saving"), takeData, tellIn("#take-problem")));
  $("#sign-out").addEventListener("click", leave);
  $("#delete").addEventListener("click", askToDelete);
  $("#delete-form").addEventListener("submit", (event) => {
    event.preventDefault();
    deleteAccount(deletedNote);
  });
}

function tellIn(selector) {
  return (problem) => $(selector).replaceChildren(explained(problem));
}

// About you

async function saveYou() {
  const user = await me();
  for (const field of ["name", "contact"]) {
    $(`#${field}-error`).textContent = "";
    $(`#${field}`).removeAttribute("aria-invalid");
  }
  $("#you-problem").replaceChildren();
  const body = changed(user);
  if (Object.keys(body).length) await call("PUT", `/api/v2/users/${user.id}`, { body });
  await refresh();
  toast(say("account.saved"));
}

// What was not touched is not sent: a contact that was never given is none, and not an empty one.
function changed(user) {
  const body = { public_workers: $("#public-workers").checked };
  const [name, contact] = [$("#name").value.trim(), $("#contact").value.trim()];
  if (name !== user.username.slice(0, user.username.lastIndexOf("#"))) body.username = name;
  if (contact !== (user.contact ?? "")) body.contact = contact;
  return body;
}

function tellYou(problem) {
  const isName = problem.rc === "TooLongUserName" || problem.rc === "BadRequest";
  const at = isName ? { name: problem.message } : { name: problem.errors.username, contact: problem.errors.contact };
  const wrong = Object.entries(at).filter(([, message]) => message);
  if (!wrong.length) return tellIn("#you-problem")(problem);
  for (const [field, message] of wrong) {
    $(`#${field}`).setAttribute("aria-invalid", "true");
    $(`#${field}-error`).textContent = message;
  }
  $(`#${wrong[0][0]}`).focus();
}

// The key

async function replaceKey() {
  const user = await me();
  const forever = localStorage.getItem("ordu.key") !== null;
  const { api_key: newKey } = await call("POST", `/api/v2/users/${user.id}/key`);
  // At once: the one before has stopped. But the first key of an account ends none of its browsers'.
  if (!isBrowsersKey() || !(await stillWorks())) keepKey(newKey, forever);
  $("#replace-dialog").close();
  $("#note").replaceChildren(keyNote(newKey));
  $("#note").focus();
  $("#note").scrollIntoView({ block: "center" });
  await refresh();
}

async function stillWorks() {
  try {
    await call("GET", "/api/v2/find_user");
    return true;
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    return false;
  }
}

function tellReplace(problem) {
  $("#replace-problem").replaceChildren(explained(problem));
  if (problem.status === 0) $("#replace-problem").append(el("p", { class: "err" }, say("account.replace-lost")));
}

function keyNote(newKey) {
  const copy = el("button", { type: "button", class: "b" }, say("common.copy"));
  const kept = el("button", { type: "button", class: "b main" }, say("account.kept"));
  copies(copy, newKey);
  const note = el("div", { class: "note ok", role: "group", "aria-label": say("account.new-key-note") },
    el("h2", {}, say("account.new-key")),
    el("p", {}, say("account.new-key-why", { time: when(Date.now(), "time") })),
    el("p", { class: "key" }, el("code", {}, newKey)),
    el("div", { class: "row" }, copy, kept));
  kept.addEventListener("click", () => {
    note.remove();
    $("#main").focus();
  });
  announce(say("account.new-key"));
  return note;
}

// All of it

async function takeData() {
  const user = await me();
  $("#take-problem").replaceChildren();
  const response = await send("GET", `/api/v2/users/${user.id}/export`, { timeoutMs: EXPORT_TIMEOUT_MS });
  save(await response.blob(), `ordu-${user.username.replace(/[^\p{L}\p{N}_-]/gu, "-")}.json`);
}

// The end

async function leave() {
  await signOut();
  toast(say("account.signed-out"));
  $("#main").focus();
}

async function askToDelete() {
  const user = await me();
  $("#delete-sure").textContent = say("account.delete-sure", { name: user.username });
  $("#delete-sure-more").textContent = say("account.delete-sure-more", { amount: number(user.kudos) });
  $("#delete-type").textContent = say("account.delete-type", { name: user.username });
  $("#delete-form").reset();
  for (const selector of ["#delete-error", "#delete-problem"]) $(selector).replaceChildren();
  $("#delete-name").removeAttribute("aria-invalid");
  $("#delete-dialog").showModal();
}

async function deleteAccount(deletedNote) {
  const user = await me();
  if ($("#delete-name").value.trim() !== user.username) {
    $("#delete-name").setAttribute("aria-invalid", "true");
    $("#delete-error").textContent = say("account.delete-typo", { name: user.username });
    return $("#delete-name").focus();
  }
  await busy($("#delete-now"), say("account.deleting"), async () => {
    await call("DELETE", `/api/v2/users/${user.id}`);
    $("#delete-dialog").close();
    $("#note").replaceChildren(deletedNote(new Date(Date.now() + KEPT_DAYS * DAY_MS)));
    $("#note").focus();
    await refresh();
  }, tellIn("#delete-problem"));
}
