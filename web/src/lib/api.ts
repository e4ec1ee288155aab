import { assert, refusal } from "./passkey.ts";
import type { AskReply, Me } from "./types.ts";

// Problem is an answer that is not the one asked for (RFC 9457). Its message is a sentence that says what to do next.
export class Problem extends Error {
  status: number; // 0: the service was not reached
  reason: string;
  constructor(status: number, reason: string, detail: string) {
    super(detail);
    this.status = status;
    this.reason = reason;
  }
}

// skew is the service's clock minus ours in milliseconds, to the second that HTTP's Date gives.
let skew = 0;
export const serverNow = (): number => Date.now() + skew;

// A request that takes longer than this is counted as not answered: a door's order must not hang in silence.
const patience = 10_000;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let r: Response;
  try {
    r = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new Problem(0, "offline", "The service did not answer. Check your connection and try again.");
  }
  const date = Date.parse(r.headers.get("Date") ?? "");
  if (Number.isFinite(date)) {
    // Date is cut to the second: correct only what is certainly off.
    const off = date - Date.now();
    skew = Math.abs(off) > 2000 ? off : 0;
  }
  const text = await r.text();
  let json: unknown = null;
  try {
    json = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Problem(r.status, "not-json", "The service gave an answer that this page does not understand. Load the page again.");
  }
  if (!r.ok) {
    const p = (json ?? {}) as { reason?: string; detail?: string; title?: string };
    throw new Problem(r.status, p.reason ?? "", p.detail ?? p.title ?? `The service answered ${r.status}.`);
  }
  return json as T;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);

// post sends what is to be done. What decides who may come in wants a passkey that was used a moment ago (T13): then the person
// is asked to touch it, and the same is sent once more.
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  try {
    return await call<T>("POST", path, body);
  } catch (e) {
    if (!(e instanceof Problem) || e.reason !== "sign-in-again") throw e;
    await touch();
    return call<T>("POST", path, body);
  }
}

async function touch(): Promise<void> {
  const options = await call<Parameters<typeof assert>[0]>("POST", "/api/login/begin", {});
  let credential: unknown;
  try {
    credential = await assert(options);
  } catch (e) {
    throw new Problem(0, "passkey", refusal(e));
  }
  await call<Me>("POST", "/api/login/finish", { credential });
}

export const del = <T>(path: string): Promise<T> => call<T>("DELETE", path);

// ask posts an order and gives its reply; a failed request becomes a refusal with a sentence, so that every caller shows
// one kind of answer.
export async function ask(path: string, body: unknown = {}): Promise<AskReply> {
  try {
    const r = await post<AskReply>(path, body);
    return r.ok ? r : { ...r, sentence: r.sentence ?? "The hub refused." };
  } catch (e) {
    if (e instanceof Problem) return { ok: false, reason: e.reason, sentence: e.message };
    throw e;
  }
}

export const me = (): Promise<Me> => get<Me>("/api/me");
