// What was odd about the pictures that a machine delivered of late, and what to look at.
import { el } from "../dom.js";
import { say } from "../say.js";

const ODD = ["refused", "blank", "repeat", "source", "other_size", "too_fast"];

/** A paragraph for each oddity under one that says of how many days; nothing when all was in order. */
export function oddities(results) {
  const found = ODD.filter((name) => results?.[name] > 0);
  if (!found.length) return [];
  const all = results.delivered;
  const title = el("p", {}, el("b", {}, say("lend.odd-title", { count: results.days })));
  return [title, ...found.map((name) => el("p", {}, say(`lend.odd-${name}`, { count: results[name], all })))];
}
