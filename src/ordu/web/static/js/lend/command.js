// The command that lets a machine join: with the key of this browser, and the name that is wanted.
import { call } from "../api.js";
import { $, copies } from "../dom.js";
import { key } from "../key.js";
import { say } from "../say.js";
import { me } from "../session.js";
import { copied } from "./arrival.js";

const NAME_LENGTH_MAX = 100;
const LOOK_AFTER_MS = 400;
const NEEDS_NO_QUOTES = /^[A-Za-z0-9_.:@%+=,/-]+$/;

let isKeyAsked = false; // by the command, where it runs

/** Fill the command, and keep it filled as the name and who is signed in change. */
export function prepareCommand() {
  $("#naming").hidden = false;
  for (const block of document.querySelectorAll(".cmd")) offerCopy(block);
  copies($("#copy-key"), () => key() ?? "");
  $("#leave-key-out").addEventListener("click", () => askForKey(true));
  $("#put-key-in").addEventListener("click", () => askForKey(false));
  $("#machine-name").addEventListener("input", () => {
    show();
    lookLater();
  });
  document.addEventListener("ordu:me", show);
  addEventListener("pageshow", show);
  show();
}

function offerCopy(block) {
  const button = $("button", block);
  button.hidden = false;
  copies(button, () => $("pre", block).textContent);
  if (button.id === "copy-command") button.addEventListener("click", copied);
}

function askForKey(isAsked) {
  isKeyAsked = isAsked;
  show();
  $(isAsked ? "#put-key-in" : "#leave-key-out").focus();
}

function show() {
  const state = key() === null ? "none" : isKeyAsked ? "asked" : "inside";
  for (const hint of document.querySelectorAll("[data-key]")) hint.hidden = hint.dataset.key !== state;
  $("#command").replaceChildren(...wordsOf(state));
}

/** The command in pieces; without the key it asks, so it may not be told to ask nothing. */
function wordsOf(state) {
  const shownKey = state === "none" ? say("lend.your-key") : quoted(key() ?? "");
  const name = wantedName();
  const named = document.createElement("b");
  named.textContent = quoted(name);
  const line = (...words) => [" \\\n  ", ...words];
  return [
    `ordu worker join ${quoted(document.documentElement.dataset.url)}`,
    ...(state === "asked" ? [] : line(`--api-key ${shownKey}`)),
    ...(name ? line("--name ", named) : []),
    ...(state === "asked" ? [] : line("--yes")),
  ];
}

/** A word as a shell of Unix takes it. */
function quoted(word) {
  return NEEDS_NO_QUOTES.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// The name

/** A name as hordes store it: printable, blanks only between words, not too long. */
export function tidied(name) {
  const shown = name.replace(/\s/gu, " ").replace(/\p{C}/gu, "");
  return [...shown.trim().replace(/ +/g, " ")].slice(0, NAME_LENGTH_MAX).join("").trim();
}

function wantedName() {
  return tidied($("#machine-name").value);
}

let later = null;

function lookLater() {
  clearTimeout(later);
  later = setTimeout(lookWhose, LOOK_AFTER_MS);
}

/** Say whether the name can be had; what this horde does not tell is left out. */
async function lookWhose() {
  const name = wantedName();
  const said = name ? await whose(name) : null;
  if (name !== wantedName()) return;
  const field = $("#machine-name");
  field.toggleAttribute("aria-invalid", false);
  if (said === "lend.name-taken") field.setAttribute("aria-invalid", "true");
  $("#name-said").className = said === "lend.name-taken" ? "err" : "hint";
  $("#name-said").textContent = said ? say(said, { name }) : "";
}

async function whose(name) {
  try {
    const worker = await call("GET", `/api/v2/workers/name/${encodeURIComponent(name)}`);
    const user = await me();
    return user !== null && worker.owner === user.username ? "lend.name-yours" : "lend.name-taken";
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    return problem.rc === "WorkerNotFound" ? "lend.name-free" : null;
  }
}
