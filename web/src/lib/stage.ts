import type { Stop, View } from "./types.ts";
import { lapsed } from "./state.ts";

// Which page a courier sees. Pure: what he must do now follows from the stop and the newest view alone.

export type Stage =
  | "knock" // not at the door yet: knock, scan, say so
  | "wait" // at the door: checks are running or hold
  | "slide" // every check holds and the hub's nonce is out
  | "opening" // the decision and the bolt are on their way
  | "inside" // unlocked or open: place the parcel and close
  | "closing" // closed: the bolt has not reported
  | "out" // secured: "I am out"
  | "leave" // leave now
  | "released" // go on
  | "kept" // out, and not released: the visit is an incident (S19)
  | "over"; // delivered or not

export function stage(s: Stop, v: View | null | undefined): Stage {
  if (v?.visit && v.leave && !v.released && inside(v)) return "leave";
  if (v?.visit && v.released) return "released";
  if (v?.visit) {
    switch (v.phase) {
      case "arming":
      case "held":
        return "wait";
      case "ready":
        return v.nonce ? "slide" : "wait";
      case "deciding":
      case "unlocking":
        return "opening";
      case "unlocked":
      case "opened":
      case "open":
      case "unproven":
        return lapsed(v.watch) ? "leave" : "inside";
      case "closing":
        return "closing";
      case "secured":
        return "out";
      case "tail":
        return "kept"; // released was asked above
    }
  }
  if (["done", "failed"].includes(s.state)) return "over";
  return "knock";
}

const inside = (v: View): boolean => !["", "idle", "arming", "held", "ready", "tail"].includes(v.phase);

// canSayOut says whether the hub waits for a signed "I am out": it gives a challenge once the door has closed.
export const canSayOut = (v: View | null | undefined): boolean => !!v?.out_nonce && !v.released;

// stopOf gives the stop that a door's view is about: of this door and not over; the one whose visit it is, else the one
// where the courier is, else the next. A courier is sent only the views of his own visits.
export function stopOf(list: Stop[], v: View): Stop | undefined {
  const here = list.filter((s) => s.hub === v.hub && s.door === v.door && !["done", "failed"].includes(s.state));
  return (
    here.find((s) => s.visit && s.visit === v.visit) ??
    here.find((s) => s.state === "here" || s.state === "open") ??
    here.sort((a, b) => a.from.localeCompare(b.from))[0]
  );
}
