// Run it, the log of acts: filtered, a part at a time.
import { call } from "../api.js";
import { $, announce, el, explained } from "../dom.js";
import { say } from "../say.js";
import { OPERATIONS, actTable, rowOf } from "./acts.js";
import { act, choice, field } from "./parts.js";

const HINTS = { actor: "run.hint-actor", target: "run.hint-target" };
const PATH = "/api/v2/operations/audit";

/** Show it; `about` may be what to look at, as `user:17`. */
export async function open(place, { about, head }) {
  head(say("run.audit-lead"), say("run.audit-kept"));
  const inputs = inputsOf(about);
  const found = el("div", { class: "gap-s" });
  const look = async () => {
    try {
      await show(found, queryOf(inputs));
    } catch (problem) {
      if (problem.name !== "Problem") throw problem;
      found.replaceChildren(explained(problem));
    }
  };
  const form = el("form", { class: "filters gap" }, Object.entries(inputs).map(([name, input]) => field(say(`run.filter-${name}`), input, HINTS[name] ? say(HINTS[name]) : null)), el("button", { type: "submit", class: "b" }, say("run.look")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });
  for (const input of Object.values(inputs)) if (input.tagName === "SELECT" || input.type === "date") input.addEventListener("change", look);
  place.append(form, found);
  await look();
}

function inputsOf(about) {
  const text = (value = "") => el("input", { class: "in", value, autocomplete: "off", maxlength: "100" });
  const operations = OPERATIONS.map((name) => [name, say(`run.op-${name}`)]);
  return {
    actor: text(),
    operation: choice([["", say("run.any")], ...operations]),
    target: text(about),
    since: el("input", { class: "in", type: "date" }),
    until: el("input", { class: "in", type: "date" }),
  };
}

function queryOf(inputs) {
  const { actor, operation, target, since, until } = inputs;
  const start = (day, more = 0) => day && new Date(new Date(`${day}T00:00:00`).getTime() + more).toISOString();
  const number = target.value.trim().match(/^(?:.*#)?(\d+)$/); // name#17 is a user
  return {
    actor: actor.value.trim(),
    operation: operation.value,
    target: number ? `user:${number[1]}` : target.value.trim(),
    since: start(since.value),
    until: start(until.value, 86_400_000), // the whole day is meant
  };
}

async function show(found, query) {
  const first = await call("GET", PATH, { query });
  if (!first.acts.length) {
    found.replaceChildren(el("p", { class: "muted" }, say("run.no-acts")));
    return;
  }
  const shown = actTable(first.acts);
  const trouble = el("div", { "aria-live": "polite" });
  let cursor = first.next;
  const more = act(say("run.more"), async () => {
    const part = await call("GET", PATH, { query: { ...query, cursor } });
    $("tbody", shown).append(...part.acts.map(rowOf));
    cursor = part.next;
    more.hidden = cursor === null;
    announce(say("run.acts-more", { count: part.acts.length }));
  }, { kind: "b gap-s", trouble });
  more.hidden = cursor === null;
  found.replaceChildren(shown, more, trouble);
}
