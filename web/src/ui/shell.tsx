import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Component } from "preact";
import { connected, lastNews } from "../lib/events.ts";
import { hhmmss } from "../lib/format.ts";
import { me as fetchMe, post, Problem } from "../lib/api.ts";
import { pin } from "../lib/pins.ts";
import type { Me } from "../lib/types.ts";
import { Icon } from "./icons.tsx";
import { Button, Waiting } from "./ui.tsx";

// The frame of every page: who is signed in, whether news arrives, and what to do if neither.

export const me = signal<Me | null>(null);
export const bootProblem = signal("");
export const changedKeys = signal<string[]>([]);

export const homeOf = (role: string): string => (role === "courier" ? "/stop" : role === "operator" ? "/ops" : "/home");

// enter finds out who is here. Somebody of another role, or nobody, is sent where they belong.
export async function enter(role: string): Promise<Me | null> {
  try {
    const m = await fetchMe();
    if (m.role !== role) {
      location.replace(homeOf(m.role));
      return null;
    }
    changedKeys.value = pin(m.hubs ?? []);
    me.value = m;
    bootProblem.value = "";
    return m;
  } catch (e) {
    if (e instanceof Problem && e.status === 401) {
      location.replace("/");
      return null;
    }
    bootProblem.value = e instanceof Error ? e.message : "The service did not answer.";
    return null;
  }
}

export async function leave(): Promise<void> {
  await post("/api/logout").catch(() => undefined);
  location.assign("/");
}

export function OfflineBanner() {
  if (connected.value) return null;
  return (
    <div class="offline" role="status">
      <Icon name="offline" size={20} />
      <span>{lastNews.value === 0 ? "Connecting to the service…" : `No connection. Last news at ${hhmmss(lastNews.value)}. What you see may be old.`}</span>
    </div>
  );
}

export function Boot({ retry }: { retry: () => void }) {
  if (bootProblem.value === "") return <Waiting>Connecting to the service…</Waiting>;
  return (
    <div class="waiting">
      <Icon name="offline" size={48} />
      <p role="alert">{bootProblem.value}</p>
      <p class="hint">Your home goes on keeping its rules by itself.</p>
      <Button kind="main" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}

// Guard shows a sentence instead of an empty page if a page's own code fails: somebody may be waiting at a door.
export class Guard extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };
  static override getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }
  override componentDidCatch(e: unknown): void {
    console.error(e);
  }
  render() {
    if (!this.state.failed) return this.props.children;
    return (
      <div class="waiting">
        <Icon name="alert" size={48} />
        <p role="alert">This page has failed. Your home goes on keeping its rules by itself.</p>
        <Button kind="main" onClick={() => location.reload()}>
          Load again
        </Button>
      </div>
    );
  }
}

// shell registers the service worker, which keeps the app itself (never live data).
export function shell(): void {
  if (!("serviceWorker" in navigator) || !isSecureContext || window.top !== window) return;
  type Policies = { createPolicy(name: string, rules: { createScriptURL(u: string): string }): { createScriptURL(u: string): unknown } };
  const types = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  const only = (u: string): string => {
    if (u !== "/sw.js") throw new TypeError("only the service worker is loaded by address");
    return u;
  };
  const url = types ? types.createPolicy("eyebolt", { createScriptURL: only }).createScriptURL("/sw.js") : "/sw.js";
  void navigator.serviceWorker.register(url as string, { scope: "/" }).catch(() => undefined);
}
