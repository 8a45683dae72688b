// What is told of a machine, in words: its state, what it offers, how fast it is.
import { el } from "../dom.js";
import { duration, number, say, sayWith } from "../say.js";

const MODELS_SHOWN = 5;
const DEMAND_SHOWN = 3;
const SIDE_STEP = 64; // pictures have sides of multiples of it

/** Its state: which lozenge, and a sentence. `why` is what the horde explains of it. */
export function stateOf(worker, why) {
  if (!worker.online) return { lozenge: "", words: say("lend.away") };
  const drawn = why.processing ?? 0;
  if (drawn > 0) {
    const drawing = el("span", { class: "lit-text" }, say("lend.drawing-now"));
    return { lozenge: "lit", words: sayWith("lend.drawing", { count: drawn, drawing }) };
  }
  if (worker.maintenance_mode) return { lozenge: "", words: say("lend.paused-by-you") };
  if (why.paused) return { lozenge: "", words: say("lend.paused-by-moderator") };
  return { lozenge: "idle", words: say("lend.ready") };
}

/** Whether the horde is asked why it gets no work: where its state does not say so already. */
export function isAsking(worker, why) {
  return worker.online && !worker.maintenance_mode && !why.paused;
}

/** Names and values for the list beside it. */
export function factsOf(worker, why) {
  return [
    [say("lend.models"), modelsOf(worker)],
    [say("lend.speed"), speedOf(worker, why)],
    [say("lend.largest"), largest(worker)],
    [say("lend.made"), number(worker.requests_fulfilled ?? 0, 0)],
    [say("lend.here"), duration(worker.uptime ?? 0)],
    ...(worker.info ? [[say("lend.info-of"), el("span", { class: "said" }, worker.info)]] : []),
  ];
}

/** The largest square it draws. */
export function largest(worker) {
  const side = Math.floor(Math.sqrt(worker.max_pixels ?? 0) / SIDE_STEP) * SIDE_STEP;
  return say("lend.size", { side: String(side) });
}

/** Models that are asked for and that it does not offer, in a sentence; empty when there are none. */
export function inDemand(why) {
  const lacking = (why.demand ?? []).filter((model) => !model.offered).slice(0, DEMAND_SHOWN);
  const models = lacking.map((model) => `${model.name} (${number(model.jobs, 0)})`).join(", ");
  return models && say("lend.in-demand", { models });
}

function modelsOf(worker) {
  const all = worker.models ?? [];
  const models = all.slice(0, MODELS_SHOWN).join(", ");
  const count = all.length - MODELS_SHOWN;
  return count > 0 ? say("lend.models-more", { models, count }) : models;
}

/** The API tells the speed as a sentence; its number is said in the page's language. */
function speedOf(worker, why) {
  const measured = /^([\d.]+) megapixelsteps per second$/.exec(worker.performance ?? "");
  if (measured === null) return say("lend.speed-none");
  const speed = Number(measured[1]);
  if (!worker.online || why.place === undefined) return say("lend.speed-said", { speed });
  return say("lend.speed-place", { speed, place: why.place, all: why.competitors + 1 });
}
