// Taking a picture from the horde into this browser.
import * as kept from "./kept.js";

const root = document.documentElement.dataset;

/** Take a generation of a request as it was told, unless it is here already; one that cannot be had is kept as a link. */
export async function take(record, generation) {
  if (await kept.find("pictures", generation.id)) return;
  const now = Date.now();
  const job = record.jobs.find(({ id }) => id === generation.id);
  const link = generation.img.startsWith("http") ? ours(generation.img) : null;
  const blob = generation.censored ? null : await (link ? fetched(link) : decoded(generation.img));
  await kept.keep("pictures", {
    id: generation.id,
    request: record.id,
    at: now,
    seconds: job ? (now - job.since) / 1000 : null,
    seed: generation.seed,
    model: generation.model,
    machine: generation.worker_name,
    censored: generation.censored,
    blob,
    link: blob || generation.censored ? null : link,
    ...(await sizeOf(blob, record.body.params ?? {})),
  });
  await kept.makeRoom();
}

// The server may be reached by another address than its public one.
function ours(link) {
  return link.startsWith(`${root.url}/`) ? root.root + link.slice(root.url.length) : link;
}

async function fetched(link) {
  try {
    const answer = await fetch(link, { credentials: "omit", signal: AbortSignal.timeout(60_000) });
    return answer.ok ? await answer.blob() : null;
  } catch {
    return null; // a storage elsewhere that lets no page read
  }
}

async function decoded(text) {
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/webp" });
}

async function sizeOf(blob, { width = 512, height = 512 }) {
  if (!blob) return { width, height };
  try {
    const bitmap = await createImageBitmap(blob);
    const size = { width: bitmap.width, height: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    return { width, height };
  }
}
