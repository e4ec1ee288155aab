import { signal } from "@preact/signals";
import { post } from "../lib/api.ts";
import type { Ops } from "../lib/types.ts";

export const ops = signal<Ops | null>(null);

// tell posts and gives the sentence of a refusal; empty if it was done.
export async function tell(path: string, body: unknown): Promise<string> {
  try {
    await post(path, body);
    return "";
  } catch (e) {
    return e instanceof Error ? e.message : "The service refused.";
  }
}
