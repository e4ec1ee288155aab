import type { Alarm, Home, View } from "./types.ts";

// Which alarms ring, and where. Pure: the home and the newest views of its doors give it. An alarm rings whoever raised it: the hub,
// which shows it in a view, or the service alone, as when the hub is silent (S14, S16).

export interface Ring {
  id: string; // empty: the hub shows an alarm and does not say which
  reason: string;
  text: string;
  at: string; // empty: not known
}

// Ringing is one banner: what rings at a door, or at a hub as a whole.
export interface Ringing {
  hub: string;
  door: string; // empty: the hub as a whole
  name: string;
  ack: string; // the door to acknowledge it at; empty: the hub has none
  rings: Ring[]; // those to be shown, newest first
  more: number; // those that are not
}

// Nobody acknowledges what he has not seen, and nobody reads more than this at once.
const most = 5;

export function ringing(home: Home | null, viewOf: (hub: string, door: string) => View | null): Ringing[] {
  const doors = home?.doors ?? [];
  const stored = (home?.alarms ?? []).filter((a) => !a.notice).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const ofDoor = (a: Alarm): boolean => doors.some((d) => d.hub === a.hub && d.door === a.door);
  const all: Ringing[] = [];
  const add = (hub: string, door: string, name: string, ack: string, rings: Ring[]): void => {
    if (rings.length > 0) all.push({ hub, door, name, ack, rings: rings.slice(0, most), more: Math.max(0, rings.length - most) });
  };
  for (const d of doors) {
    const v = viewOf(d.hub, d.door);
    const rings: Ring[] = stored.filter((a) => a.hub === d.hub && a.door === d.door);
    if (v?.alarm) {
      const same = v.alarm_id ? stored.find((a) => a.hub === d.hub && a.id === v.alarm_id) : rings.find((a) => a.reason === v.alarm);
      // What the hub shows and the service does not list comes first: it rings at this moment.
      if (!same) rings.unshift({ id: v.alarm_id ?? "", reason: v.alarm, text: v.alarm_text || "There is an alarm at this door.", at: "" });
    }
    add(d.hub, d.door, d.name, d.door, rings);
  }
  const rest = stored.filter((a) => !ofDoor(a));
  const hubs = new Set([...doors, ...rest].map((x) => x.hub));
  for (const hub of new Set(rest.map((a) => a.hub))) {
    const its = doors.filter((d) => d.hub === hub);
    const name = hubs.size === 1 ? "Your home" : its.length > 0 ? `The hub of ${its.map((d) => d.name).join(", ")}` : "A hub without a door";
    add(hub, "", name, its[0]?.door ?? "", rest.filter((a) => a.hub === hub));
  }
  return all;
}
