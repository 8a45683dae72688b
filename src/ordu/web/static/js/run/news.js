// Run it, news: written, changed and taken back, with a look at it before.
import { call } from "../api.js";
import { announce, busy, el, explained } from "../dom.js";
import { say, when } from "../say.js";
import { ask, choice, field } from "./parts.js";

const PATH = "/api/v2/status/news";
const IMPORTANCES = ["Information", "Upcoming", "Crisis", "Integration", "Workers"];

/** Show them. */
export async function open(place, { head }) {
  const list = el("div", {});
  const it = { list, editing: null };
  it.load = async () => {
    const pieces = await call("GET", PATH);
    head(say("run.news-lead", { count: pieces.length }), say("run.news-how"));
    list.replaceChildren(pieces.length ? el("ol", { class: "pieces" }, pieces.map((piece) => itemOf(piece, it))) : el("p", { class: "muted" }, say("run.no-news")));
  };
  place.append(formOf(it), el("section", { class: "block" }, el("h2", {}, say("run.published")), list));
  await it.load();
}

function formOf(it) {
  const inputs = {
    title: el("input", { class: "in", maxlength: "200", autocomplete: "off" }),
    newspiece: el("textarea", { class: "in said", rows: "5", maxlength: "10000", required: true }),
    importance: choice(IMPORTANCES.map((name) => [name, say(`run.importance-${name}`)])),
    tags: el("input", { class: "in", maxlength: "1000", autocomplete: "off" }),
    more_info_urls: el("textarea", { class: "in mono", rows: "2", maxlength: "10000" }),
  };
  const trouble = el("div", { "aria-live": "polite" });
  const preview = el("article", { class: "piece" });
  const heading = el("h2", { tabindex: "-1" }, say("run.write-news"));
  const go = el("button", { type: "submit", class: "b main" }, say("run.publish"));
  const stop = el("button", { type: "button", class: "b text", hidden: true }, say("common.cancel"));
  const look = () => preview.replaceChildren(...shown(bodyOf(inputs)));
  const form = el("form", { class: "stack" }, ...Object.entries(inputs).map(([name, input]) => field(say(`run.news-${name}`), input, hintOf(name))), trouble, el("div", { class: "row" }, go, stop));
  it.edit = (piece) => {
    it.editing = piece?.id ?? null;
    fill(inputs, piece);
    heading.textContent = say(piece ? "run.edit-news" : "run.write-news");
    go.textContent = say(piece ? "run.save" : "run.publish");
    stop.hidden = !piece;
    trouble.replaceChildren();
    look();
    if (piece) heading.focus();
  };
  stop.addEventListener("click", () => it.edit(null));
  form.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    busy(go, say("run.busy"), () => publish(it, inputs), (problem) => trouble.replaceChildren(explained(problem), ...wrong(problem)));
  });
  look();
  return el("section", { class: "split gap" }, el("div", {}, heading, form), el("aside", { class: "insp", "aria-label": say("run.preview") }, el("h2", { class: "lab" }, say("run.preview")), preview));
}

function hintOf(name) {
  return { newspiece: say("run.news-text-hint"), tags: say("run.news-tags-hint"), more_info_urls: say("run.news-urls-hint") }[name] ?? null;
}

function fill(inputs, piece) {
  inputs.title.value = piece?.title ?? "";
  inputs.newspiece.value = piece?.newspiece ?? "";
  inputs.importance.value = piece?.importance ?? IMPORTANCES[0];
  inputs.tags.value = (piece?.tags ?? []).join(", ");
  inputs.more_info_urls.value = (piece?.more_info_urls ?? []).join("\n");
}

function bodyOf(inputs) {
  const split = (text, by) => text.split(by).map((part) => part.trim()).filter(Boolean);
  return {
    title: inputs.title.value.trim(),
    newspiece: inputs.newspiece.value.trim(),
    importance: inputs.importance.value,
    tags: split(inputs.tags.value, ","),
    more_info_urls: split(inputs.more_info_urls.value, /\s+/),
  };
}

async function publish(it, inputs) {
  const isNew = it.editing === null;
  await call("PUT", PATH, { body: { ...bodyOf(inputs), id: it.editing ?? undefined } });
  it.edit(null);
  await it.load();
  announce(say(isNew ? "run.was-published" : "run.was-saved"));
}

function wrong(problem) {
  return Object.entries(problem.errors).map(([name, what]) => el("p", { class: "err" }, `${name}: ${what}`));
}

function itemOf(piece, it) {
  const edit = el("button", { type: "button", class: "b s", "aria-label": say("run.edit-it", { name: nameOf(piece) }), onclick: () => it.edit(piece) }, say("run.edit"));
  const take = el("button", { type: "button", class: "b s danger", "aria-label": say("run.take-it-back", { name: nameOf(piece) }), onclick: () => takeBack(piece, it) }, say("run.take-back"));
  return el("li", {}, el("time", { datetime: piece.date_published, class: "muted small" }, when(`${piece.date_published}T12:00:00`, "day")), el("article", { class: "piece" }, shown(piece)), el("div", { class: "row acts" }, edit, take));
}

function nameOf(piece) {
  return piece.title || piece.newspiece.slice(0, 40);
}

function takeBack(piece, it) {
  ask({
    title: say("run.take-back-title"),
    text: say("run.take-back-text", { name: nameOf(piece) }),
    label: say("run.take-back"),
    isReasonNeeded: false,
    work: async (reason) => {
      await call("DELETE", PATH, { query: { id: piece.id, reason } });
      if (it.editing === piece.id) it.edit(null);
      await it.load();
      announce(say("run.was-taken-back"));
    },
  });
}

// A piece as people read it: plain text, in which only addresses of the web are links.
function shown(piece) {
  const head = el("p", { class: "small muted" }, [say(`run.importance-${piece.importance}`), ...piece.tags.map((tag) => `#${tag}`)].join("  "));
  const text = piece.newspiece.split(/\n{2,}/).map((part) => el("p", {}, linked(part)));
  const more = piece.more_info_urls.filter((url) => /^https?:\/\//.test(url)).map((url) => el("li", {}, link(url)));
  return [head, piece.title ? el("h3", {}, piece.title) : null, ...text, more.length ? el("ul", { class: "small" }, more) : null].filter(Boolean);
}

function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)])/).map((part, index) => (index % 2 ? link(part) : part));
}

function link(url) {
  return el("a", { href: url, rel: "noopener noreferrer nofollow" }, url);
}
