// How far a request is: what it was told, as a record; and where that is. Nothing here waits or draws.
//
// A record: {id, body, source, kudos, askedAt, state, told, toldAt, begunAt, barFrom, endedAt, jobs, done, slots, given, why}.
// `state` is open, done, faulted, cancelled or expired; `jobs` run now; `done` are ids of pictures that came;
// `slots` says which of both has which frame; `given` is the machine that failed last; `why` an explanation.

/** The record of a request that was just placed. */
export function placed({ id, body, source, kudos }, now) {
  const slots = Array(body.params?.n ?? 1).fill(null);
  return { id, body, source, kudos, askedAt: now, state: "open", told: null, jobs: [], done: [], slots };
}

/** A record after an event of its request (see `get_async_events`). */
export function after(record, name, data, now) {
  if (name === "picture") {
    const done = record.done.includes(data.id) ? record.done : [...record.done, data.id];
    return seated({ ...record, done, given: null, jobs: record.jobs.filter(({ id }) => id !== data.id) });
  }
  if (name === "position") {
    const told = { ...record.told, queue_position: data.position, wait_time: data.wait_time };
    return { ...record, told, toldAt: now };
  }
  if (name === "gone") return { ...record, state: "expired", endedAt: now, jobs: [] };
  const next = { ...record, told: data, toldAt: now };
  if (name === "done") return seated({ ...next, state: data.state, endedAt: now, jobs: [] });
  next.jobs = running(record, data, now);
  if (data.restarted > (record.told?.restarted ?? 0)) Object.assign(next, { given: lost(record, next.jobs), barFrom: null });
  if (data.processing || data.finished) {
    next.begunAt ??= now;
    next.barFrom ??= now;
  }
  return seated(next);
}

/** Which stage that is: line, nobody, making, or how it ended. */
export function stageOf({ state, told }) {
  if (state !== "open") return state;
  if (told?.processing) return "making";
  if (told?.is_possible === false) return "nobody";
  return told?.finished ? "making" : "line";
}

/** Whether it is shown as under way: until it is over, and until its owner has seen that it failed. */
export function isShown({ state, dismissed }) {
  return state === "open" || (["faulted", "expired"].includes(state) && !dismissed);
}

/** How much of it is made, of 100; held at 95 until all is there. */
export function share({ told, toldAt, barFrom, body }, now) {
  const whole = (toldAt - barFrom) / 1000 + told.wait_time;
  const passed = barFrom && whole > 0 ? ((now - barFrom) / 1000 / whole) * 100 : 0;
  return Math.max((told.finished / (body.params?.n ?? 1)) * 95, Math.min(95, passed));
}

/** How many seconds are left, at least one. */
export function secondsLeft({ told, toldAt }, now) {
  return Math.max(1, Math.round(told.wait_time - (now - toldAt) / 1000));
}

/** What of the prompt is wanted, and what is not. */
export function prompts({ prompt }) {
  const [wanted, unwanted = ""] = prompt.split("###");
  return [wanted.trim(), unwanted.trim()];
}

function running(record, data, now) {
  const before = new Map(record.jobs.map((job) => [job.id, job]));
  const jobs = data.jobs ?? Array.from({ length: data.processing }, (_, at) => ({ id: `some-${at}`, worker_name: "" }));
  return jobs.map((job) => before.get(job.id) ?? { id: job.id, machine: job.worker_name, since: now });
}

function lost(record, jobs) {
  const gone = record.jobs.find(({ id }) => !jobs.some((job) => job.id === id));
  return { machine: gone?.machine ?? "" };
}

// Whoever has a frame keeps it; others get the first that is free.
function seated(record) {
  const ids = [...record.done, ...record.jobs.map(({ id }) => id)];
  const slots = record.slots.map((id) => (ids.includes(id) ? id : null));
  for (const id of ids) if (!slots.includes(id) && slots.includes(null)) slots[slots.indexOf(null)] = id;
  return { ...record, slots };
}
