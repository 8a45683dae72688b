// What the composer's form says, as the body of a request, and back. The form is the only state.
import { say } from "../say.js";

const NEGATIVE = "###"; // stands before what should not be in the picture
const LORA = /^(.+?)(?:\s+(-?\d+(?:[.,]\d+)?))?$/;
const LORA_STRENGTH_MAX = 5;

const number = { read: ([field]) => (field.value === "" ? undefined : Number(field.value)), write: (fields, value) => (fields[0].value = value) };
const text = { read: ([field]) => field.value.trim() || undefined, write: (fields, value) => (fields[0].value = value) };
const flag = { read: ([field]) => field.checked, write: ([field], value) => (field.checked = value) };
const list = {
  read: (fields) => fields.filter((field) => field.checked).map((field) => field.value),
  write: (fields, values) => fields.forEach((field) => (field.checked = values.includes(field.value))),
};
const loras = {
  read: ([field]) => linesOf(field.value).map(loraOf),
  write: ([field], values) => (field.value = values.map(({ name, model }) => `${name} ${model ?? 1}`).join("\n")),
};
const PARAMS = {
  n: number, width: number, height: number, steps: number, sampler_name: text, cfg_scale: number, karras: flag, seed: text,
  seed_variation: number, clip_skip: number, tiling: flag, hires_fix: flag, hires_fix_denoising_strength: number,
  post_processing: list, loras, control_type: text, denoising_strength: number,
};
const OUTER = {
  models: list, nsfw: flag, censor_nsfw: flag, trusted_workers: flag, slow_workers: flag, extra_slow_workers: flag,
  replacement_filter: flag, allow_downgrade: flag, source_processing: text,
};
// What says something only beside something else.
const ONLY_WITH = {
  seed_variation: ({ params }) => params.seed !== undefined && params.n > 1,
  hires_fix_denoising_strength: ({ params }) => params.hires_fix,
  control_type: (_, source) => source,
  denoising_strength: (_, source) => source,
  source_processing: (_, source) => source,
};

/** A field that says something no request can say; `field` is its name. */
export class Unreadable extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** The fields of a name. */
export function fieldsOf(form, name) {
  return [...form.querySelectorAll(`[name="${name}"]`)];
}

/** The body that the form says; pictures not in it. Throws Unreadable. */
export function bodyOf(form, source) {
  const negative = form.elements.negative.value.trim();
  const prompt = form.elements.prompt.value.trim();
  const body = { prompt: negative ? `${prompt} ${NEGATIVE} ${negative}` : prompt, params: read(form, PARAMS), ...read(form, OUTER), r2: true };
  for (const [name, holds] of Object.entries(ONLY_WITH)) {
    if (!holds(body, source)) delete (name in PARAMS ? body.params : body)[name];
  }
  return body;
}

/** Have the form say a body; what the body does not say is as usual. */
export function fill(form, body) {
  form.reset();
  const [prompt, ...negative] = (body.prompt ?? "").split(NEGATIVE);
  form.elements.prompt.value = prompt.trim();
  form.elements.negative.value = negative.join(NEGATIVE).trim();
  write(form, PARAMS, body.params ?? {});
  write(form, OUTER, body);
}

/** A body with some of its values set, by dotted names; null is what is not said. */
export function withSet(body, values) {
  const changed = { ...body, params: { ...body.params } };
  for (const [path, value] of Object.entries(values)) {
    const [outer, inner] = path.split(".");
    if (inner) changed[outer][inner] = value;
    else changed[outer] = value;
  }
  return changed;
}

function read(form, table) {
  const said = Object.entries(table).map(([name, kind]) => [name, kind.read(fieldsOf(form, name))]);
  return Object.fromEntries(said.filter(([name, value]) => value !== undefined && (name === "models" || value.length !== 0)));
}

function write(form, table, values) {
  for (const [name, kind] of Object.entries(table)) {
    if (values[name] !== undefined && values[name] !== null) kind.write(fieldsOf(form, name), values[name]);
  }
}

function linesOf(words) {
  return words.split("\n").map((line) => line.trim()).filter(Boolean);
}

function loraOf(line) {
  const [, name, strength = "1"] = line.match(LORA);
  const model = Number(strength.replace(",", "."));
  if (Math.abs(model) > LORA_STRENGTH_MAX) throw new Unreadable("loras", say("ask.bad-lora", { line }));
  return { name, model, clip: model, is_version: /^\d+$/.test(name) };
}
