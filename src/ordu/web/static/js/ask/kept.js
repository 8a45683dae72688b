// What this browser keeps: requests and their pictures, in IndexedDB, within bounds.
//
// A request is {id, body, source, kudos, askedAt, state, …} (see stage.js), a picture
// {id, request, at, blob, seed, model, machine, …} (see take.js). What the browser has no room for is
// kept until the page is closed. Every tab hears of every change: `onChange`.

const PICTURES_MAX = 500;
const BYTES_MAX = 300_000_000;
const LET_GO = 10; // pictures at once when the browser has no room
const STORES = ["requests", "pictures"];

const unsaved = { requests: new Map(), pictures: new Map() };
const tabs = new BroadcastChannel("ordu.kept");
const heard = new EventTarget();
tabs.onmessage = ({ data }) => tell(data, false);
let opened = null;
let isFull = false;

/** Call `listener({store, id})` after each change, whichever tab made it; `notice` says what was let go. */
export function onChange(listener) {
  heard.addEventListener("change", (event) => listener(event.detail));
}

/** All of a store, in no order. */
export async function all(store) {
  const saved = (await inStore(store, "readonly", (records) => records.getAll())) ?? [];
  return [...saved.filter(({ id }) => !unsaved[store].has(id)), ...unsaved[store].values()];
}

/** One of a store, or undefined. */
export async function find(store, id) {
  return unsaved[store].get(id) ?? inStore(store, "readonly", (records) => records.get(id));
}

/** Keep this, in place of what had its id. */
export async function keep(store, record) {
  await written(store, record);
  tell({ store, id: record.id });
}

/** Keep what a function makes of what is kept now, unless it makes nothing; in one step, whatever other tabs do. */
export async function change(store, id, make) {
  let record;
  const changed = (records) => {
    const found = records.get(id);
    found.onsuccess = () => {
      record = found.result && make(found.result);
      if (record) records.put(record);
    };
    return found;
  };
  if (unsaved[store].has(id)) await written(store, (record = make(unsaved[store].get(id))));
  else await inStore(store, "readwrite", changed).catch((error) => (record ? written(store, record) : Promise.reject(error)));
  if (record) tell({ store, id });
  return record;
}

/** Keep no more of this. */
export async function drop(store, id) {
  unsaved[store].delete(id);
  await inStore(store, "readwrite", (records) => records.delete(id));
  tell({ store, id });
}

/** Let go what is above the bounds, the oldest first, and requests of which nothing is left; `more` pictures beside. */
export async function makeRoom(more = 0) {
  const [requests, pictures] = await Promise.all(STORES.map(all));
  let many = pictures.length - more;
  let bytes = sizeOf([...pictures, ...requests]);
  const gone = [];
  for (const picture of pictures.sort((a, b) => a.at - b.at)) {
    if (more && unsaved.pictures.has(picture.id)) continue; // would make none
    if (gone.length >= more && many <= PICTURES_MAX && bytes <= BYTES_MAX) break;
    if (gone.length >= more) many -= 1;
    bytes -= sizeOf([picture]);
    gone.push(picture.id);
  }
  for (const id of gone) await drop("pictures", id);
  const wanted = new Set(pictures.filter(({ id }) => !gone.includes(id)).map(({ request }) => request));
  for (const { id, state, dismissed } of requests) {
    if ((state === "done" || state === "cancelled" || dismissed) && !wanted.has(id)) await drop("requests", id);
  }
  if (gone.length) tell({ notice: "let-go", count: gone.length });
}

function sizeOf(records) {
  const blobs = records.flatMap(({ blob, source }) => [blob, source?.picture, source?.mask]);
  return blobs.reduce((sum, blob) => sum + (blob?.size ?? 0), 0);
}

async function written(store, record) {
  const put = () => inStore(store, "readwrite", (records) => records.put(record));
  try {
    if ((await put()) !== undefined) unsaved[store].delete(record.id);
    else unsaved[store].set(record.id, record);
  } catch (error) {
    try {
      if (isFull || error.name !== "QuotaExceededError") throw error;
      isFull = true; // once: what helps no more is not tried again
      await makeRoom(LET_GO);
      await put();
      isFull = false;
    } catch {
      unsaved[store].set(record.id, record);
      tell({ notice: "no-room" }, false);
    }
  }
}

function tell(what, toOthers = true) {
  if (toOthers) tabs.postMessage(what);
  heard.dispatchEvent(new CustomEvent("change", { detail: what }));
}

// undefined: this browser has no IndexedDB for this page
async function inStore(store, mode, work) {
  const database = await (opened ??= open());
  if (!database) return undefined;
  const transaction = database.transaction(store, mode);
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}

function open() {
  return new Promise((resolve) => {
    const none = () => {
      setTimeout(() => tell({ notice: "no-room" }, false)); // once somebody listens
      resolve(null);
    };
    try {
      const request = indexedDB.open("ordu", 1);
      request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store, { keyPath: "id" }));
      request.onsuccess = () => resolve(request.result);
      request.onerror = none;
      request.onblocked = none;
    } catch {
      none();
    }
  });
}
