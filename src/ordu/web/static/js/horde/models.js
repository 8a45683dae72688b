// The table of models, kept live: rows keep their places until somebody sorts them, new ones wait to be shown.
import { speedOf, speedText } from "./camp.js";
import { $, el, svg } from "../dom.js";
import { duration, number, say } from "../say.js";

const SHARE_WIDTH = 92;
const shown = new Map(); // name → what its row says
let waiting = new Map(); // the same of those that are not shown yet
let sortedBy = { by: "waiting", isUp: false };

/** Show what `get_models` and `get_workers` say. */
export function showModels(models, workers) {
  const queue = models.reduce((sum, model) => sum + model.jobs, 0);
  const found = new Map(models.map((model) => [model.name, factsOf(model, workers, queue)]));
  const isFirst = shown.size === 0;
  for (const row of rows()) {
    const name = row.dataset.model;
    shown.set(name, found.get(name) ?? { name, machines: 0, waiting: 0, share: 0, takes: null, speed: null });
    fill(row, shown.get(name));
  }
  waiting = new Map([...found].filter(([name]) => !shown.has(name)));
  if (isFirst && shown.size === 0) showWaiting();
  offer();
}

function factsOf(model, workers, queue) {
  const machines = workers.filter((worker) => !worker.maintenance_mode && worker.models.includes(model.name));
  const speeds = machines.map(speedOf).filter((speed) => speed !== null);
  return {
    name: model.name,
    machines: model.count ? machines.length : 0,
    waiting: model.jobs,
    share: queue ? model.jobs / queue : 0,
    takes: model.count ? model.eta : null,
    speed: speeds.length ? speeds.reduce((sum, speed) => sum + speed, 0) / speeds.length : null,
  };
}

function rows() {
  return [...$("#model-rows").rows];
}

function fill(row, facts) {
  const [, machines, queued, share, takes, speed] = row.cells;
  machines.textContent = number(facts.machines);
  queued.textContent = number(facts.waiting);
  $(".bar", share).setAttribute("width", (SHARE_WIDTH * facts.share).toFixed(1));
  takes.classList.toggle("bad", facts.takes === null);
  takes.textContent = takesText(facts);
  speed.textContent = facts.machines ? speedText(facts.speed) : "";
}

function takesText(facts) {
  if (facts.takes === null) return say("horde.no-machine-short");
  if (!facts.waiting) return say("horde.at-once");
  return facts.speed === null ? say("horde.not-known") : duration(Math.max(1, facts.takes));
}

function offer() {
  $("#models").hidden = shown.size === 0;
  $("#models-empty").hidden = shown.size > 0;
  $("#new-models").hidden = waiting.size === 0;
  const label = say("horde.new-models", { count: waiting.size });
  $("#new-models").replaceChildren(el("button", { type: "button", class: "b s", onclick: showWaiting }, label));
}

function showWaiting() {
  for (const [name, facts] of waiting) {
    shown.set(name, facts);
    const row = newRow(name);
    $("#model-rows").append(row);
    fill(row, facts);
  }
  waiting = new Map();
  offer();
  sort();
}

function newRow(name) {
  const bar = svg("svg", { class: "share", width: SHARE_WIDTH, height: 8, viewBox: `0 0 ${SHARE_WIDTH} 8`, "aria-hidden": "true" }, svg("rect", { class: "barbg", width: SHARE_WIDTH, height: 8 }), svg("rect", { class: "bar", height: 8 }));
  const numbers = ["n", "n", "hide-s", "n", "n hide-s muted"].map((kind) => el("td", { class: kind }, kind === "hide-s" && bar));
  return el("tr", { "data-model": name }, el("th", { scope: "row" }, name), ...numbers);
}

// Sorting

/** Make the heads of the table buttons that sort it. */
export function watchModels() {
  for (const head of document.querySelectorAll("#models th[data-sort]")) {
    head.replaceChildren(el("button", { type: "button", onclick: () => sortBy(head.dataset.sort) }, head.textContent));
  }
}

function sortBy(by) {
  sortedBy = { by, isUp: sortedBy.by === by ? !sortedBy.isUp : by === "name" };
  sort();
}

function sort() {
  const { by, isUp } = sortedBy;
  const sign = isUp ? 1 : -1;
  const valueOf = (row) => shown.get(row.dataset.model)?.[by] ?? Infinity; // no machine: it takes for ever
  const compare = (one, other) => (by === "name" ? one.localeCompare(other) : one - other || 0);
  const ordered = rows().sort((one, other) => sign * compare(valueOf(one), valueOf(other)) || one.dataset.model.localeCompare(other.dataset.model));
  $("#model-rows").append(...ordered);
  for (const head of document.querySelectorAll("#models th[data-sort]")) {
    if (head.dataset.sort === by) head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}
