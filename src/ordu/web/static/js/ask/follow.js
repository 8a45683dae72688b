// Following the requests under way: by events, or by asking where those cannot be had.
//
// One tab does it for all tabs of this browser, because a browser opens few connections to a server; where
// a browser has no locks (plain http), each tab does, which costs calls and harms nothing.
import { call, pathOf } from "../api.js";
import * as kept from "./kept.js";
import { after, stageOf } from "./stage.js";
import { take } from "./take.js";

const LOST_AFTER_MS = 6_000;
const EXPLAIN_S = 20;
const EVENTS = ["queued", "processing", "position", "picture", "done"];

const followed = new Map(); // id -> the last of what is to be done, in order
const explained = new Map(); // id -> when it was asked last
const line = { held: 0, most: 3 }; // connections that wait for news

/** Follow what is under way, now and later, once no other tab does. */
export function startFollowing() {
  if (navigator.locks) navigator.locks.request("ordu.follow", () => new Promise(lead));
  else lead();
}

async function lead() {
  kept.onChange(async ({ store, id }) => {
    if (store === "requests" && !followed.has(id)) begin(await kept.find(store, id));
  });
  for (const record of await kept.all("requests")) begin(record);
  setInterval(explainAgain, EXPLAIN_S * 1000);
}

function begin(record) {
  if (record?.state !== "open" || followed.has(record.id)) return;
  followed.set(record.id, Promise.resolve());
  if (line.held < line.most) listen(record.id);
  else ask(record.id);
}

function listen(id) {
  line.held += 1;
  const source = new EventSource(pathOf(`/api/v2/generate/status/${id}/events`));
  let lost = null;
  const close = () => {
    clearTimeout(lost);
    source.close();
    line.held -= 1;
  };
  for (const name of EVENTS) {
    source.addEventListener(name, ({ data }) => {
      if (name === "done") close();
      inOrder(id, () => heard(id, name, JSON.parse(data)));
    });
  }
  source.onopen = () => {
    clearTimeout(lost);
    document.dispatchEvent(new CustomEvent("ordu:reached"));
  };
  source.onerror = () => {
    clearTimeout(lost);
    if (source.readyState === EventSource.CLOSED) {
      close();
      ask(id);
    } else lost = setTimeout(() => document.dispatchEvent(new CustomEvent("ordu:unreachable")), LOST_AFTER_MS);
  };
}

function inOrder(id, work) {
  followed.set(id, followed.get(id).then(() => work().catch(reportError)));
}

async function heard(id, name, data) {
  const before = await kept.find("requests", id);
  if (before?.state !== "open") return;
  if (name === "picture") await take(before, data);
  const record = await kept.change("requests", id, (now) => now && after(now, name, data, Date.now()));
  if (record && record.state !== "open") await kept.makeRoom();
  else if (name !== "picture") await explain(record);
}

async function ask(id) {
  const { poll } = await import("./poll.js");
  await poll(id, heard, line);
}

// Why it waits: how many machines could make it, and what would help where none can

async function explain(record) {
  if (!record?.told || stageOf(record) === "making") return;
  const last = explained.get(record.id) ?? 0;
  if (Date.now() - last < (EXPLAIN_S * 1000) / 2) return;
  explained.set(record.id, Date.now());
  try {
    const why = await call("GET", `/api/v2/generate/explain/${record.id}`);
    await kept.change("requests", record.id, (now) => now && { ...now, why, told: { ...now.told, is_possible: why.workers_able > 0 } });
  } catch (problem) {
    if (problem.name !== "Problem") throw problem; // the line is told all the same
  }
}

async function explainAgain() {
  for (const record of await kept.all("requests")) if (["nobody", "line"].includes(stageOf(record))) await explain(record);
}
