// Pictures and their requests, kept in this browser.
import { $, announce, busy, el, toast } from "../dom.js";
import { fill } from "./fill.js";
import * as kept from "./kept.js";
import { imageOf } from "./picture.js";
import { say } from "../say.js";
import { prompts } from "./stage.js";

const PAGE = 24;
const HASH = "#picture-";
const PHONE = matchMedia("(max-width: 760px)");

const underway = new Set(); // requests whose pictures are still shown above
let shown = PAGE;
let entries = []; // {picture, record}, the newest first
let planned = null;

/** Make this part of the page live. */
export function startGallery() {
  kept.onChange((change) => {
    if (change.notice) notice(change);
    planned ??= setTimeout(look);
  });
  document.addEventListener("ordu:folded", ({ detail }) => {
    underway.delete(detail.id);
    planned ??= setTimeout(look);
  });
  addEventListener("hashchange", open);
  PHONE.addEventListener("change", open);
  addEventListener("keydown", keys);
  $("#opened").addEventListener("cancel", (event) => (event.preventDefault(), close()));
  $("#more-pictures").addEventListener("click", () => more());
  $("#save-all").addEventListener("click", ({ target }) => busy(target, say("pictures.saving"), saveAll, () => {}));
  for (const button of document.querySelectorAll("#no-pictures button")) {
    button.addEventListener("click", () => fill({ prompt: button.textContent }));
  }
  look();
}

async function look() {
  planned = null;
  const requests = new Map((await kept.all("requests")).map((record) => [record.id, record]));
  for (const { id, state } of requests.values()) if (state === "open") underway.add(id);
  entries = (await kept.all("pictures"))
    .filter(({ request }) => requests.has(request) && !underway.has(request))
    .sort((a, b) => b.at - a.at)
    .map((picture) => ({ picture, record: requests.get(picture.request) }));
  $("#no-pictures").hidden = entries.length > 0;
  $("#pictures").hidden = $("#save-all").hidden = entries.length === 0;
  $("#more-pictures").hidden = entries.length <= shown;
  $("#pictures-count").textContent = entries.length ? say("pictures.kept-here", { count: entries.length }) : say("pictures.kept-none");
  showTiles();
  open();
}

// Tiles stay what they are when others come or go.
function showTiles() {
  const list = $("#pictures");
  const before = new Map([...list.children].map((tile) => [tile.dataset.id, tile]));
  const tiles = entries.slice(0, shown).map((entry) => {
    const made = `${entry.picture.alt}`;
    const old = before.get(entry.picture.id);
    return old?.dataset.made === made ? old : tileOf(entry, made);
  });
  if (tiles.some((tile, index) => list.children[index] !== tile) || tiles.length !== list.children.length) list.replaceChildren(...tiles);
}

function tileOf({ picture, record }, made) {
  const { id, width, height, model } = picture;
  const facts = `${width} × ${height}, ${model}`;
  const link = el("a", { href: HASH + id }, imageOf(picture, record.body, { loading: "lazy" }), el("span", { class: "said", "aria-hidden": "true" }, prompts(record.body)[0]), el("small", {}, facts));
  const tile = el("li", { class: "pic", "data-id": id, "data-made": made }, link);
  tile.style.setProperty("--r", Math.min(3, Math.max(0.4, width / height)).toFixed(3));
  return tile;
}

function more() {
  const first = shown;
  shown += PAGE;
  look().then(() => $("#pictures").children[first]?.firstChild.focus());
}

function notice({ notice: kind, count }) {
  $("#pictures-notice").textContent = kind === "let-go" ? say("pictures.let-go", { count }) : say("pictures.no-room");
  $("#pictures-notice").hidden = false;
}

// One of them opened: above the rows, or over the whole page of a phone

let current = null;

async function open() {
  const wanted = () => (location.hash.startsWith(HASH) ? entries.findIndex(({ picture }) => HASH + picture.id === location.hash) : -1);
  const { showOpened } = wanted() < 0 ? {} : await import("./opened.js");
  const at = wanted();
  const box = $("#opened");
  if (at < 0 || box.matches(":modal") !== PHONE.matches) box.close();
  if (at < 0) return left();
  const { id } = entries[at].picture;
  if (box.open && current === id) return;
  current = id;
  showOpened(box, entries[at], { remove, close, go: (step) => go(at + step), isFirst: at === 0, isLast: at === entries.length - 1 });
  if (!box.open) PHONE.matches ? box.showModal() : box.show();
  $("#opened-title").focus();
}

function left() {
  if (current) (tileOfId(current) ?? $("#pictures-title")).focus();
  current = null;
}

function tileOfId(id) {
  return document.querySelector(`[data-id="${CSS.escape(id)}"] a`);
}

function close() {
  history.replaceState(null, "", location.pathname + location.search);
  open();
}

function go(at) {
  if (!entries[at]) return;
  if (at >= shown) more();
  history.replaceState(null, "", HASH + entries[at].picture.id);
  open();
  announce(say("pictures.picture-of", { place: at + 1, count: entries.length }));
}

function keys(event) {
  if (!current || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [role=tablist], pre, dialog:not(#opened)")) return;
  const at = entries.findIndex(({ picture }) => picture.id === current);
  if (event.key === "ArrowLeft") go(at - 1);
  else if (event.key === "ArrowRight") go(at + 1);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
}

async function remove({ picture, record }) {
  close();
  await kept.drop("pictures", picture.id);
  toast(say("pictures.removed"), async () => {
    await kept.keep("requests", record);
    await kept.keep("pictures", picture);
  });
}

async function saveAll() {
  const { nameOf, save } = await import("./saving.js");
  const files = entries.filter(({ picture }) => picture.blob).map(({ picture, record }) => ({ name: nameOf(picture, record.body), blob: picture.blob }));
  const { zip } = await import("./zip.js");
  save(await zip(files), say("pictures.archive"));
}
