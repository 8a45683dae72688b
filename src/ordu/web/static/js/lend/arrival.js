// The note below the command: it waits, and turns grass when a machine comes.
import { $, el } from "../dom.js";
import { say } from "../say.js";
import { isAsking, largest } from "./facts.js";

let hasArrived = false;

/** The command was copied: from now on a machine is waited for. */
export function copied() {
  hasArrived = false;
  wait();
}

/** Whether one is waited for. */
export function isWaiting() {
  return !hasArrived && !$("#arrival").hidden;
}

/** Say that nothing has come yet, where nothing has. */
export function wait() {
  if (!hasArrived) tell("", el("span", { class: "dia" }), say("lend.waiting-title"), say("lend.waiting-text"));
}

/** Nobody is signed in, so nobody's machine can be recognised. */
export function forget() {
  hasArrived = false;
  $("#arrival").hidden = true;
}

/** A machine has come: for the first time, or back. */
export function arrived(worker, why, isKnown) {
  hasArrived = true;
  const title = say(isKnown ? "lend.arrived-back-title" : "lend.arrived-title", { name: worker.name });
  const offers = say("lend.arrived-text", { count: worker.models?.length ?? 0, size: largest(worker) });
  const isPaused = !isAsking(worker, why);
  tell("ok", el("span", { class: "dia ok" }), title, isPaused ? say("lend.arrived-paused") : offers);
}

function tell(kind, lozenge, title, text) {
  const note = $("#arrival");
  note.className = `note gap ${kind}`;
  note.hidden = false;
  note.replaceChildren(el("h3", {}, lozenge, ` ${title}`), el("p", {}, text));
}
