// Calls of the public API: the only way by which a page gets or changes anything.
import { key } from "./key.js";
import { say } from "./say.js";

const TIMEOUT_MS = 30_000;
const root = document.documentElement.dataset.root;

/** A call that was refused or failed: `message` says what to do, `rc` is the code, `status` 0 when no answer came. */
export class Problem extends Error {
  constructor(status, rc, message, { requestId = "", retryAfterS = null, errors = {} } = {}) {
    super(message);
    this.name = "Problem";
    Object.assign(this, { status, rc, requestId, retryAfterS, errors });
  }
}

/** The path of something on this horde, which may live below another site. */
export function pathOf(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return root + path + (search ? `?${search}` : "");
}

/** Call an operation and get its JSON; throws a Problem. `key` is the browser's own unless another is given; null sends none. */
export async function call(method, path, options = {}) {
  const response = await send(method, path, options);
  try {
    return await response.json();
  } catch {
    throw new Problem(response.status, "BrokenAnswer", say("common.broken-answer"), { requestId: idOf(response) });
  }
}

/** Call an operation and get the response, when it is no refusal; throws a Problem. */
export async function send(method, path, { query, body, headers = {}, signal, timeoutMs = TIMEOUT_MS, ...more } = {}) {
  const apikey = "key" in more ? more.key : key();
  const timeout = AbortSignal.timeout(timeoutMs);
  const request = {
    method,
    headers: { Accept: "application/json", ...(apikey ? { apikey } : {}), ...headers },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    credentials: more.credentials ?? "omit",
  };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(pathOf(path, query), request);
  } catch (error) {
    if (signal?.aborted) throw error;
    const why = timeout.aborted ? "common.too-slow" : "common.unreachable";
    document.dispatchEvent(new CustomEvent("ordu:unreachable"));
    throw new Problem(0, "Unreachable", say(why));
  }
  document.dispatchEvent(new CustomEvent("ordu:reached"));
  if (!response.ok && response.status !== 304) throw await problemOf(response);
  return response;
}

async function problemOf(response) {
  const about = { requestId: idOf(response), retryAfterS: Number(response.headers.get("Retry-After")) || null };
  try {
    const { rc, message, errors } = await response.json();
    return new Problem(response.status, rc, message, { ...about, errors: errors ?? {} });
  } catch {
    return new Problem(response.status, "BrokenAnswer", say("common.broken-answer"), about);
  }
}

function idOf(response) {
  return response.headers.get("X-Request-Id") ?? "";
}
