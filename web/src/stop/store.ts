import { signal } from "@preact/signals";
import { ask, get, Problem } from "../lib/api.ts";
import { heard } from "../lib/events.ts";
import { agree, arrived, newer } from "../lib/fresh.ts";
import { stopOf } from "../lib/stage.ts";
import type { AskReply, Stop, View } from "../lib/types.ts";

// The courier's whole state: today's stops, and the view of the door he is at.

export const stops = signal<Stop[] | null>(null);
export const problem = signal("");

// todo are the stops that are not over, in the order of their windows.
export const todo = (): Stop[] => inOrder().filter((s) => !["done", "failed"].includes(s.state));

export const inOrder = (): Stop[] => (stops.value ?? []).slice().sort((a, b) => a.from.localeCompare(b.from));

const heardAt = new Map<string, number>(); // delivery → when its newest view came, by performance.now()

export async function refresh(): Promise<void> {
  const asked = performance.now();
  try {
    const got = (await get<{ stops: Stop[] | null }>("/api/stops")).stops ?? [];
    // An event may have brought a newer view while this was under way: of the same visit, or of one that has just begun.
    stops.value = got.map((s) => {
      const known = stops.value?.find((o) => o.delivery === s.delivery)?.view;
      if (s.view) arrived(s.view, known);
      if (!known) return s;
      const since = (heardAt.get(s.delivery) ?? 0) >= asked;
      if (!s.view) return since ? { ...s, view: known } : s;
      return (since || known.visit === s.view.visit) && !newer(s.view, known) ? { ...s, view: known } : s;
    });
    heard();
    problem.value = "";
  } catch (e) {
    if (e instanceof Problem && e.status === 401) location.replace("/");
    problem.value = e instanceof Error ? e.message : "The service did not answer.";
  }
}

export function take(type: string, data: unknown): void {
  if (type === "view") {
    const v = data as View;
    let ended = false;
    const about = stopOf(stops.value ?? [], v);
    stops.value = (stops.value ?? []).map((s) => {
      if (s !== about) return s;
      arrived(v, s.view);
      if (s.view && !newer(v, s.view)) return s;
      ended ||= !!s.view?.visit && !v.visit;
      heardAt.set(s.delivery, performance.now());
      return { ...s, view: v };
    });
    if (ended) void refresh(); // the visit is over: the stop's state has changed with it
    else agree(v, refresh);
    return;
  }
  if (type === "delivery" || type === "visit") void refresh();
}

export const act = (delivery: string, what: string, body: unknown): Promise<AskReply> => ask(`/api/stops/${encodeURIComponent(delivery)}/${what}`, body);

// place asks the phone where it is, for at most 5 s; a courier without a position is told so by the hub's check, if the
// household wants one.
export function place(): Promise<{ lat: number; lon: number; accuracy: number } | null> {
  return new Promise((yes) => {
    if (!("geolocation" in navigator)) return yes(null);
    const timer = setTimeout(() => yes(null), 5500);
    navigator.geolocation.getCurrentPosition(
      (p) => {
        clearTimeout(timer);
        yes({ lat: p.coords.latitude, lon: p.coords.longitude, accuracy: p.coords.accuracy });
      },
      () => {
        clearTimeout(timer);
        yes(null);
      },
      { enableHighAccuracy: true, timeout: 5000, maximumAge: 10_000 },
    );
  });
}
