// Asking how far a request is, where its events cannot be had.
import { call, send } from "../api.js";
import * as kept from "./kept.js";

const PAUSE_S = 2;
const AFTER_PROBLEM_S = 10;
const LONG_POLL_S = 30;

/** Ask until a request is over, and hand what is told to `heard` as events; `line` counts connections that wait. */
export async function poll(id, heard, line) {
  let tag = null; // of what was told last; that it moved up in line is not in it
  for (;;) {
    const waits = tag && line.held < line.most ? 1 : 0;
    line.held += waits;
    let pause = PAUSE_S;
    try {
      const answer = await send("GET", `/api/v2/generate/check/${id}`, {
        headers: waits ? { Prefer: `wait=${LONG_POLL_S}`, "If-None-Match": tag } : {},
        timeoutMs: (LONG_POLL_S + 30) * 1000,
      });
      if (answer.status !== 304) {
        const check = await answer.json();
        if (await checked(id, check, heard)) return;
        tag = check.queue_position ? null : answer.headers.get("ETag");
      }
    } catch (problem) {
      if (problem.name !== "Problem") throw problem;
      if (problem.status === 404) return heard(id, "gone");
      pause = problem.retryAfterS ?? AFTER_PROBLEM_S;
    } finally {
      line.held -= waits;
    }
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
}

// Tells whether that was the end.
async function checked(id, check, heard) {
  const record = await kept.find("requests", id);
  if (record?.state !== "open") return true;
  if (check.finished > record.done.length) {
    const { generations } = await call("GET", `/api/v2/generate/status/${id}`);
    for (const generation of generations) await heard(id, "picture", generation);
  }
  const ended = check.faulted ? "faulted" : record.isCancelled ? "cancelled" : "done";
  if (check.done) await heard(id, "done", { ...check, state: ended });
  else await heard(id, check.processing ? "processing" : "queued", check);
  return check.done;
}
