// One's own machines: who is here, kept up to date while the page is looked at.
import { call } from "../api.js";
import { $, explained } from "../dom.js";
import { say } from "../say.js";
import { key } from "../key.js";
import { me, refresh } from "../session.js";
import { arrived, forget, isWaiting, wait } from "./arrival.js";
import { rounded } from "./earnings.js";
import { makeMachine } from "./machine.js";
import { whileSeen } from "./watch.js";

const SHOWN_MAX = 20; // at first, and with every press of the button below
const AT_ONCE = 4; // machines asked about at the same time
const ROUND_S = 10; // or a second for each machine
const WAITING_S = 4; // while one is to come

let owner = null; // the key whose machines are shown
let machines = new Map();
let shownMax = SHOWN_MAX;
let seenFirst = null; // the ids of the first round; those that come later are always shown
const look = whileSeen(round, (problem) => tell(problem));

/** Show the machines of whoever is signed in. */
export function prepareMachines() {
  $("#more-machines").addEventListener("click", async () => {
    shownMax += SHOWN_MAX;
    await look();
  });
  document.addEventListener("ordu:me", () => owner !== key() && look());
  look();
}

/** One look at all of them; returns how many seconds until the next. */
async function round() {
  if (owner !== key()) startAnew();
  const user = owner && (await me()) && (await call("GET", "/api/v2/find_user"));
  if (!user) {
    explainEmpty(false);
    return null;
  }
  const ids = user.worker_ids ?? [];
  const isFirst = seenFirst === null;
  seenFirst ??= new Set(ids);
  forgetOthers(ids);
  await asked(wanted(ids), isFirst);
  tell(null);
  sum(ids);
  return Math.max(isWaiting() ? WAITING_S : ROUND_S, machines.size);
}

function startAnew() {
  owner = key();
  machines = new Map();
  seenFirst = null;
  shownMax = SHOWN_MAX;
  forget();
  $("#machines").replaceChildren();
  $("#machines-sum").textContent = "";
  $("#more-machines").hidden = true;
}

/** The ids to ask about: the first ones, and all that came while this page is open. */
function wanted(ids) {
  const old = ids.filter((id) => seenFirst.has(id));
  const count = old.length - shownMax;
  $("#more-machines").hidden = count <= 0;
  if (count > 0) $("#more-machines").textContent = say("lend.more-machines", { count: Math.min(count, SHOWN_MAX) });
  return [...old.slice(0, shownMax), ...ids.filter((id) => !seenFirst.has(id))];
}

function forgetOthers(ids) {
  for (const [id, machine] of machines) {
    if (ids.includes(id) || machine.isLeaving) continue;
    machine.element.remove();
    machines.delete(id);
  }
}

/** Ask about each, a few at once. The first round puts those that are here on top; later nothing moves. */
async function asked(ids, isFirst) {
  const key = owner;
  const found = [];
  const waiting = [...ids];
  const ask = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) found.push(await details(id));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  if (key !== owner) return;
  const there = found.filter((each) => each !== null);
  const byName = (one, other) => one.worker.name.localeCompare(other.worker.name);
  there.sort((one, other) => other.worker.online - one.worker.online || byName(one, other));
  const hasEarned = there.map(({ worker, why }) => shown(worker, why, isFirst)).some(Boolean);
  if (hasEarned && !isFirst) await refresh(); // the balance at the top
}

async function details(id) {
  try {
    const path = `/api/v2/workers/${encodeURIComponent(id)}`;
    const [worker, why] = await Promise.all([call("GET", path), call("GET", `${path}/explain`)]);
    return { worker, why };
  } catch (problem) {
    if (problem.status === 404) return null; // it was deleted meanwhile
    throw problem;
  }
}

/** Show one machine as it is now; returns whether it has earned something since. */
function shown(worker, why, isFirst) {
  let machine = machines.get(worker.id);
  const isKnown = machine !== undefined;
  const wasHere = machine?.worker.online ?? false;
  if (!isKnown) {
    machine = makeMachine(worker, { changed: look, earned: () => sum(null) });
    machines.set(worker.id, machine);
    $("#machines").append(machine.element);
  }
  if (!isFirst && worker.online && !wasHere) arrived(worker, why, isKnown || seenFirst.has(worker.id));
  return machine.update(worker, why);
}

// What stands around them

let idsInAll = 0;

/** How many there are and what they earned, and what to do when there is none. */
function sum(ids) {
  if (ids !== null) idsInAll = ids.length;
  const count = idsInAll;
  const earned = [...machines.values()].map((machine) => machine.earned);
  const isWhole = machines.size === count && earned.every((each) => each !== null);
  const kudos = isWhole ? rounded(earned.reduce((all, each) => all + each, 0)) : "";
  const words = isWhole ? say("lend.machines-earned", { count, kudos }) : say("lend.machines-sum", { count });
  $("#machines-sum").textContent = count ? words : "";
  if (![...machines.values()].some((machine) => machine.worker.online)) wait();
  explainEmpty(true);
}

function explainEmpty(isSignedIn) {
  $("#not-signed-in").hidden = isSignedIn;
  $("#no-machines").hidden = !isSignedIn || machines.size > 0;
}

function tell(problem) {
  $("#machines-problem").replaceChildren(...(problem === null || problem.status === 0 ? [] : [explained(problem)]));
}
