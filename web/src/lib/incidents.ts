import type { Incident } from "./types.ts";

// putOpen keeps a list of open incidents by an event's news: one that was closed leaves it, however late the news is.
export function putOpen(list: Incident[] | null | undefined, one: Incident): Incident[] {
  const rest = list ?? [];
  if (one.closed) return rest.filter((x) => x.visit !== one.visit);
  const at = rest.findIndex((x) => x.visit === one.visit);
  return at < 0 ? [one, ...rest] : rest.map((x, i) => (i === at ? one : x));
}
