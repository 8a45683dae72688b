// Acts in words: who did what to whom, what changed, and why.
import { el } from "../dom.js";
import { number, say, sayWith } from "../say.js";
import { moment, table } from "./parts.js";

/** The operations there are acts of. */
export const OPERATIONS = ["put_user_single", "delete_user_single", "post_user_key", "post_award_kudos", "put_worker_single", "delete_worker_single", "put_horde_modes", "put_horde_news", "delete_horde_news"];
const LENGTH_MAX = 80;

/** A table of acts, newest first. */
export function actTable(acts) {
  return table(say("run.audit"), [say("run.who-when"), say("run.what-why")], acts.map(rowOf));
}

/** Rows to append to one. */
export function rowOf(act) {
  const who = el("b", {}, act.who === "the server's machine" ? say("run.machine") : act.who);
  const changes = act.changes.map((change) => el("small", {}, changed(change)));
  const reason = act.reason ? el("small", { class: "said" }, say("run.quoted", { text: act.reason })) : null;
  return el("tr", {}, el("td", { class: "by" }, who, el("small", {}, moment(act.date))), el("td", {}, done(act), changes, reason));
}

function done(act) {
  const target = targetOf(act);
  const key = OPERATIONS.includes(act.operation) ? act.operation : "other";
  return sayWith(`run.did-${key}`, { target, operation: act.operation });
}

function targetOf({ target }) {
  if (target.kind === "user") return el("a", { href: `#users=${target.id}` }, target.name);
  return el("b", {}, target.name);
}

function changed(change) {
  if (!("before" in change)) return change.field;
  if (change.before === null) return say("run.to", { field: change.field, after: shown(change.after) });
  return say("run.from-to", { field: change.field, before: shown(change.before), after: shown(change.after) });
}

function shown(value) {
  if (value === null || value === "") return say("run.nothing");
  if (typeof value === "boolean") return say(value ? "run.yes" : "run.no");
  if (typeof value === "number") return number(value);
  const text = Array.isArray(value) ? value.join(", ") : String(value);
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX - 1)}…` : text;
}
