import { Problem } from "./api.ts";

// The hub's own pages (set-up, walk test). Their link holds a secret in its fragment, which opens once; what it is changed for is kept
// by this browser, for this origin, and goes with each request in a header. It is never a cookie: those are shared between ports.

const name = "eyebolt-hub";
const patience = 30_000;

const token = (): string => localStorage.getItem(name) ?? "";

// enter changes the secret in the address, if there is one, for a session, and takes it out of the address and the history.
export async function enter(): Promise<void> {
  const key = new URLSearchParams(location.hash.slice(1)).get("k");
  if (key === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  const r = await call<{ token: string }>("POST", "/gate/enter", { key });
  localStorage.setItem(name, r.token);
}

export function leave(): void {
  localStorage.removeItem(name);
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token()}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(patience),
    });
  } catch {
    throw new Problem(0, "offline", "The hub’s set-up does not answer.");
  }
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const r = await send(method, path, body);
  const text = await r.text();
  let json: unknown = null;
  try {
    json = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Problem(r.status, "not-json", "The hub gave an answer that this page does not understand. Load the page again.");
  }
  if (!r.ok) {
    const p = (json ?? {}) as { reason?: string; detail?: string };
    throw new Problem(r.status, p.reason ?? "", p.detail ?? `The hub answered ${r.status}.`);
  }
  return json as T;
}

// picture gives an image as an address of this page; null if there is none. Whoever asks gives it back (URL.revokeObjectURL).
export async function picture(path: string): Promise<string | null> {
  const r = await send("GET", path);
  return r.ok ? URL.createObjectURL(await r.blob()) : null;
}
