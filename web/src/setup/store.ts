import { computed, signal } from "@preact/signals";
import { Problem } from "../lib/api.ts";
import { call, leave } from "../lib/hubapi.ts";
import type { Ask, Cam, Device, Draft, Family, Peer, State } from "./types.ts";

// One set-up: what the hub says of it, and what was chosen on this page. The page's choice goes to the hub at once, so that it is
// there when the page is opened again, on this phone or another.

export const state = signal<State | null>(null);
export const draft = signal<Draft | null>(null);
export const out = signal(""); // why this browser is not in; empty: it is
export const quiet = signal(false); // the hub's set-up does not answer

export const steps = computed(() => (state.value?.existing ? ["door", "camera", "write"] : ["door", "camera", "service", "write"]));
export const step = computed(() => {
  const at = draft.value?.step ?? "";
  return steps.value.includes(at) ? at : "door";
});
export const peer = computed<Peer | undefined>(() => state.value?.peers.find((p) => p.id === draft.value?.peer));
export const lock = computed<Device | undefined>(() => peer.value?.devices.find((d) => d.kind === "lock" && d.id === draft.value?.lock));
export const family = computed<Family | undefined>(() => peer.value?.families.find((f) => f.key === draft.value?.family));
// asks is what must be asked about the lock that was chosen.
export const asks = computed<Ask[]>(() => family.value?.asks ?? lock.value?.asks ?? []);
export const cam = (id: string): Cam | undefined => state.value?.cameras.find((c) => c.id === id);
export const problems = (of: string): string[] => (state.value?.problems ?? []).filter((p) => p.step === of).map((p) => p.text);
export const fileName = (path: string): string => path.split(/[\\/]/).pop() ?? path;

function take(s: State): void {
  state.value = s;
  quiet.value = false;
  draft.value ??= s.draft;
}

function fail(e: unknown): void {
  if (!(e instanceof Problem)) throw e;
  if (e.status === 401) {
    leave();
    out.value = e.message;
  } else if (e.status === 0) quiet.value = true;
}

export async function refresh(): Promise<void> {
  try {
    take(await call<State>("GET", "/setup/api/state"));
  } catch (e) {
    fail(e);
  }
}

// act asks for something; it gives the sentence with which it was refused, or nothing.
export async function act(path: string, body: unknown = {}): Promise<string> {
  try {
    take(await call<State>("POST", `/setup/api/${path}`, body));
    return "";
  } catch (e) {
    fail(e);
    return e instanceof Error ? e.message : "The hub refused.";
  }
}

let later: ReturnType<typeof setTimeout> | undefined;

// put changes the draft; the hub hears of it a moment later, once for several keys.
export function put(change: Partial<Draft>): void {
  if (!draft.value) return;
  draft.value = { ...draft.value, ...change };
  clearTimeout(later);
  later = setTimeout(() => void flush(), 250);
}

export async function flush(): Promise<string> {
  clearTimeout(later);
  later = undefined;
  return draft.value ? act("draft", draft.value) : "";
}

export function goto(to: string): void {
  put({ step: to });
  scrollTo(0, 0);
}

// next goes on if nothing is missing; else it gives what is.
export async function next(): Promise<string> {
  const said = await flush();
  if (said) return said;
  const missing = problems(step.value);
  if (missing[0]) return missing[0];
  goto(steps.value[steps.value.indexOf(step.value) + 1] ?? step.value);
  return "";
}

// another begins a further door with a clean page.
export async function another(): Promise<string> {
  draft.value = null;
  return act("again");
}

// follow asks how things stand: often while something is under way.
export function follow(): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let ended = false;
  const tick = async (): Promise<void> => {
    await refresh();
    const s = state.value;
    const soon = s !== null && (s.search.running || s.busy || s.peers.some((p) => p.state === "asking") || s.cameras.some((c) => c.state === "asking"));
    if (!ended && out.value === "") timer = setTimeout(() => void tick(), soon || quiet.value ? 1000 : 4000);
  };
  timer = setTimeout(() => void tick(), 500);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

// sentence is what a program said, as a sentence.
export const sentence = (s: string): string => {
  const t = s.trim();
  return t === "" ? "" : t.charAt(0).toUpperCase() + t.slice(1) + (/[.!?…]$/.test(t) ? "" : ".");
};

// word makes a name that the configuration takes out of what was typed.
export const word = (typed: string): string =>
  typed
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 64);
