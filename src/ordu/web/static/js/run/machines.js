// Run it, machines: those that are here, and one that is away by its name.
import { call } from "../api.js";
import { announce, el, explained, toast } from "../dom.js";
import { number, say } from "../say.js";
import { act, ask, choice, field, table } from "./parts.js";
import { oddities } from "./results.js";
import { states } from "./theirs.js";

const SHOWN_MAX = 200;
const KEPT = {
  all: () => true,
  paused: (machine) => machine.paused,
  maintenance: (machine) => machine.maintenance_mode,
  suspected: (machine) => machine.suspicious > 0,
};

/** Show them. */
export async function open(place, { head }) {
  const search = el("input", { class: "in", type: "search", autocomplete: "off", maxlength: "100" });
  const kept = choice(Object.keys(KEPT).map((name) => [name, say(`run.show-${name}`)]));
  const trouble = el("div", { "aria-live": "polite" });
  const list = el("div", { class: "gap-s" });
  const it = { machines: [], away: null, trouble, list, search, kept };
  it.load = async () => {
    it.machines = await call("GET", "/api/v2/workers");
    head(say("run.machines-lead", { count: it.machines.length }), say("run.machines-how"));
    show(it);
  };
  search.addEventListener("input", () => {
    it.away = null;
    show(it);
  });
  kept.addEventListener("change", () => show(it));
  const filters = el("form", { class: "filters gap", role: "search" }, field(say("run.find-machine"), search), field(say("run.show"), kept));
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    findAway(it);
  });
  place.append(filters, trouble, list);
  await it.load();
}

function show(it) {
  const wanted = it.search.value.trim().toLowerCase();
  const here = it.machines.filter((machine) => KEPT[it.kept.value](machine) && `${machine.name} ${machine.owner ?? ""}`.toLowerCase().includes(wanted));
  const found = it.away ? [it.away] : here;
  announce(say("run.machines-shown", { count: found.length }));
  if (!found.length) {
    it.list.replaceChildren(el("p", { class: "muted" }, say(it.machines.length ? "run.no-machine" : "run.nobody-here")), wanted ? el("button", { type: "button", class: "b s gap-s", onclick: () => findAway(it) }, say("run.look-away", { name: it.search.value.trim() })) : "");
    return;
  }
  const heads = [say("run.machine-name"), [say("run.models"), "n hide-s"], [say("run.pictures-made"), "n hide-s"], say("run.state"), say("run.acts")];
  it.list.replaceChildren(table(say("run.machines"), heads, found.slice(0, SHOWN_MAX).map((machine) => rowOf(machine, it))), found.length > SHOWN_MAX ? el("p", { class: "hint" }, say("run.machines-hidden", { count: found.length - SHOWN_MAX })) : "");
}

async function findAway(it) {
  const name = it.search.value.trim();
  if (!name) return;
  it.trouble.replaceChildren();
  try {
    it.away = await call("GET", `/api/v2/workers/name/${encodeURIComponent(name)}`);
    show(it);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    it.trouble.replaceChildren(explained(problem));
  }
}

function rowOf(machine, it) {
  const number_ = machine.owner?.split("#").at(-1);
  const owner = el("small", {}, number_ ? el("a", { href: `#users=${number_}` }, machine.owner) : "");
  const fulfilled = el("td", { class: "n hide-s" }, number(machine.requests_fulfilled, 0), machine.uncompleted_jobs ? el("small", {}, say("run.failed", { count: machine.uncompleted_jobs })) : null);
  return el("tr", { class: "machine" }, el("th", { scope: "row" }, machine.name, owner), el("td", { class: "n hide-s" }, number(machine.models?.length ?? 0, 0)), fulfilled, el("td", {}, el("span", { class: "chips" }, states(machine)), oddities(machine.results)), el("td", {}, el("div", { class: "row acts" }, actsOf(machine, it))));
}

function actsOf(machine, it) {
  const label = (words) => say(words);
  const named = (button) => {
    button.setAttribute("aria-label", `${button.textContent} ${machine.name}`);
    return button;
  };
  return [
    named(act(label(machine.paused ? "run.resume" : "run.pause"), () => pause(machine, it), { trouble: it.trouble })),
    named(machine.maintenance_mode ? act(label("run.end-its-maintenance"), () => change(machine, it, { maintenance: false }, say("run.maintenance-ended", { name: machine.name })), { trouble: it.trouble }) : el("button", { type: "button", class: "b s", onclick: () => maintain(machine, it) }, label("run.maintain"))),
    named(el("button", { type: "button", class: "b s danger", onclick: () => remove(machine, it) }, label("run.delete"))),
  ];
}

async function change(machine, it, body, told, undone = null) {
  await call("PUT", `/api/v2/workers/${machine.id}`, { body });
  await reload(machine, it);
  toast(told, undone && (() => change(machine, it, undone, say("run.undone"))));
}

async function reload(machine, it) {
  if (it.away) it.away = await call("GET", `/api/v2/workers/${machine.id}`);
  await it.load();
}

function pause(machine, it) {
  const isPaused = !machine.paused;
  return change(machine, it, { paused: isPaused }, say(isPaused ? "run.was-paused" : "run.was-resumed", { name: machine.name }), { paused: !isPaused });
}

function maintain(machine, it) {
  const text = el("textarea", { class: "in said", rows: "2", maxlength: "1000" });
  ask({
    title: say("run.maintain-title", { name: machine.name }),
    text: say("run.maintain-text"),
    label: say("run.maintain-go"),
    isDanger: false,
    isReasonNeeded: false,
    extra: { label: say("run.maintain-words"), input: text, hint: say("run.maintain-hint") },
    work: (reason) => change(machine, it, { maintenance: true, maintenance_msg: text.value.trim() || undefined, reason }, say("run.maintenance-begun", { name: machine.name }), { maintenance: false }),
  });
}

function remove(machine, it) {
  ask({
    title: say("run.delete-title", { name: machine.name }),
    text: say("run.delete-text"),
    label: say("run.delete-go"),
    work: async (reason) => {
      await call("DELETE", `/api/v2/workers/${machine.id}`, { query: { reason } });
      it.away = null;
      await it.load();
      announce(say("run.machine-deleted", { name: machine.name }));
    },
  });
}
