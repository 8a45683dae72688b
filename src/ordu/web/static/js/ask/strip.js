// The strip of one request: four stages on a rule, what is said of the present one, a frame for each picture.
import { el } from "../dom.js";
import { duration, number, say, sayWith, when } from "../say.js";
import { imageOf } from "./picture.js";
import { prompts, secondsLeft, share, stageOf } from "./stage.js";

const LOZENGES_MAX = 8;
const FRAME_SIDE = 197.6; // pixels of a square one; others have its area
const AT = { line: 2, nobody: 2, making: 3, done: 4, cancelled: 4, faulted: 3, expired: 2 };

/** The strip of a record: its `element`, and `show(record, pictures, now)` puts what is into it. */
export function makeStrip(record, cancel) {
  const [prompt] = prompts(record.body);
  const title = el("h3", { class: "said", id: `asked-${record.id}`, tabindex: -1 }, prompt);
  const about = el("p", { class: "small muted" });
  const button = el("button", { type: "button", class: "b s text" }, say("common.cancel"));
  button.addEventListener("click", () => cancel(button));
  const stages = [1, 2, 3, 4].map(() => el("li", {}, el("span")));
  const strip = el("ol", { class: "strip", "aria-label": say("pictures.progress") }, stages);
  const help = el("div", { class: "help" });
  const frames = el("ol", { class: "frames", "aria-label": say("pictures.frames") });
  const head = el("div", { class: "ask-head" }, el("div", {}, title, about), button);
  const element = el("article", { class: "ask", "aria-labelledby": title.id }, head, strip, help, frames);

  const show = (now, pictures, nowMs) => {
    setWords(about, aboutOf(now, nowMs));
    if (now.state !== "open" && document.activeElement === button) title.focus();
    button.hidden = now.state !== "open" || Boolean(now.isCancelled);
    showStages(strip, stages, now, nowMs);
    frames.hidden = now.state === "faulted" || now.state === "expired";
    if (!frames.hidden) showFrames(frames, now, pictures);
  };
  return { element, help, show };
}

/** What is said of the present stage, as a fragment. */
export function sentence(record, now) {
  const said = el("span");
  said.append(...between(SENTENCES[stageOf(record)](record, now)));
  return said;
}

function aboutOf({ body, askedAt }, now) {
  const { n = 1, width = 512, height = 512 } = body.params ?? {};
  const model = body.models?.length ? body.models.join(", ") : say("pictures.any-model");
  return say("pictures.asked-about", { count: n, width: String(width), height: String(height), model, ago: duration((now - askedAt) / 1000) });
}

// The rule

function showStages(strip, stages, record, now) {
  const stage = stageOf(record);
  const at = AT[stage];
  strip.className = `strip at-${at} is-${stage}`;
  const words = [
    say("pictures.asked-at", { time: when(record.askedAt, "time") }),
    record.begunAt ? say("pictures.waited", { time: duration((record.begunAt - record.askedAt) / 1000) }) : say("pictures.stage-line"),
    record.begunAt && record.endedAt ? say("pictures.made-in", { time: duration((record.endedAt - record.begunAt) / 1000) }) : say("pictures.stage-machine"),
    say("pictures.stage-done"),
  ];
  stages.forEach((item, index) => {
    const place = index + 1;
    item.className = place < at ? "past" : place === at ? "now" : "";
    if (place === at) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
    setWords(item.lastChild, place === at ? sentence(record, now) : words[index]);
  });
  drawn(stages[1], stage === "line", ".queue", () => el("span", { class: "queue", "aria-hidden": "true" }), (queue) => showQueue(queue, record));
  const makeBar = () => el("progress", { max: 100, "aria-label": say("pictures.being-made") });
  drawn(stages[2], stage === "making", "progress", makeBar, (bar) => (bar.value = Math.round(share(record, now))));
}

// Something before the words of a stage, there only while it is true.
function drawn(item, is, selector, make, fill) {
  const found = item.querySelector(selector);
  if (!is) return found?.remove();
  const shown = found ?? make();
  if (!found) item.prepend(shown);
  fill(shown);
}

function showQueue(queue, { told }) {
  const many = Math.min(LOZENGES_MAX, told?.queue_position ?? 1);
  if (queue.childElementCount === many) return;
  queue.replaceChildren(...Array.from({ length: many }, (_, at) => el("span", { class: at ? "dia" : "dia you" })));
}

// Words

const SENTENCES = {
  line: (record, now) => [...inLine(record, now), given(record)],
  nobody: (record, now) => nobody(record, now),
  making: (record, now) => [made(record), ...atWork(record, now), given(record)],
  done: (record) => [bold(say("pictures.done-for", { time: duration((record.endedAt - record.askedAt) / 1000), kudos: number(record.told?.kudos_exact ?? 0) }))],
  cancelled: (record) => [bold(say("pictures.cancelled", { count: record.done.length }))],
  faulted: (record) => [bold(say("pictures.faulted")), say("pictures.paid-so-far", { kudos: number(record.told?.kudos_exact ?? 0) })],
  expired: (record) => [bold(say("pictures.expired")), say("pictures.paid-so-far", { kudos: number(record.told?.kudos_exact ?? 0) })],
};

function inLine(record, now) {
  const { told, why } = record;
  if (!told?.queue_position) return [bold(say("pictures.just-asked"))];
  const ahead = told.queue_position - 1;
  const place = bold(ahead ? say("pictures.place", { place: told.queue_position }) : say("pictures.place-next"));
  const wait = duration(secondsLeft(record, now));
  return [
    sayWith("pictures.in-line", { place, wait }),
    ahead > 0 && say("pictures.ahead", { count: ahead }),
    why?.workers_able > 0 && say("pictures.able", { count: why.workers_able }),
  ];
}

function made({ told, body }) {
  const all = body.params?.n ?? 1;
  return told.finished && all > 1 ? bold(say("pictures.made", { count: told.finished, all })) : null;
}

function atWork(record, now) {
  const { told, jobs, isCancelled } = record;
  if (isCancelled) return [bold(say("pictures.cancelling", { count: jobs.length }))];
  if (!jobs.length) return inLine(record, now);
  const wait = duration(secondsLeft(record, now));
  const names = [...new Set(jobs.map(({ machine }) => machine))];
  const machine = el("span", { class: "lit-text" }, names[0]);
  const work = names.length === 1 && names[0] ? sayWith("pictures.one-at-work", { machine, wait }) : say("pictures.at-work", { count: jobs.length, wait });
  return [work, told.waiting > 0 && say("pictures.still-wait", { count: told.waiting })];
}

function given(record) {
  if (!record.given) return null;
  return record.given.machine ? say("pictures.given", { machine: record.given.machine }) : say("pictures.given-by-one");
}

function nobody({ told, toldAt, why, body }) {
  const { width = 512, height = 512 } = body.params ?? {};
  const reason = why?.workers_online ? why.why_not?.[0]?.reason : "none";
  const reasons = {
    none: () => say("pictures.none-here"),
    models: () => say("pictures.none-offers", { models: body.models.join(", ") }),
    "max-pixels": () => say("pictures.none-so-large", { width: String(width), height: String(height) }),
    resting: () => say("pictures.none-free"),
  };
  const because = (reasons[reason?.replace("_", "-")] ?? (() => say("pictures.none-can")))();
  return [bold(say("pictures.nobody")), because, say("pictures.kept-until", { time: when(toldAt + told.wait_time * 1000, "time") })];
}

function bold(text) {
  return el("b", {}, text);
}

function between(parts) {
  return parts.filter(Boolean).flatMap((part, index) => (index ? [" ", part] : [part]));
}

function setWords(element, words) {
  const text = typeof words === "string" ? words : words.textContent;
  if (element.textContent !== text) element.replaceChildren(words);
}

// Frames

function showFrames(list, { id, body, slots, jobs, state, done }, pictures) {
  const { width = 512, height = 512 } = body.params ?? {};
  if (list.childElementCount !== slots.length) {
    list.style.setProperty("--r", width / height);
    list.style.setProperty("--w", `${Math.round(FRAME_SIDE * Math.sqrt(width / height))}px`);
    list.replaceChildren(...slots.map(() => el("li", { class: "frame" })));
  }
  const unnamed = jobs.filter((job) => !slots.includes(job.id));
  slots.forEach((slot, index) => {
    const frame = list.children[index];
    const picture = done.includes(slot) ? pictures.get(slot) : null;
    const job = picture ? null : (jobs.find((each) => each.id === slot) ?? (slot ? null : unnamed.shift()));
    const kind = picture ? `done ${slot}` : job ? `dev ${job.machine}` : state === "open" ? "waits" : "none";
    if (frame.dataset.kind === kind) return;
    frame.dataset.kind = kind;
    frame.className = picture ? "frame done" : job ? "frame dev" : "frame";
    const tag = job ? el("span", { class: "tag" }, el("span", { class: "dia lit" }), job.machine || say("pictures.a-machine")) : state === "open" && el("span", { class: "tag plain" }, say("pictures.waiting"));
    frame.replaceChildren(...[picture ? imageOf(picture, body) : tag].filter(Boolean));
  });
}
