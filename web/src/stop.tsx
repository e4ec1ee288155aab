import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { now } from "./lib/clock.ts";
import { connected, follow, lastNews } from "./lib/events.ts";
import { hhmmss, spanText } from "./lib/format.ts";
import { age, knownAt } from "./lib/fresh.ts";
import { stage } from "./lib/stage.ts";
import { staleAfter } from "./lib/state.ts";
import type { Stop } from "./lib/types.ts";
import { StopPage } from "./stop/page.tsx";
import { inOrder, problem, refresh, stops, take, todo } from "./stop/store.ts";
import { Icon } from "./ui/icons.tsx";
import { go, part, path } from "./ui/router.ts";
import { Boot, bootProblem, enter, Guard, leave, me, shell } from "./ui/shell.tsx";
import { Button, Chip, Empty, Link, Note, Top } from "./ui/ui.tsx";

function chip(s: Stop): { tone: "calm" | "work" | "warn"; text: string } | null {
  switch (s.state) {
    case "done":
      return { tone: "calm", text: "Delivered" };
    case "failed":
      return { tone: "warn", text: "Not delivered" };
    case "here":
    case "open":
      return { tone: "work", text: "You are here" };
    default:
      return null;
  }
}

// List is a page of its own on a phone; on a desk or a van's screen it stands beside the stop that is open.
function List({ aside }: { aside: string }) {
  const list = inOrder();
  const left = todo();
  const next = left[0];
  const Frame = aside ? "aside" : "main";
  return (
    <Frame class={`page stop stop-list ${aside ? "beside" : ""}`} aria-label={aside ? "Today’s stops" : undefined}>
      <Top title="Today’s stops" sub={`${me.value?.name ?? ""} · ${left.length === 1 ? "1 stop left" : `${left.length} stops left`}`}>
        <Button kind="quiet" onClick={() => void leave()}>
          Sign out
        </Button>
      </Top>
      {problem.value && <Note tone="warn">{problem.value}</Note>}
      {list.length === 0 ? (
        <Empty icon="parcel">No stops today. New ones appear here by themselves.</Empty>
      ) : (
        <ul class="stops">
          {list.map((s) => {
            const c = chip(s);
            return (
              <li key={s.delivery} class={s === next ? "next" : left.includes(s) ? "" : "past"}>
                <Link to={`/stop/${encodeURIComponent(s.delivery)}`} class="stop-link" current={s.delivery === aside}>
                  <span class="row-main">
                    {s === next && <span class="next-word">Next</span>}
                    <strong>{s.address}</strong>
                    <span class="hint">
                      {spanText(s.from, s.until)} · {s.recipient} · {(s.parcels ?? []).length === 1 ? "1 parcel" : `${(s.parcels ?? []).length} parcels`}
                    </span>
                  </span>
                  {c && <Chip tone={c.tone}>{c.text}</Chip>}
                  <Icon name="next" size={20} />
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Frame>
  );
}

// NoNews is what a courier must know without a network: the home does not need his phone to lock.
function NoNews({ stop }: { stop: Stop | undefined }) {
  void now.value;
  // In a visit the hub speaks every 5 s: three times nothing, and what is shown may be old, whatever the connection says.
  const v = stop?.view?.visit ? stop.view : null;
  const silent = v !== null && age(v) > staleAfter && !["over", "released", "kept"].includes(stop ? stage(stop, stop.view) : "over");
  if (connected.value && !silent) return null;
  const in_ = stop !== undefined && ["inside", "closing", "opening", "leave"].includes(stage(stop, stop.view));
  return (
    <div class={`offline ${in_ ? "loud" : ""}`} role={in_ ? "alert" : "status"}>
      <Icon name="offline" size={20} />
      <span>
        {connected.value ? `No news from the home since ${hhmmss(v ? knownAt(v) : Number.NaN)}.` : lastNews.value === 0 ? "Connecting to the service…" : `No connection since ${hhmmss(lastNews.value)}.`}
        {in_ && " Step out and pull the door shut: the home bolts it without your phone."}
      </span>
    </div>
  );
}

const opened = new Set<string>(); // visits whose stop was opened by itself

function App() {
  const [ready, setReady] = useState(false);
  const start = async (): Promise<void> => {
    bootProblem.value = "";
    if (await enter("courier")) {
      await refresh();
      setReady(true);
    }
  };
  useEffect(() => {
    void start();
  }, []);
  useEffect(() => (ready ? follow(take, () => void refresh()) : undefined), [ready]);
  // A visit that begins opens its stop, once: a courier at a door does not look for it in a list.
  const id = part(1);
  const at = id ? stops.value?.find((s) => s.delivery === id) : undefined;
  const free = at === undefined || ["over", "released"].includes(stage(at, at.view));
  const begun = (stops.value ?? []).find((s) => s.view?.visit && !s.view.released && !["done", "failed"].includes(s.state));
  const visit = begun?.view?.visit ?? "";
  useEffect(() => {
    if (!ready || !begun || !free || opened.has(visit)) return;
    opened.add(visit);
    go(`/stop/${encodeURIComponent(begun.delivery)}`);
  }, [ready, visit, free]);
  if (!ready) return <Boot retry={() => void start()} />;
  void path.value;
  const stop = at;
  return (
    <div class={connected.value ? "" : "stale"}>
      <NoNews stop={stop} />
      <div class={`stop-desk ${id === "" ? "" : "split"}`}>
        <List aside={id} />
        {id === "" ? null : stop ? (
          <StopPage key={stop.delivery} stop={stop} />
        ) : (
          <main class="page stop">
            <Top title="Not your stop" back="/stop" />
            <Note tone="warn">This stop is not, or no longer, on your list.</Note>
          </main>
        )}
      </div>
    </div>
  );
}

shell();
const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(
    <Guard>
      <App />
    </Guard>,
    root,
  );
}
