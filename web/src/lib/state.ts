import type { Gap, View } from "./types.ts";

// What a door's state is called on the pages. Pure: the same view and the same age of news give the same words.

export type Tone = "calm" | "work" | "warn" | "danger" | "unknown";

// what is the first half of a hub's sentence. The other half says what to do next, and mostly says it to the courier.
export function what(sentence?: string): string {
  const [is = "", next] = (sentence ?? "").split(/: (.*)/s);
  return next === undefined ? is : `${is}.`;
}

export interface Headline {
  tone: Tone;
  title: string;
  sentence: string;
  last: string; // what was known before the news stopped; empty while news is fresh
}

// A hub shows its state at least every 5 s. Three missed ones and the state is unknown (S13).
export const staleAfter = 16_000;

export const inVisit = (phase: string): boolean => !["", "idle"].includes(phase);

// entered says whether the courier may be inside in this phase.
export const entered = (phase: string): boolean => ["unlocking", "unlocked", "opened", "open", "closing", "secured", "unproven"].includes(phase);

// headline names the door's state. newsAge is how old the newest view is, in milliseconds; connected is whether news can
// arrive. Whatever is not known to be secured is never called so.
export function headline(v: View | null, newsAge: number, connected: boolean): Headline {
  if (v === null) return { tone: "unknown", title: "Unknown", sentence: "No news from the hub yet.", last: "" };
  const now = fresh(v);
  if (connected && newsAge <= staleAfter) return { ...now, last: "" };
  return {
    tone: "unknown",
    title: "Unknown",
    sentence: connected ? "The hub has gone silent. The service is watching for it." : "This phone has no news. It tries again by itself.",
    last: now.title,
  };
}

function fresh(v: View): Omit<Headline, "last"> {
  const say = (tone: Tone, title: string, fallback: string) => ({ tone, title, sentence: what(v.sentence) || fallback });
  // Between visits the hub's sentence is of the last one: a quiet door is described by what it reports now.
  const quiet = (tone: Tone, title: string, own: string) => ({ tone, title, sentence: inVisit(v.phase) ? what(v.sentence) || own : own });
  if (v.possibly_open || v.phase === "unproven") return say("danger", "Possibly open", "Nobody has confirmed that the door is bolted.");
  if (v.bolt === "jammed") return say("danger", "Bolt jammed", "The bolt is neither in nor out. Look at the door.");
  if (v.door_is === "open" || v.door_is === "ajar") {
    const title = v.door_is === "ajar" ? "Ajar" : "Open";
    return say(v.alarm || v.leave ? "danger" : inVisit(v.phase) ? "work" : "warn", title, "The door is open.");
  }
  if (v.phase === "deciding" || v.phase === "unlocking") return say("work", "Unlocking", "The bolt is being drawn.");
  if (v.secured && v.bolt === "thrown" && v.door_is === "closed") return quiet("calm", "Secured", "Closed and bolted. The bolt itself has reported it.");
  if (v.bolt === "drawn") return say(inVisit(v.phase) ? "work" : "warn", "Unlocked", "The door is closed, the bolt is drawn.");
  if (v.phase === "closing") return say("work", "Closing", "Waiting for the bolt to report.");
  if (v.bolt === "thrown" && v.door_is === "closed") return quiet("work", "Bolted", "Reported closed and bolted. The next report proves it.");
  return say("unknown", "Unknown", "The bolt or the door has not reported.");
}

// phaseName is a visit's phase in two or three words.
export function phaseName(phase: string): string {
  const names: Record<string, string> = {
    "": "No visit",
    idle: "No visit",
    arming: "At the door, checking",
    held: "At the door, held",
    ready: "Ready to open",
    deciding: "Opening",
    unlocking: "Opening",
    unlocked: "Unlocked",
    opened: "Door open",
    open: "Door open",
    closing: "Closing",
    secured: "Bolted, waiting for “I am out”",
    tail: "Courier is out, still watching",
    unproven: "Possibly open",
  };
  return names[phase] ?? phase;
}

const lapses = ["lost", "late", "frozen", "replayed", "covered", "unrecorded", "untrusted"];
export const lapsed = (watch: string): boolean => lapses.includes(watch);

// watchName says what the watch's word means for somebody who looks at a picture.
export function watchName(watch: string): string {
  const names: Record<string, string> = {
    live: "Watching",
    lagging: "Picture late",
    lost: "Picture lost",
    late: "Picture delayed",
    frozen: "Picture frozen",
    replayed: "Picture replayed",
    covered: "Camera covered",
    unrecorded: "Not recorded",
    untrusted: "Camera not trusted",
    "hub-late": "Hub overloaded",
  };
  return names[watch] ?? "Not watching";
}

// tenths gives a gap's length to the tenth of a second, as the record has it.
export const tenths = (s: number): string => `${s.toFixed(1)} s`;

export const gapText = (g: Gap): string => (g.open ? `Not watched for ${tenths(g.s)} and still going on` : `Not watched for ${tenths(g.s)}`);
