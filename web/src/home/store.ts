import { computed, signal } from "@preact/signals";
import { ask, get, Problem } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { connected, heard } from "../lib/events.ts";
import { age, agree, arrived, newer } from "../lib/fresh.ts";
import { headline } from "../lib/state.ts";
import { putOpen } from "../lib/incidents.ts";
import { ringing as ringingOf } from "../lib/ringing.ts";
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

// ringing are the alarms that nobody has acknowledged, one entry for each door and each hub where any rings.
export const ringing = computed(() =>
  ringingOf(home.value, (hub, at) => all.value.find(({ door: d }) => d.hub === hub && d.door === at)?.view ?? null),
);

// newsAge is how old the shown view is.
export const newsAge = computed(() => {
  void now.value;
  return view.value === null ? Number.POSITIVE_INFINITY : age(view.value);
});
export const hero = computed(() => headline(view.value, newsAge.value, connected.value));
export const stale = computed(() => hero.value.last !== "");

let asks = 0;
let newestHome = 0; // the number of the newest answer
const underWay = new Set<[string, unknown][]>(); // what came as events during each fetch

export async function refresh(): Promise<void> {
  const mine = ++asks;
  const came: [string, unknown][] = [];
  underWay.add(came);
  try {
    const h = await get<Home>("/api/home");
    if (mine < newestHome) return; // a later fetch was answered first
    newestHome = mine;
    // The answer may have been made before an alarm was raised or acknowledged of which an event has told meanwhile.
    home.value = came.reduce((sum, [type, data]) => fold(sum, type, data), h);
    heard();
    const newest = { ...views.value };
    for (const d of h.doors ?? []) if (d.view) keep(newest, d.view);
    views.value = newest;
    problem.value = "";
  } catch (e) {
    if (e instanceof Problem && e.status === 401) location.replace("/");
    problem.value = e instanceof Error ? e.message : "The service did not answer.";
  } finally {
    underWay.delete(came);
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
  for (const came of underWay) came.push([type, data]);
  if (h !== null) home.value = fold(h, type, data);
}

// fold gives the home as it is after an event.
function fold(h: Home, type: string, data: unknown): Home {
  switch (type) {
    case "alarm":
    case "notice":
      return { ...h, alarms: put(h.alarms, data as Alarm, (a) => a.id).slice(0, 50) };
    case "acked": {
      const ids = (data as { ids: string[] | null }).ids ?? [];
      return { ...h, alarms: (h.alarms ?? []).filter((a) => !ids.includes(a.id)) };
    }
    case "incident":
      return { ...h, incidents: putOpen(h.incidents, data as Incident) };
    case "visit":
      return { ...h, visits: put(h.visits, data as VisitSummary, (v) => v.id) };
    case "delivery":
      return { ...h, deliveries: put(h.deliveries, data as Delivery, (d) => d.id) };
  }
  return h;
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

// acknowledge says that these alarms were seen, and no others (S16). What is left is fetched: an event may be lost.
export async function acknowledge(at: { hub: string; door: string }, ids: string[]): Promise<void> {
  await order("ack", { alarms: ids }, "Acknowledged.", at);
  await refresh();
}
