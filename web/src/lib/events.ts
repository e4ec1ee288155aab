import { signal } from "@preact/signals";

// News from the service (GET /api/events). The browser's EventSource reconnects and resumes by itself; where it gives up,
// a new one is made. Everything is fetched after each opening: what was missed before it cannot be known.

export const connected = signal(true); // the page has just been fetched; false once the stream fails or does not open
export const lastNews = signal(0); // Date.now() of the newest event or fetch, 0 before the first

// heard says that news has just come by another way than an event.
export function heard(): void {
  lastNews.value = Date.now();
}

// A stream that has not opened by then is told as no connection.
const opening = 3000;

// The service says every 15 s that a quiet stream lives. Two of these missed, and the stream hangs: a network that swallows
// everything closes nothing.
export const hung = 35_000;

const look = 5000; // how often that is looked at

type Handler = (type: string, data: unknown) => void;
const types = ["view", "alarm", "acked", "notice", "incident", "visit", "delivery", "reset", "here"];

// follow hands every event to take; refresh is called when everything must be fetched again.
export function follow(take: Handler, refresh: () => void): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let wait = 1000;
  let stopped = false;
  let late = 0;
  let opened = 0; // by performance.now(), as is all that is waited for here: a clock that is turned back must not make it longer
  let alive = 0; // when the newest sign of life of this very stream came

  const open = (): void => {
    source?.close();
    const s = new EventSource("/api/events");
    source = s;
    opened = performance.now();
    clearTimeout(late);
    late = setTimeout(() => {
      if (s.readyState !== EventSource.OPEN && !stopped) connected.value = false;
    }, opening);
    s.onopen = () => {
      connected.value = true;
      heard();
      alive = performance.now();
      wait = 1000;
      refresh(); // what happened between the last fetch and this moment came to nobody
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
        heard();
        alive = performance.now();
        connected.value = true;
        if (type === "here") return;
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
  // A page that the browser keeps for going back to holds no stream open: a browser has six connections to a service.
  const away = (): void => source?.close();
  const back = (e: PageTransitionEvent): void => {
    if (e.persisted) open();
  };
  let looked = performance.now();
  const watchdog = setInterval(() => {
    const now = performance.now();
    const slept = now - looked > 2 * look; // this page was itself asleep: the stream is asked before it is blamed
    looked = now;
    if (slept || source === null) return;
    const patience = source.readyState === EventSource.OPEN ? hung : 3 * opening; // an opening that hangs is made anew, too
    if (source.readyState === EventSource.CLOSED || now - Math.max(alive, opened) <= patience) return;
    connected.value = false;
    open();
  }, look);
  addEventListener("offline", offline);
  addEventListener("online", online);
  addEventListener("pagehide", away);
  addEventListener("pageshow", back);
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearTimeout(late);
    clearInterval(watchdog);
    source?.close();
    removeEventListener("offline", offline);
    removeEventListener("online", online);
    removeEventListener("pagehide", away);
    removeEventListener("pageshow", back);
  };
}
