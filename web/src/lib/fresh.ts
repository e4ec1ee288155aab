import { serverNow } from "./api.ts";
import type { View } from "./types.ts";

// Which of two views is newer, and how old one is. A clock that is put right, the hub's, the service's or this device's, must
// neither hold an old view up as news nor keep a new one out (S13).

// A time that lies further ahead of the service's clock was told by a wrong clock (control.viewAhead).
const ahead = 60_000;

const came = new WeakMap<View, number>(); // when each view came, by performance.now(), which no clock change moves

const fromAhead = (v: View): boolean => Date.parse(v.at) - serverNow() > ahead;

// newer says whether v takes the place of the kept view.
export function newer(v: View, kept: View): boolean {
  return !(Date.parse(v.at) < Date.parse(kept.at)) || fromAhead(kept);
}

// arrived says that a view has just come. The same one, fetched once more, is no news: it is as old as it was.
export function arrived(v: View, kept?: View | null): void {
  const before = kept && kept.at === v.at && kept.seq === v.seq ? came.get(kept) : undefined;
  came.set(v, before ?? performance.now());
}

const here = (v: View): number => performance.now() - (came.get(v) ?? Number.NEGATIVE_INFINITY);

// age is how old a view can be, in milliseconds: by the time that it carries, and by how long it has been here. One out of the
// future, or of no time, is of no known age.
export function age(v: View): number {
  const told = serverNow() - Date.parse(v.at);
  return told >= -ahead ? Math.max(told, here(v)) : Number.POSITIVE_INFINITY;
}

// knownAt is the time to be told for a view: the one that it carries, or when it came if that one cannot be.
export const knownAt = (v: View): number => (fromAhead(v) ? serverNow() - here(v) : Date.parse(v.at));

const between = 5000;
let asked = Number.NEGATIVE_INFINITY;

// agree fetches, at most every 5 s, if a view that has just come as an event contradicts our idea of the service's clock: one of
// the clocks was put right, and the answer tells the time.
export function agree(v: View, refresh: () => Promise<void>): void {
  if (Math.abs(Date.parse(v.at) - serverNow()) <= ahead || performance.now() - asked < between) return;
  asked = performance.now();
  void refresh();
}
