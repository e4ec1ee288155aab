// Times as people read them, in the phone's own zone and manner.

// Hours are 00 to 23 everywhere, as in the record: two columns of times can be compared at a glance.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

const valid = (t: string | number | undefined): Date | null => {
  const d = new Date(t ?? Number.NaN);
  return Number.isNaN(d.getTime()) ? null : d;
};

export const hhmm = (t: string | number | undefined): string => {
  const d = valid(t);
  return d ? clock.format(d) : "–";
};
export const hhmmss = (t: string | number | undefined): string => {
  const d = valid(t);
  return d ? exact.format(d) : "–";
};

export function dayName(t: string | undefined, now = Date.now()): string {
  const d = valid(t);
  if (!d) return "–";
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(d).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days === -1) return "Tomorrow";
  if (Math.abs(days) > 180) return dated.format(d);
  return day.format(d);
}

// moment is a time to the second, with its day unless that is today.
export function moment(t: string): string {
  const d = dayName(t);
  return d === "Today" || d === "–" ? hhmmss(t) : `${d === "Yesterday" ? "yesterday" : d}, ${hhmmss(t)}`;
}

export const spanText = (from: string, until: string): string => `${hhmm(from)} – ${hhmm(until)}`;

// since gives seconds since a visit began as m:ss.
export function since(s: number): string {
  const whole = Math.max(0, Math.floor(s));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// date is a day with its year, as no two countries write it with numbers alone.
export const date = (t: string | undefined): string => {
  const d = valid(t);
  return d ? dated.format(d) : "–";
};

// left is a countdown's rest: seconds, then minutes and seconds.
export function left(s: number): string {
  if (s < 60) return `${s} s`;
  return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
}

// when is a visit's beginning and how long it took: two equal clock times would say nothing.
export function when(began: string, ended: string | undefined): string {
  const from = valid(began);
  const to = valid(ended);
  const at = `${dayName(began)}, ${hhmm(began)}`;
  return from && to ? `${at} · ${ago(to.getTime() - from.getTime())}` : at;
}

export const size = (bytes: number): string => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`);

export function ago(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}
