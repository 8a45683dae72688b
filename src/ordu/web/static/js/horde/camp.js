// The camp, kept live: each machine stays where it stands, whatever it does. See web/camp.py for who is drawn.
import { $, el } from "../dom.js";
import { say, short } from "../say.js";

const LOZENGES_MAX = 120;
const LISTED_MAX = 120; // every lozenge that has a name leads to a row
const MODELS_SHOWN = 5;
const ORDER = ["drawing", "waiting", "paused"];

let mine = new Set();
let known = new Map(); // id → what the API says of the machine

const NAMED = 'a[href^="#m-"]'; // a lozenge of one machine; a crowd's have no names
const idOf = (link) => (link.hash.startsWith("#m-") ? link.hash.slice(3) : "");

/** What a machine of the API is at. */
export function doingOf(worker) {
  if (worker.drawing) return "drawing";
  return worker.maintenance_mode ? "paused" : "waiting";
}

/** How fast a machine is in megapixelsteps per second; null until it has shown it. */
export function speedOf(worker) {
  const speed = Number.parseFloat(worker.performance);
  return Number.isFinite(speed) ? speed : null;
}

/** A speed in words. */
export function speedText(speed) {
  if (speed === null) return say("horde.not-known");
  return speed < 0.1 ? say("horde.slow") : short(speed);
}

/** Frame the machines of whoever is signed in. */
export function showMine(ids) {
  mine = new Set(ids);
  for (const link of $("#camp").querySelectorAll(NAMED)) link.classList.toggle("mine", mine.has(idOf(link)) && !link.classList.contains("gone"));
  for (const row of $("#machine-rows").rows) chip(row);
  $("#legend-mine").hidden = ![...mine].some((id) => document.getElementById(`m-${id}`));
}

/** Show these machines, as `get_workers` lists them; returns how many are at what. */
export function showCamp(workers) {
  known = new Map(workers.map((worker) => [worker.id, worker]));
  const counts = Object.fromEntries(ORDER.map((doing) => [doing, workers.filter((each) => doingOf(each) === doing).length]));
  const each = machinesEach(counts);
  $("#camp-empty").hidden = workers.length > 0;
  $("#camp-full").hidden = workers.length === 0;
  $("#camp").setAttribute("aria-label", say("horde.camp-label", { count: workers.length, ...counts }));
  for (const doing of ORDER) $(`[data-count="${doing}"]`).textContent = say(`horde.legend-${doing}`, { count: counts[doing] });
  $("#legend-each").hidden = each === 1;
  $("#legend-each").textContent = say("horde.legend-each", { count: each });
  if (each === 1) showEach(workers);
  else showCrowd(counts, each);
  showRows(workers);
  showMine(mine);
  rove();
  return counts;
}

function machinesEach(counts) {
  let each = 1;
  while (Object.values(counts).reduce((sum, count) => sum + Math.ceil(count / each), 0) > LOZENGES_MAX) each += 1;
  return each;
}

function busiestFirst(workers) {
  return [...workers].sort((one, other) => ORDER.indexOf(doingOf(one)) - ORDER.indexOf(doingOf(other)) || (one.name < other.name ? -1 : 1));
}

function showEach(workers) {
  const camp = $("#camp");
  if (!camp.querySelector(NAMED)) camp.replaceChildren(); // a crowd stood there, or nobody
  const links = new Map([...camp.querySelectorAll(NAMED)].map((link) => [idOf(link), link]));
  const free = [...links.values()].filter((link) => !known.has(idOf(link)));
  for (const link of free) set(link, "gone", "");
  for (const worker of busiestFirst(workers)) {
    const link = links.get(worker.id) ?? free.shift() ?? place(camp);
    link.href = `#m-${worker.id}`;
    set(link, doingOf(worker), say(`horde.machine-${doingOf(worker)}`, { name: worker.name }));
  }
}

function showCrowd(counts, each) {
  const wanted = ORDER.flatMap((doing) => Array(Math.ceil(counts[doing] / each)).fill(doing));
  const camp = $("#camp");
  if (camp.querySelector(NAMED)) camp.replaceChildren();
  while (camp.children.length > wanted.length) camp.lastElementChild.remove();
  wanted.forEach((doing, index) => {
    const link = camp.children[index]?.firstElementChild ?? place(camp);
    link.href = "#machines";
    set(link, doing, say(`horde.several-${doing}`));
  });
}

function place(camp) {
  const link = el("a", { class: "w" }, el("span", { class: "vh" }));
  camp.append(el("li", {}, link));
  return link;
}

function set(link, doing, text) {
  const isMine = mine.has(idOf(link)) && doing !== "gone";
  link.className = `w ${doing}${isMine ? " mine" : ""}`;
  if (link.firstElementChild.textContent !== text) link.firstElementChild.textContent = text;
}

// The list below

function showRows(workers) {
  const body = $("#machine-rows");
  for (const row of [...body.rows]) if (!known.has(row.id.slice(2))) row.remove();
  for (const worker of busiestFirst(workers)) {
    const row = document.getElementById(`m-${worker.id}`) ?? newRow(body, worker.id);
    if (row) fill(row, worker);
  }
  const unlisted = workers.length - body.rows.length;
  $("#unlisted").hidden = unlisted === 0;
  $("#unlisted").textContent = say("horde.unlisted", { count: unlisted });
}

function newRow(body, id) {
  if (body.rows.length >= LISTED_MAX) return null;
  const row = el("tr", { id: `m-${id}` }, el("th", { scope: "row" }), el("td"), el("td"), el("td"));
  body.append(row);
  return row;
}

function fill(row, worker) {
  row.cells[0].firstChild ? (row.cells[0].firstChild.textContent = worker.name) : row.cells[0].append(worker.name);
  row.cells[1].textContent = say(`horde.state-${doingOf(worker)}`);
  row.cells[2].textContent = modelsOf(worker);
  row.cells[3].textContent = speedText(speedOf(worker));
}

function modelsOf(worker) {
  const models = worker.models ?? [];
  const more = models.length - MODELS_SHOWN;
  const shown = models.slice(0, MODELS_SHOWN).join(", ");
  return more > 0 ? `${shown}, ${say("horde.more-models", { count: more })}` : shown;
}

function chip(row) {
  const isMine = mine.has(row.id.slice(2));
  const found = row.cells[0].querySelector(".chip");
  if (isMine && !found) row.cells[0].append(el("span", { class: "chip" }, say("horde.yours")));
  if (!isMine) found?.remove();
}

// Choosing one: arrow keys go from machine to machine, so that the camp is one stop for the tab key

/** Say who a lozenge is when it is pointed at or focused. */
export function watchCamp() {
  const camp = $("#camp");
  const tell = (event) => {
    const link = event.target.closest(".w");
    if (link) $("#camp-about").textContent = aboutOf(known.get(idOf(link)));
  };
  camp.addEventListener("pointerover", tell);
  camp.addEventListener("focusin", (event) => {
    tell(event);
    for (const link of camp.querySelectorAll(".w")) link.tabIndex = link === event.target ? 0 : -1;
  });
  camp.addEventListener("keydown", move);
  rove();
}

function rove() {
  const links = [...$("#camp").querySelectorAll(".w:not(.gone)")];
  const current = links.find((link) => link.tabIndex === 0 && link === document.activeElement) ?? links[0];
  for (const link of $("#camp").querySelectorAll(".w")) link.tabIndex = link === current ? 0 : -1;
}

function move(event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const links = [...$("#camp").querySelectorAll(".w:not(.gone)")];
  links[(links.indexOf(document.activeElement) + by + links.length) % links.length]?.focus();
}

function aboutOf(worker) {
  if (!worker) return "";
  const speed = speedOf(worker);
  return say("horde.about-machine", {
    name: worker.name,
    state: say(`horde.state-${doingOf(worker)}`),
    models: modelsOf(worker) || say("horde.no-models"),
    speed: speed === null ? say("horde.about-no-speed") : say("horde.about-speed", { speed: speedText(speed) }),
  });
}
