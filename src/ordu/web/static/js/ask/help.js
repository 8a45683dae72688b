// What helps a request that no machine can make, or that failed: changes, asking again, letting it be.
import { call } from "../api.js";
import { el, toast } from "../dom.js";
import { fill } from "./fill.js";
import * as kept from "./kept.js";
import { say } from "../say.js";
import { stageOf } from "./stage.js";

const CHANGES_MAX = 3;

/** Show in `place` what could be done about a request that is stuck. */
export function showHelp(place, record) {
  const stage = stageOf(record);
  const changes = stage === "nobody" ? (record.why?.changes ?? []).slice(0, CHANGES_MAX) : [];
  const made = `${stage} ${JSON.stringify(changes)}`;
  if (place.dataset.made === made) return;
  place.dataset.made = made;
  const buttons = changes.map((change) => button(labelOf(record.body, change), () => useChange(record, change)));
  if (stage === "faulted" || stage === "expired") {
    buttons.push(button(say("pictures.ask-again"), () => fill(record.body, record.source)));
    buttons.push(button(say("pictures.dismiss"), () => dismiss(record.id), "text"));
  }
  place.replaceChildren(...buttons);
}

function button(text, press, kind = "") {
  return el("button", { type: "button", class: `b s ${kind}`, onclick: press }, text);
}

function labelOf(body, { subjects, set, workers }) {
  const words = subjects.map((subject) => (NAMES[subject] ?? (() => say("pictures.help-without", { what: subject })))(set));
  const changes = new Intl.ListFormat(document.documentElement.lang).format(words);
  return say("pictures.help", { changes, count: workers });
}

const NAMES = {
  models: () => say("pictures.help-models"),
  size: (set) => say("pictures.help-size", { width: String(set["params.width"]), height: String(set["params.height"]) }),
  steps: (set) => say("pictures.help-steps", { count: set["params.steps"] }),
  sampler_name: () => say("pictures.help-sampler"),
  source_image: () => say("pictures.help-source"),
  slow_workers: () => say("pictures.help-slow"),
  extra_slow_workers: () => say("pictures.help-slow"),
  trusted_workers: () => say("pictures.help-trusted"),
  workers: () => say("pictures.help-workers"),
  nsfw: () => say("pictures.help-nsfw"),
};

// The old request is taken back: nobody could make it.
async function useChange({ id, body, source }, change) {
  await kept.change("requests", id, (record) => ({ ...record, isCancelled: true }));
  await call("DELETE", `/api/v2/generate/status/${id}`);
  fill(changed(body, change.set), "source_image" in change.set ? null : source);
  toast(say("pictures.changed"));
}

function changed(body, set) {
  const made = structuredClone(body);
  for (const [name, value] of Object.entries(set)) {
    const steps = name.split(".");
    const last = steps.pop();
    const owner = steps.reduce((object, step) => (object[step] ??= {}), made);
    if (value === null) delete owner[last];
    else owner[last] = value;
  }
  return made;
}

async function dismiss(id) {
  await kept.change("requests", id, (record) => ({ ...record, dismissed: true }));
  await kept.makeRoom();
}
