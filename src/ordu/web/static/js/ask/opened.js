// An opened picture: large, with what it was made of, what can be done with it, and the same as a program.
import { copies, el } from "../dom.js";
import { fill } from "./fill.js";
import * as kept from "./kept.js";
import { altOf, imageOf } from "./picture.js";
import { FILES, programs } from "./programs.js";
import { nameOf, save } from "./saving.js";
import { duration, number, say, when } from "../say.js";
import { prompts } from "./stage.js";

const VARIATIONS = 4;
const LANGUAGE = "ordu.program"; // which of the programs was looked at last

/** Fill the box with a picture; `acts` are remove, close and go(step). */
export function showOpened(box, entry, acts) {
  const { picture, record } = entry;
  const title = el("h3", { id: "opened-title", class: "said", tabindex: -1 }, prompts(record.body)[0]);
  const steps = el("div", { class: "row walk" },
    button(say("pictures.previous"), () => acts.go(-1), acts.isFirst),
    button(say("pictures.next"), () => acts.go(1), acts.isLast),
    button(say("common.close"), acts.close));
  const left = el("div", { class: "side" }, imageOf(picture, record.body), described(picture, record.body), again(record.body, picture, record.source));
  const right = el("div", { class: "side" }, title, actsOf(entry, acts), facts(entry), el("p", { class: "push" }, button(say("pictures.remove"), () => acts.remove(entry))));
  box.replaceChildren(steps, left, right);
}

function button(text, press, isOff = false, kind = "text") {
  return el("button", { type: "button", class: `b s ${kind}`, onclick: press, disabled: isOff }, text);
}

function actsOf({ picture, record }, acts) {
  const put = (body, source) => {
    acts.close();
    fill(body, source);
  };
  const { seed, seed_variation: _, ...params } = record.body.params ?? {};
  const many = { ...record.body, params: { ...params, n: VARIATIONS } };
  const from = { ...record.body, source_processing: "img2img", params: { ...params, n: 1 } };
  const row = el("div", { class: "row" }, button(picture.blob ? say("pictures.variations") : say("pictures.make-again"), () => put(many, record.source), false, ""));
  if (picture.blob) {
    row.append(button(say("pictures.start-from"), () => put(from, { picture: picture.blob, mask: null }), false, ""));
    row.append(button(say("pictures.save"), () => save(picture.blob, nameOf(picture, record.body)), false, ""));
  }
  return row;
}

function facts({ picture, record }) {
  const { steps, cfg_scale: guidance, sampler_name: sampler } = record.body.params ?? {};
  const [, unwanted] = prompts(record.body);
  const paid = record.told?.finished ? record.told.kudos_exact / record.told.finished : null;
  const machine = picture.seconds ? say("pictures.made-by-in", { machine: picture.machine, time: duration(picture.seconds) }) : picture.machine;
  const rows = [
    [say("pictures.fact-leave-out"), unwanted],
    [say("pictures.fact-model"), picture.model],
    [say("pictures.fact-size"), `${picture.width} × ${picture.height}`],
    [say("pictures.fact-steps"), steps && guidance !== undefined ? `${number(steps)}, ${number(guidance)}` : steps && number(steps)],
    [say("pictures.fact-sampler"), sampler && samplerName(sampler)],
    [say("pictures.fact-seed"), el("span", { class: "mono" }, picture.seed)],
    [say("pictures.fact-from"), record.source && say("pictures.own-picture")],
    [say("pictures.fact-made-by"), machine],
    [say("pictures.fact-made-at"), when(picture.at)],
    [say("pictures.fact-paid"), paid !== null && say("common.kudos", { amount: number(paid) })],
  ];
  return el("dl", { class: "spec" }, rows.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function samplerName(sampler) {
  const words = sampler.replace(/^k_/, "").replaceAll("_", " ").replace("dpmpp", "DPM++").replace("dpm ", "DPM ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// What is said of it to who cannot see it

function described(picture, body) {
  if (!picture.blob && !picture.link) return null;
  const field = el("input", { class: "in", id: "opened-alt", value: altOf(picture, body), maxlength: 500 });
  field.addEventListener("change", () => kept.change("pictures", picture.id, (now) => ({ ...now, alt: field.value.trim() || undefined })));
  const hint = el("p", { class: "hint" }, say("pictures.alt-hint"));
  return el("details", {}, el("summary", {}, say("pictures.alt")), el("label", { for: "opened-alt" }, say("pictures.alt-label")), field, hint);
}

// The same from a program

function again(body, picture, source) {
  const same = { ...body, params: { ...body.params, n: 1, seed: picture.seed }, models: [picture.model] };
  const texts = programs(same, source, document.documentElement.dataset.url);
  const code = el("pre", { class: "code", id: "program", role: "tabpanel", tabindex: 0 });
  const copy = button(say("common.copy"), () => {});
  copies(copy, () => code.textContent);
  const tabs = Object.keys(texts).map((name) => el("button", { type: "button", role: "tab", id: `program-${name}`, "aria-controls": "program" }, name));
  const choose = (tab) => {
    for (const each of tabs) {
      each.setAttribute("aria-selected", each === tab);
      each.tabIndex = each === tab ? 0 : -1;
    }
    code.textContent = texts[tab.textContent];
    code.setAttribute("aria-labelledby", tab.id);
    localStorage.setItem(LANGUAGE, tab.textContent);
  };
  const list = el("div", { class: "seg", role: "tablist", "aria-label": say("pictures.language") }, tabs);
  list.addEventListener("click", ({ target }) => target.role === "tab" && choose(target));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = tabs.at((tabs.indexOf(event.target) + step) % tabs.length);
    choose(next);
    next.focus();
  });
  choose(tabs.find(({ textContent }) => textContent === localStorage.getItem(LANGUAGE)) ?? tabs[0]);
  const saves = Object.entries(FILES).filter(([name]) => source?.[name]).map(([name, file]) => button(say("pictures.save-file", { file }), () => save(source[name], file)));
  return el("div", { class: "again" },
    el("div", { class: "row between" }, el("div", { class: "row" }, el("span", { class: "lab" }, say("pictures.same-from-program")), list), copy),
    code, el("p", { class: "hint" }, say("pictures.key-hint")), saves.length ? el("div", { class: "row" }, saves) : null);
}
