// What was odd about the pictures that a machine delivered of late, in few words.
import { el } from "../dom.js";
import { say } from "../say.js";

const ODD = ["refused", "blank", "repeat", "source", "other_size", "too_fast", "censored"];

/** `2 blank, 1 again; of 120 in 7 days`; null when there is nothing to tell. */
export function oddities(results) {
  const found = ODD.filter((name) => results?.[name] > 0);
  if (!found.length) return null;
  const odd = found.map((name) => say(`run.odd-${name}`, { count: results[name] })).join(", ");
  return el("small", { class: "odd" }, say("run.odd", { odd, count: results.delivered, days: results.days }));
}
