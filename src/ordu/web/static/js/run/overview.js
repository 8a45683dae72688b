// Run it, overview: how the horde is in one sentence, the one thing to do, and the newest acts.
import { call } from "../api.js";
import { el } from "../dom.js";
import { number, say } from "../say.js";
import { figures, troubles } from "./figures.js";
import { actTable } from "./acts.js";

const ACTS = 5;

/** Show it. */
export async function open(place, { head }) {
  const [health, modes, log] = await Promise.all([
    call("GET", "/api/v2/operations/health"),
    call("GET", "/api/v2/status/modes"),
    call("GET", "/api/v2/operations/audit", { query: { limit: ACTS } }),
  ]);
  const found = troubles(health, modes);
  head(sentence(found), found.length ? "" : say("run.running-since", { pictures: number(health.pictures_day, 0), count: health.workers }));
  if (found.length) place.append(el("div", { class: "row gap-s" }, found[0].link && el("a", { class: "b", href: found[0].link }, found[0].label)));
  place.append(figures(health));
  if (found.length > 1) place.append(el("section", { class: "block" }, el("h2", {}, say("run.also")), el("ul", { class: "also" }, found.slice(1).map((each) => el("li", {}, each.link ? el("a", { href: each.link }, each.text) : each.text)))));
  const bar = el("div", { class: "bh" }, el("h2", {}, say("run.audit")), el("a", { href: "#audit" }, say("run.all")));
  place.append(el("section", { class: "block" }, bar, log.acts.length ? actTable(log.acts) : el("p", { class: "muted" }, say("run.no-acts"))));
}

function sentence(found) {
  if (!found.length) return el("span", { class: "ok" }, say("run.all-well"));
  const kind = found[0].isBad ? "bad" : "soft";
  const rest = el("span", { class: kind }, found[0].text);
  return found[0].isBad ? rest : el("span", {}, el("span", { class: "ok" }, say("run.well-but")), " ", rest);
}
