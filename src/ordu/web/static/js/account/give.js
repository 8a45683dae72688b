// Giving kudos on the page Account: asked once more with the real name, sent once whatever breaks.
import { call } from "../api.js";
import { $, busy, el, explained, toast } from "../dom.js";
import { say } from "../say.js";
import { refresh } from "../session.js";

const TO = new Set(["InvalidTargetUsername", "KudosTransferToAnon", "KudosTransferToSelf", "FaultWhenKudosReceiving", "TargetAccountFlagged", "UserNotFound"]);
const AMOUNT = new Set(["KudosTransferNotEnough", "NegativeKudosTransfer", "InvalidKudosTransferAmount"]);

let gift = null; // what is about to be given: to whom, how much, and the key under which it goes once

/** Make the form give. */
export function startGiving() {
  $("#give").addEventListener("submit", (event) => {
    event.preventDefault();
    clear();
    busy($("#give-button"), say("account.loading"), prepare, tell);
  });
  $("#give-amount").addEventListener("input", () => {
    const amount = amountGiven();
    $("#give-button").textContent = amount === null ? say("account.give-button") : say("account.give-amount-button", { count: amount });
  });
  $("#give-dialog [data-close]").addEventListener("click", () => $("#give-dialog").close());
  $("#give-now").addEventListener("click", () => busy($("#give-now"), say("account.giving"), give, (problem) => {
    $("#give-dialog").close();
    tell(problem);
    if (problem.status === 0) $("#give-problem").append(el("p", { class: "err" }, say("account.give-again")));
  }));
}

async function prepare() {
  const to = $("#give-to").value.trim();
  const amount = amountGiven();
  const number = /(?:^|#)\s*(\d{1,10})$/.exec(to)?.[1];
  if (!number) at("give-to", say("account.give-nobody"));
  if (amount === null) at("give-amount", say("account.give-whole"));
  if (!number || amount === null) return focusFirst();
  let user;
  try {
    user = await call("GET", `/api/v2/users/${number}`);
  } catch (problem) {
    if (problem.rc !== "UserNotFound") throw problem;
    at("give-to", say("account.give-unknown", { number }));
    return focusFirst();
  }
  // The same gift again has the same key, so that one whose answer was lost does not go twice.
  if (gift?.username !== user.username || gift.amount !== amount) gift = { username: user.username, amount, key: freshKey() };
  $("#give-sure").textContent = say("account.give-sure", { amount, user: user.username });
  $("#give-now").textContent = say("account.give-amount-button", { count: amount });
  $("#give-dialog").showModal();
}

async function give() {
  const { username, amount, key } = gift;
  await call("POST", "/api/v2/kudos/transfer", { body: { username, amount }, headers: { "Idempotency-Key": key } });
  gift = null;
  $("#give-dialog").close();
  $("#give").reset();
  $("#give-amount").dispatchEvent(new Event("input"));
  toast(say("account.given", { amount, user: username }));
  await refresh();
}

function amountGiven() {
  const text = $("#give-amount").value.trim();
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

// Also without https, where there is no crypto.randomUUID.
function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tell(problem) {
  if (TO.has(problem.rc)) at("give-to", problem.message);
  else if (AMOUNT.has(problem.rc)) at("give-amount", problem.message);
  else $("#give-problem").replaceChildren(explained(problem));
  focusFirst();
}

function at(field, message) {
  $(`#${field}`).setAttribute("aria-invalid", "true");
  $(`#${field}-error`).textContent = message;
}

function focusFirst() {
  $("#give").querySelector('[aria-invalid="true"]')?.focus();
}

function clear() {
  $("#give-problem").replaceChildren();
  for (const field of ["give-to", "give-amount"]) {
    $(`#${field}`).removeAttribute("aria-invalid");
    $(`#${field}-error`).textContent = "";
  }
}
