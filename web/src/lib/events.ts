import { signal } from "@preact/signals";

// News from the service (GET /api/events). The browser's EventSource reconnects and resumes by itself; where it gives up,
// a new one is made and everything is fetched anew, because what was missed cannot be known.

export const connected = signal(false);
export const lastNews = signal(0); // Date.now() of the newest event, 0 before the first

type Handler = (type: string, data: unknown) => void;
const types = ["view", "alarm", "notice", "incident", "visit", "delivery", "reset"];

// follow hands every event to take; refresh is called when everything must be fetched again.
export function follow(take: Handler, refresh: () => void): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let wait = 1000;
  let first = true;
  let stopped = false;

  const open = (): void => {
    source?.close();
    const s = new EventSource("/api/events");
    source = s;
    s.onopen = () => {
      connected.value = true;
      lastNews.value = Date.now();
      wait = 1000;
      if (!first) refresh();
      first = false;
    };
    s.onerror = () => {
      connected.value = false;
      if (s.readyState !== EventSource.CLOSED || stopped) return;
      clearTimeout(timer);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 15_000); // at most 15 s: somebody is waiting for news of a door
    };
    for (const type of types) {
      s.addEventListener(type, (e) => {
        lastNews.value = Date.now();
        if (type === "reset") return refresh();
        let data: unknown;
        try {
          data = JSON.parse((e as MessageEvent<string>).data);
        } catch {
          return refresh(); // an event that cannot be read is an event that was missed
        }
        take(type, data);
      });
    }
  };
  const offline = (): void => {
    connected.value = false;
  };
  const online = (): void => {
    wait = 1000;
    clearTimeout(timer);
    open();
  };
  addEventListener("offline", offline);
  addEventListener("online", online);
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source?.close();
    removeEventListener("offline", offline);
    removeEventListener("online", online);
  };
}
