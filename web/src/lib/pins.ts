import { fromBase64, toBase64 } from "./bytes.ts";
import type { HubKey } from "./types.ts";

// The hubs' keys as this browser first learned them. The service tells them once; afterwards it cannot change them
// unseen, because the pinned one is used. Only pairing with the hub's own code pins anew.

const at = (hub: string): string => "eyebolt.hub." + hub;

// pinned is a hub's key as it was learned, as text; null before this browser knows it.
export const pinned = (hub: string): string | null => localStorage.getItem(at(hub));

export function hubKey(hub: string): Uint8Array<ArrayBuffer> | null {
  const text = pinned(hub);
  if (text === null) return null;
  const key = fromBase64(text);
  return key.length === 32 ? key : null;
}

// pin keeps the keys of paired hubs that are new here and gives the hubs whose told key is not the pinned one.
export function pin(hubs: HubKey[]): string[] {
  const changed: string[] = [];
  for (const h of hubs) {
    if (!h.paired || !h.key) continue;
    const told = toBase64(fromBase64(h.key));
    const known = localStorage.getItem(at(h.id));
    if (known === null) localStorage.setItem(at(h.id), told);
    else if (known !== told) changed.push(h.id);
  }
  return changed;
}

export function forget(hub: string): void {
  localStorage.removeItem(at(hub));
}
