// The page The horde, kept live by the public API at a calm pace, while somebody looks at it.
import { call } from "./api.js";
import { showCamp, showMine, watchCamp } from "./horde/camp.js";
import { $, el } from "./dom.js";
import { showModels, watchModels } from "./horde/models.js";
import { draw, plot } from "./horde/plot.js";
import { language, number, say, short, when } from "./say.js";
import { showSentence } from "./horde/sentence.js";
import { me } from "./session.js";

const POLL_MS = 20_000;
const EARLIER_EACH = 15; // so many rounds the line to compare with is kept
const MODES_EACH = 3;
const COMPARED = { hour: true, day: true, month: false };

let span = $("#plots").dataset.span;
let earlier = null;
let isClosed = false;
let rounds = 0;
let timer = null;

watchCamp();
watchModels();
watchSpans();
addEventListener("visibilitychange", () => (document.hidden ? rest() : look()));
document.addEventListener("ordu:me", (event) => showUser(event.detail));
me().then(showUser, () => {});
$("#numbers").addEventListener("toggle", () => look());
look();

// Looking

async function look() {
  clearTimeout(timer);
  let waitMs = POLL_MS;
  try {
    await lookOnce();
    $("#time-about").textContent = say("horde.live");
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    waitMs = Math.max(POLL_MS, (problem.retryAfterS ?? 0) * 1000);
    if (problem.status !== 0 && problem.status !== 429 && problem.status !== 503) throw problem;
  } finally {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, waitMs);
  }
}

async function lookOnce() {
  const asked = span;
  const ask = (path, query) => call("GET", path, { query, key: null });
  const [history, before, workers, models, modes] = await Promise.all([
    ask("/api/v2/status/history", { span: asked }),
    earlier === null || rounds % EARLIER_EACH === 0 ? ask("/api/v2/status/history", { span: asked, before: "week" }) : earlier,
    ask("/api/v2/workers", { type: "image" }),
    ask("/api/v2/status/models"),
    rounds % MODES_EACH === 0 ? ask("/api/v2/status/modes") : null,
  ]);
  if (asked !== span) return; // another was chosen meanwhile, and is asked for
  rounds += 1;
  earlier = before;
  isClosed = modes?.maintenance_mode ?? isClosed;
  showSentence(history.now, showCamp(workers), isClosed);
  showModels(models, workers);
  showPlots(history, earlier);
}

function rest() {
  clearTimeout(timer);
  $("#time-about").textContent = say("horde.not-live", { time: when(Date.now(), "time") });
}

function showUser(user) {
  showMine(user?.worker_ids ?? []);
  for (const row of document.querySelectorAll("#giver-rows tr")) {
    row.querySelector(".chip")?.remove();
    if (row.dataset.giver === user?.username) row.cells[0].append(el("span", { class: "chip" }, say("horde.you")));
  }
}

// Plots

function watchSpans() {
  for (const link of $("#spans").querySelectorAll("a")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      for (const other of $("#spans").querySelectorAll("a")) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.href);
      span = link.dataset.span;
      earlier = null;
      look();
    });
  }
}

function showPlots(found, before) {
  const isCompared = COMPARED[found.span] && before.points.length > 0;
  $("#plots").dataset.span = found.span;
  $("#no-points").hidden = found.points.length > 0;
  showPlot("waiting", found, (point) => point.waiting, found.now.waiting, before, isCompared);
  showPlot("speed", found, (point) => point.megapixelsteps_per_second, found.now.megapixelsteps_per_second);
  const [note] = $('[data-plot="waiting"] figcaption').querySelectorAll("span");
  note?.remove();
  if (isCompared) $('[data-plot="waiting"] figcaption').append(el("span", {}, say(`horde.dotted-${found.span}`)));
  showNumbers(found);
}

function showPlot(name, found, of, now, before = null, isCompared = false) {
  const untilS = seconds(found.until);
  const values = [...valuesOf(found, of), { atS: untilS, value: now }];
  const then = isCompared ? valuesOf(before, of, untilS - seconds(before.until)) : [];
  const drawn = plot(values, then, { sinceS: seconds(found.since), untilS, stepS: found.step, earlierStepS: before?.step, isWhole: name === "waiting" });
  const paper = $(`[data-plot="${name}"] svg`);
  paper.setAttribute("aria-label", say(`horde.plot-label-${name}`, { value: short(now) }));
  draw(paper, drawn, { level: short, moment: (atS) => moment(atS, found.span), last: short(now) });
}

function valuesOf(found, of, shiftS = 0) {
  return found.points.map((point) => ({ atS: seconds(point.start) + found.step / 2 + shiftS, value: of(point) }));
}

function showNumbers(found) {
  const cell = (text) => el("td", {}, text);
  const rows = [...found.points].reverse().map((point) =>
    el("tr", {}, el("th", { scope: "row" }, el("time", { datetime: point.start }, when(point.start))), cell(number(point.waiting)), cell(number(point.waiting_max)), cell(number(point.workers)), cell(number(point.images)), cell(short(point.megapixelsteps_per_second))),
  );
  $("#number-rows").replaceChildren(...rows);
}

const seconds = (iso) => Date.parse(iso) / 1000;
const CLOCK = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });

function moment(atS, shownSpan) {
  return (COMPARED[shownSpan] ? CLOCK : DATE).format(new Date(atS * 1000));
}
