import { computed, signal } from "@preact/signals";
import { ask, get, Problem } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { connected, heard } from "../lib/events.ts";
import { age, agree, arrived, newer } from "../lib/fresh.ts";
import { headline } from "../lib/state.ts";
import { putOpen } from "../lib/incidents.ts";
import type { Alarm, Delivery, Home, Incident, View, VisitSummary } from "../lib/types.ts";

// The resident's whole state: fetched once, then kept by events.

export const home = signal<Home | null>(null);
export const views = signal<Record<string, View>>({});
export const problem = signal("");
export const chosen = signal(0); // which door, if there are several

// said is the newest refusal or confirmation, shown beside the orders and read aloud.
export const said = signal<{ ok: boolean; text: string } | null>(null);
// busy are the orders that wait for the hub's answer. They can overlap, and be answered in another order.
export const busy = signal<readonly string[]>([]);
let newestOrder = 0;

const key = (hub: string, door: string): string => `${hub}/${door}`;

export const door = computed(() => home.value?.doors?.[chosen.value] ?? null);
export const view = computed<View | null>(() => {
  const d = door.value;
  return d === null ? null : (views.value[key(d.hub, d.door)] ?? d.view);
});

// all are the newest views of every door of this home, with the door's name: an alarm counts whichever door is looked at.
export const all = computed(() => (home.value?.doors ?? []).flatMap((d) => {
  const v = views.value[key(d.hub, d.door)] ?? d.view;
  return v === null ? [] : [{ door: d, view: v }];
}));

// newsAge is how old the shown view is.
export const newsAge = computed(() => {
  void now.value;
  return view.value === null ? Number.POSITIVE_INFINITY : age(view.value);
});
export const hero = computed(() => headline(view.value, newsAge.value, connected.value));
export const stale = computed(() => hero.value.last !== "");

export async function refresh(): Promise<void> {
  try {
    const h = await get<Home>("/api/home");
    home.value = h;
    heard();
    const newest = { ...views.value };
    for (const d of h.doors ?? []) if (d.view) keep(newest, d.view);
    views.value = newest;
    problem.value = "";
  } catch (e) {
    if (e instanceof Problem && e.status === 401) location.replace("/");
    problem.value = e instanceof Error ? e.message : "The service did not answer.";
  }
}

// keep takes a view unless a newer one is known: events may arrive while a fetch is under way.
function keep(all: Record<string, View>, v: View): void {
  const k = key(v.hub, v.door);
  const old = all[k];
  arrived(v, old);
  if (old === undefined || newer(v, old)) all[k] = v;
}

export function take(type: string, data: unknown): void {
  const h = home.value;
  if (type === "view") {
    const newest = { ...views.value };
    keep(newest, data as View);
    views.value = newest;
    agree(data as View, refresh);
    return;
  }
  if (h === null) return;
  switch (type) {
    case "alarm":
    case "notice":
      home.value = { ...h, alarms: put(h.alarms, data as Alarm, (a) => a.id).slice(0, 50) };
      break;
    case "incident":
      home.value = { ...h, incidents: putOpen(h.incidents, data as Incident) };
      break;
    case "visit":
      home.value = { ...h, visits: put(h.visits, data as VisitSummary, (v) => v.id) };
      break;
    case "delivery":
      home.value = { ...h, deliveries: put(h.deliveries, data as Delivery, (d) => d.id) };
      break;
  }
}

function put<T>(list: T[] | null | undefined, one: T, id: (t: T) => string): T[] {
  const rest = list ?? [];
  const at = rest.findIndex((x) => id(x) === id(one));
  return at < 0 ? [one, ...rest] : rest.map((x, i) => (i === at ? one : x));
}

// order asks the hub of a door, the chosen one unless another is named, and says what it answered.
export async function order(what: string, body: unknown, done: string, at?: { hub: string; door: string }): Promise<boolean> {
  const d = at ?? door.value;
  if (d === null) return false;
  const mine = ++newestOrder;
  busy.value = [...busy.value, what];
  said.value = null;
  const r = await ask(`/api/doors/${encodeURIComponent(d.hub)}/${encodeURIComponent(d.door)}/${what}`, body);
  busy.value = busy.value.filter((_, i, all) => i !== all.indexOf(what));
  const answer = { ok: r.ok, text: r.ok ? r.sentence || done : (r.sentence ?? "The hub refused.") };
  // A confirmation has been read after 6 s; a refusal stays until the next order: an older order's late success does
  // not hide it.
  if (!r.ok || mine === newestOrder) said.value = answer;
  if (r.ok) setTimeout(() => said.value === answer && (said.value = null), 6000);
  return r.ok;
}
