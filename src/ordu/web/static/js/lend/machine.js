// One machine of one's own: what it does, offers and earns, and what can be done with it.
import { el } from "../dom.js";
import { say } from "../say.js";
import { askForChange, askForPause, resume } from "./acts.js";
import { leave } from "./deleting.js";
import { drawn, earningsOf, sumOf, untold } from "./earnings.js";
import { factsOf, inDemand, isAsking, stateOf } from "./facts.js";
import { oddities } from "./results.js";

const REASONS_SHOWN = 3;

/** A machine on the page. `changed` looks at all again, `earned` is told when its earnings are known. */
export function makeMachine(worker, { changed, earned }) {
  const parts = partsOf(worker.id);
  const machine = { element: parts.element, worker, earned: null, isLeaving: false, update };
  let kudosBefore = null;
  let dayBefore = null;
  let wasLit = null;
  addActs(machine, parts, changed);

  /** Show it as it is now; returns whether it has earned something since the last time. */
  function update(now, why) {
    machine.worker = now;
    const { lozenge, words } = stateOf(now, why);
    set(parts.name, now.name);
    parts.lozenge.className = `dia ${lozenge}`;
    put(parts.state, words);
    showWhy(parts.why, now, why);
    showOdd(parts.odd, now.results);
    showFacts(parts.facts, factsOf(now, why));
    showActs(parts, now);
    const isLit = lozenge === "lit";
    if (now.kudos_rewards !== kudosBefore || today() !== dayBefore || isLit !== wasLit) showEarnings(isLit);
    const hasEarned = kudosBefore !== null && now.kudos_rewards !== kudosBefore;
    [kudosBefore, dayBefore, wasLit] = [now.kudos_rewards, today(), isLit];
    return hasEarned;
  }

  async function showEarnings(isLit) {
    const days = await earningsOf(worker.id);
    machine.earned = days && sumOf(days);
    const isOpen = parts.earn.querySelector("details")?.open ?? false;
    parts.earn.replaceChildren(...(days ? drawn(days, isLit) : untold(machine.worker.kudos_rewards ?? 0)));
    if (isOpen && days) parts.earn.querySelector("details").open = true;
    earned();
  }

  return machine;
}

function partsOf(id) {
  const title = `machine-${id}`;
  const act = (className = "") => el("button", { type: "button", class: `b s text ${className}`, "aria-describedby": title });
  const parts = {
    lozenge: el("span", { class: "dia" }),
    name: el("span"),
    state: el("p", { class: "state" }),
    why: el("div", { class: "why", hidden: true }),
    odd: el("div", { class: "why odd", hidden: true }),
    facts: el("dl", { class: "facts" }),
    earn: el("div", { class: "earn" }),
    pause: act(),
    resume: act(),
    change: act(),
    remove: act("danger"),
    problem: el("div", { class: "said-problem" }),
  };
  const heading = el("h3", { id: title }, parts.lozenge, parts.name);
  const acts = el("div", { class: "acts" }, parts.pause, parts.resume, parts.change, parts.remove);
  const about = el("div", { class: "about" }, heading, parts.state, parts.why, parts.odd, acts, parts.problem);
  parts.element = el("article", { class: "worker", "aria-labelledby": title }, about, parts.facts, parts.earn);
  return parts;
}

function addActs(machine, parts, changed) {
  const words = { pause: "lend.pause-act", resume: "lend.resume", change: "lend.change", remove: "lend.delete" };
  for (const [part, message] of Object.entries(words)) parts[part].textContent = say(message);
  parts.pause.addEventListener("click", () => askForPause(machine.worker, changed));
  parts.resume.addEventListener("click", () => resume(machine.worker, parts.resume, parts.problem, changed));
  parts.change.addEventListener("click", () => askForChange(machine.worker, changed));
  parts.remove.addEventListener("click", () => leave(machine, parts.remove, parts.problem, changed));
}

/** Pause or resume: whichever is the other one. Who had pressed one is at the other then. */
function showActs(parts, worker) {
  const isPaused = worker.maintenance_mode === true;
  const [here, gone] = isPaused ? [parts.resume, parts.pause] : [parts.pause, parts.resume];
  const hadFocus = document.activeElement === gone;
  here.hidden = false;
  gone.hidden = true;
  if (hadFocus) here.focus();
}

/** What the horde explains, in the language it speaks: English. */
function showWhy(box, worker, why) {
  box.hidden = !isAsking(worker, why);
  if (box.hidden) return;
  const title = why.processing || why.could_serve ? "lend.waits-title" : "lend.why-title";
  const others = (why.skipped ?? []).map((each) => each.text).filter((text) => !why.text.includes(text));
  const demand = inDemand(why);
  const made = [
    el("p", {}, el("b", {}, say(title)), " ", el("span", { lang: "en" }, why.text)),
    ...others.slice(0, REASONS_SHOWN).map((text) => el("p", { lang: "en" }, text)),
    ...(demand ? [el("p", {}, demand)] : []),
  ];
  fill(box, made);
}

/** What was odd about its pictures; nothing when all was in order. */
function showOdd(box, results) {
  const made = oddities(results);
  box.hidden = !made.length;
  fill(box, made);
}

function showFacts(list, facts) {
  fill(list, facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** Put these in, unless they are there already: who reads or selects is not disturbed. */
function fill(box, made) {
  const isSame = box.children.length === made.length && made.every((each, index) => each.isEqualNode(box.children[index]));
  if (!isSame) box.replaceChildren(...made);
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function put(element, words) {
  const text = typeof words === "string" ? words : words.textContent;
  if (element.textContent !== text) element.replaceChildren(words);
}

function today() {
  return new Date().toISOString().slice(0, 10);
}
