// Run it, health: every figure there is, with what is wrong in words.
import { call } from "../api.js";
import { el } from "../dom.js";
import { duration, number, say, when } from "../say.js";
import { bytes, figures, troubles } from "./figures.js";
import { facts } from "./parts.js";

/** Show it. */
export async function open(place, { head }) {
  const [health, modes] = await Promise.all([call("GET", "/api/v2/operations/health"), call("GET", "/api/v2/status/modes")]);
  const found = troubles(health, modes);
  head(found.length ? say("run.things-wrong", { count: found.length }) : say("run.all-well"));
  const wrong = found.map((each) => el("li", {}, each.link && each.link !== "#health" ? el("a", { href: each.link }, each.text) : each.text));
  place.append(el("ul", { class: "also gap-s" }, wrong), figures(health));
  place.append(el("div", { class: "two gap-l" }, group(say("run.work"), workOf(health)), group(say("run.server"), serverOf(health)), group(say("run.books"), booksOf(health)), group(say("run.pictures"), picturesOf(health))));
}

function group(title, pairs) {
  return el("section", {}, el("h2", {}, title), facts(pairs));
}

function workOf(health) {
  return [
    [say("run.workers-here"), number(health.workers, 0)],
    [say("run.pictures-waiting"), number(health.pictures_waiting, 0)],
    [say("run.jobs-running"), number(health.jobs_running, 0)],
    [say("run.pictures-day"), number(health.pictures_day, 0)],
    [say("run.faulted-day"), number(health.faulted_day, 0)],
    [say("run.accounts"), number(health.users, 0)],
    [say("run.webhooks-waiting"), number(health.webhooks_waiting, 0)],
  ];
}

function serverOf(health) {
  return [
    [say("run.version"), health.version],
    [say("run.uptime"), duration(health.uptime_s)],
    [say("run.database"), say("run.database-and-schema", { database: health.database === "sqlite" ? "SQLite" : "PostgreSQL", schema: health.schema })],
    [say("run.writes-waiting"), number(health.writes_waiting, 0)],
  ];
}

function booksOf({ books }) {
  if (books === null) return [[say("run.state"), say("run.not-read-yet")]];
  const state = books.balanced === null ? say("run.by-command") : books.balanced ? say("run.balanced") : say("run.wrong", { count: books.wrong });
  return [
    [say("run.state"), state],
    [say("run.entries"), number(books.entries, 0)],
    [say("run.read-at"), when(books.checked)],
  ];
}

function picturesOf({ pictures }) {
  if (pictures.disk_bytes === null) return [[say("run.place"), pictures.place === "s3" ? "S3" : say("run.not-told")]];
  return [
    [say("run.place"), say("run.folder")],
    [say("run.disk-size"), bytes(pictures.disk_bytes)],
    [say("run.disk-free"), bytes(pictures.free_bytes)],
    [say("run.of-pictures"), pictures.pictures_bytes === null ? null : bytes(pictures.pictures_bytes)],
  ];
}
