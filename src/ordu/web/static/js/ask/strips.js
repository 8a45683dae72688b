// The strips of the requests under way: made, renewed each second, told, folded away when it is over.
import { call } from "../api.js";
import { $, announce, busy, explained } from "../dom.js";
import { startFollowing } from "./follow.js";
import * as kept from "./kept.js";
import { shortened } from "./picture.js";
import { refresh as refreshMe } from "../session.js";
import { key } from "../key.js";
import { say } from "../say.js";
import { isShown, prompts, stageOf } from "./stage.js";
import { makeStrip, sentence } from "./strip.js";

const DONE_MS = 4_000; // how long an end is told before its strip folds away
const ANNOUNCE_MS = 15_000;
const TICK_MS = 1_000;
const STUCK = ["nobody", "faulted", "expired"];

const strips = new Map(); // request id -> {strip, stage, …}
let records = [];
let pictures = new Map();
let planned = null;

/** Show what is under way, now and later, and follow it. */
export function startStrips() {
  kept.onChange(() => (planned ??= setTimeout(look)));
  setInterval(() => strips.size && !document.hidden && show(), TICK_MS);
  startFollowing();
  look();
}

async function look() {
  planned = null;
  records = (await kept.all("requests")).sort((a, b) => a.askedAt - b.askedAt);
  const wanted = records.filter(isShown);
  const isAny = wanted.length || strips.size;
  pictures = new Map(isAny ? (await kept.all("pictures")).map((picture) => [picture.id, picture]) : []);
  for (const record of wanted) if (!strips.has(record.id)) add(record);
  for (const id of strips.keys()) if (!records.some((record) => record.id === id)) remove(id);
  show();
}

function add(record) {
  const strip = makeStrip(record, (button) => cancel(record.id, button));
  strips.set(record.id, { ...strip, stage: null, saidAt: 0 });
  $("#underway-list").append(strip.element);
}

function show() {
  const now = Date.now();
  for (const record of records) {
    const strip = strips.get(record.id);
    if (!strip) continue;
    strip.show(record, pictures, now);
    helped(strip, record);
    tell(strip, record, now);
  }
  const section = $("#underway");
  section.hidden = strips.size === 0;
  $("#underway-count").textContent = say("pictures.requests", { count: strips.size });
}

// What could be done about one that is stuck
async function helped(strip, record) {
  if (!strip.isHelped && !STUCK.includes(stageOf(record))) return;
  strip.isHelped = true;
  (await import("./help.js")).showHelp(strip.help, record);
}

// On each change of stage, and else when something changed, but not too often.
function tell(strip, record, now) {
  const stage = stageOf(record);
  const gist = `${stage} ${record.told?.queue_position} ${record.told?.finished} ${record.given?.machine}`;
  const isNew = stage !== strip.stage;
  if (gist === strip.gist || !(isNew || now - strip.saidAt > ANNOUNCE_MS)) return;
  const wasShown = strip.stage !== null;
  Object.assign(strip, { stage, gist, saidAt: now });
  announce(say("pictures.announced", { prompt: shortened(prompts(record.body)[0]), what: sentence(record, now).textContent }));
  if (!isNew || record.state === "open") return;
  if (key() !== null && wasShown) refreshMe().catch(() => {}); // the kudos at the top
  if (record.state === "done" || record.state === "cancelled") setTimeout(() => fold(record.id), record.done.length ? DONE_MS : 0);
  else folded(record.id);
}

async function cancel(id, button) {
  await busy(
    button,
    say("pictures.cancelling-button"),
    async () => {
      await kept.change("requests", id, (record) => ({ ...record, isCancelled: true }));
      await call("DELETE", `/api/v2/generate/status/${id}`);
    },
    (problem) => {
      if (problem.status !== 404) {
        kept.change("requests", id, (record) => ({ ...record, isCancelled: false }));
        strips.get(id)?.help.replaceChildren(explained(problem));
      }
    },
  );
}

// When it is over

async function fold(id) {
  const { element } = strips.get(id) ?? {};
  if (!element) return;
  if (element.matches(":focus-within")) $("#pictures-title").focus();
  element.style.height = `${element.offsetHeight}px`;
  element.classList.add("folds");
  void element.offsetHeight; // so that the height has something to come from
  element.style.height = "0";
  const motion = element.getAnimations().map((animation) => animation.finished);
  await Promise.allSettled(motion);
  remove(id);
  show();
}

function remove(id) {
  strips.get(id)?.element.remove();
  strips.delete(id);
  folded(id);
}

function folded(id) {
  document.dispatchEvent(new CustomEvent("ordu:folded", { detail: { id } }));
}
