import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./lib/api.ts";
import { call, enter, leave } from "./lib/hubapi.ts";
import { Icon, Mark } from "./ui/icons.tsx";
import { Guard } from "./ui/shell.tsx";
import { Button, Note, Waiting } from "./ui/ui.tsx";

// The walk test, in the hand of whoever stands at the door: one thing at a time, in words that are read at arm's length, with what lock,
// contact and cameras say now below it. What is pressed is pressed on what is shown: the hub takes nothing else.

type Press = { press: string; label: string };
type Cam = { name: string; live: boolean; known: boolean; age_ms: number };
type Result = { title: string; state: "passed" | "failed" | "now" | "later"; say?: string };
type Delay = { of: string; from: string; n: number; min_ms: number; median_ms: number; max_ms: number; asked?: number };
type View = {
  door: string;
  turn: number;
  step: string;
  camera?: string;
  number: number;
  of: number;
  stage: "press" | "wait" | "ask" | "failed" | "end";
  title: string;
  say: string;
  hint?: string;
  way?: string;
  way_left_ms?: number;
  buttons: Press[];
  left_ms?: number;
  all_ms?: number;
  lock: boolean;
  lock_say?: string;
  bolt: string;
  door_is: string;
  smoke?: boolean;
  battery: number;
  cameras: Cam[];
  results: Result[];
  delays: Delay[] | null;
  passed: boolean;
  proven: { bolt: boolean; door: boolean; jam: boolean; by: boolean };
  door_stale_ms?: number;
  seq: number;
  at_ms: number;
  kept?: string;
  lost?: boolean;
  over?: boolean;
};

const view = signal<View | null>(null);
const out = signal("");
const quiet = signal(false);

function refused(e: unknown): string {
  if (!(e instanceof Problem)) throw e;
  if (e.status === 401) {
    leave();
    out.value = e.message;
  }
  quiet.value = e.status === 0;
  return e.status === 0 ? "" : e.message;
}

const glance = 550;

const sleep = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));

// follow looks again and again; the hub answers when something has changed, or after a moment.
async function follow(ended: () => boolean): Promise<void> {
  while (!ended() && !out.value) {
    try {
      view.value = await call<View>("GET", `/walk/api/view?after=${view.value?.seq ?? ""}`);
      quiet.value = false;
      if (view.value.over) await sleep(2000);
    } catch (e) {
      refused(e);
      await sleep(1000);
    }
  }
}

const tones: Record<string, string> = { go: "main", yes: "main", again: "main", no: "plain", cannot: "quiet", next: "quiet", out: "danger" };
const words: Record<string, string> = {
  thrown: "Bolt reported out",
  drawn: "Bolt reported in",
  jammed: "Jam reported",
  open: "Door reported open",
  closed: "Door reported closed",
  smoke: "Smoke alarm heard",
  "camera-lagging": "Picture found late",
  "camera-lost": "Picture found lost",
};
const sources: Record<string, string> = { order: "after the hub’s order", press: "after your press, your own hand included", picture: "after the newest picture" };

const span = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
const seconds = (ms: number): string => (ms >= 90_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.max(0, Math.ceil(ms / 1000))} s`);

function Live({ v }: { v: View }) {
  const bolt = { thrown: "Bolt is out", drawn: "Bolt is in", jammed: "Bolt is jammed" }[v.bolt] ?? "Bolt unknown";
  const door = { closed: "Door closed", open: "Door open", ajar: "Door ajar" }[v.door_is] ?? "Door unknown";
  return (
    <section class="walk-live" aria-label="What the devices say now">
      <div class={v.lock ? (v.bolt === "jammed" ? "warn" : v.bolt === "unknown" ? "none" : "") : "bad"}>
        <Icon name={v.bolt === "drawn" ? "turn" : "lock"} />
        <strong>{v.lock ? bolt : "Lock silent"}</strong>
      </div>
      <div class={v.door_is === "unknown" ? "none" : ""}>
        <Icon name={v.door_is === "closed" ? "home" : "open"} />
        <strong>{door}</strong>
      </div>
      {v.cameras.map((c) => (
        <div key={c.name} class={c.live ? "good" : "bad"}>
          <Icon name={c.live ? "eye" : "noeye"} />
          <strong>
            {c.name} {c.live ? "live" : "not live"}
          </strong>
        </div>
      ))}
      {v.smoke && (
        <div class="bad">
          <Icon name="alert" />
          <strong>Smoke alarm</strong>
        </div>
      )}
    </section>
  );
}

// beside says whether there is room for the list of steps beside the task.
const room = matchMedia("(min-width: 60rem)");
const beside = signal(room.matches);
room.addEventListener("change", () => {
  beside.value = room.matches;
});

function Steps({ v }: { v: View }) {
  const shown = v.results.filter((r, i) => i > 0 || r.state !== "passed" || v.results.length === 1);
  if (v.of === 0) return null;
  const done = v.results.filter((r, i) => i > 0 && r.state === "passed").length;
  const failed = v.results.filter((r) => r.state === "failed").length;
  return (
    <details class="walk-list" open={v.stage === "end" || beside.value}>
      <summary>
        {done} of {v.of} passed{failed > 0 ? `, ${failed} failed` : ""}
      </summary>
      <ol>
        {shown.map((r, i) => (
          <li key={i} class={r.state} aria-current={r.state === "now" ? "step" : undefined}>
            <Icon name={r.state === "passed" ? "check" : r.state === "failed" ? "cross" : r.state === "now" ? "next" : "wait"} size={20} />
            <div>
              <strong>{r.title}</strong>
              <span class="hidden">{r.state}</span>
              {r.state === "failed" && r.say && <p>{r.say}</p>}
            </div>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Certificate({ v }: { v: View }) {
  const p = v.proven;
  const facts: [string, string][] = [
    ["The lock’s word on its bolt", p.bolt ? "can be believed" : "is not proven"],
    ["The contact’s word on the door", p.door ? "can be believed" : "is not proven"],
    ["A blocked bolt", p.jam ? "is reported as jammed" : "is not called thrown, and is found by the hub’s own limit; that the lock tried is your word"],
    ["Who worked the bolt", p.by ? "is told by the lock" : "is not told by the lock"],
    ["A silent contact", v.door_stale_ms ? `counts as unknown after ${seconds(v.door_stale_ms)}` : "was not heard to speak by itself during this test; the hub’s own limit stays"],
  ];
  return (
    <>
      <section class="card">
        <header class="card-head">
          <h2>What the hub relies on</h2>
        </header>
        <dl class="facts">
          {facts.map(([k, x]) => (
            <div key={k}>
              <dt>{k}</dt>
              <dd>{x}</dd>
            </div>
          ))}
        </dl>
      </section>
      {v.delays && v.delays.length > 0 && (
        <section class="card">
          <header class="card-head">
            <h2>What was measured</h2>
          </header>
          <ul class="walk-delays">
            {v.delays.map((d) => (
              <li key={d.of}>
                <div>
                  <strong>{words[d.of] ?? d.of}</strong>
                  <span>{sources[d.from] ?? d.from}</span>
                </div>
                <div>
                  <strong>{span(d.median_ms)}</strong>
                  <span>{d.n === 1 ? "once" : `${span(d.min_ms)} to ${span(d.max_ms)}, ${d.n} times`}</span>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Task({ v }: { v: View }) {
  const [busy, setBusy] = useState("");
  const [said, setSaid] = useState("");
  const [read, setRead] = useState(-1); // the turn that was shown for long enough to be read; the hub takes no press before
  useEffect(() => {
    setSaid("");
    const t = setTimeout(() => setRead(v.turn), glance);
    return () => clearTimeout(t);
  }, [v.turn]);
  const press = async (b: string): Promise<void> => {
    setBusy(b);
    setSaid("");
    try {
      view.value = await call<View>("POST", "/walk/api/press", { press: b, turn: v.turn, at_ms: v.at_ms });
      navigator.vibrate?.(20);
    } catch (e) {
      setSaid(refused(e));
    }
    setBusy("");
  };
  const left = v.left_ms ?? 0;
  const lines = v.say.split(/(?<=\.) /);
  const heading = v.camera && v.stage !== "end" ? `${v.title}: ${v.camera}` : v.title;
  return (
    <section class={`walk-task ${v.stage} ${v.stage === "end" ? (v.passed ? "good" : "bad") : ""}`} aria-live="polite">
      {v.stage === "failed" && <p class="walk-tag">Failed</p>}
      {v.stage === "ask" && <p class="walk-tag">Look</p>}
      <h1>{heading}</h1>
      {v.stage === "press" && lines.length > 1 ? (
        <ol class="walk-say">
          {lines.map((l) => (
            <li key={l}>{l}</li>
          ))}
        </ol>
      ) : (
        <p class="walk-say">{v.say}</p>
      )}
      {v.stage === "wait" && (
        <div class="walk-timer" role="timer" aria-label="Time left">
          <progress max={v.all_ms} value={left} />
          <span>{seconds(left)}</span>
        </div>
      )}
      {v.stage === "press" && v.hint && <Note tone="warn">{v.hint}</Note>}
      {v.way && <Note tone={v.way_left_ms ? "work" : v.buttons.some((b) => b.press === "out") ? "warn" : "calm"}>{v.way}</Note>}
      {said && <Note tone="danger">{said}</Note>}
      {v.stage === "end" && v.kept && <Note tone={v.lost ? "danger" : "calm"}>{v.kept} End the walk test on the hub’s terminal, then start the hub.</Note>}
      <div class="walk-buttons">
        {v.buttons.map((b) => (
          <Button
            key={b.press}
            kind={(b.press === "again" && v.buttons[0]?.press === "out" ? "plain" : (tones[b.press] ?? "plain")) as "main"}
            big={b.press !== "cannot" && b.press !== "next"}
            wide
            busy={busy === b.press}
            disabled={quiet.value || read !== v.turn || (busy !== "" && busy !== b.press) || (b.press === "go" && v.stage === "press" && !!v.hint)}
            onClick={() => void press(b.press)}
          >
            {b.label}
          </Button>
        ))}
      </div>
    </section>
  );
}

function App() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void (async () => {
      try {
        await enter();
        setReady(true);
      } catch (e) {
        out.value = e instanceof Error ? e.message : "This link does not open.";
      }
    })();
  }, []);
  useEffect(() => {
    if (!ready) return undefined;
    let ended = false;
    void follow(() => ended);
    return () => {
      ended = true;
    };
  }, [ready]);
  const v = view.value;
  if (out.value)
    return (
      <main class="door-page">
        <div class="door-head">
          <Mark size={56} />
          <h1>Walk test</h1>
          <p role="alert">{out.value}</p>
        </div>
      </main>
    );
  if (!v) return <Waiting>{quiet.value ? "The walk test does not answer. Is it still running on the hub?" : "Asking the hub…"}</Waiting>;
  return (
    <main class="walk">
      <header class="walk-top">
        <Mark size={24} />
        <span>Walk test · {v.door}</span>
        {v.of > 0 && v.stage !== "end" && (
          <span class="walk-count">
            {v.number} of {v.of}
          </span>
        )}
      </header>
      {v.of > 0 && <progress class="walk-bar" max={v.of + 1} value={v.stage === "end" ? v.of + 1 : v.number} aria-label="Progress" />}
      {quiet.value && <Note tone="danger">The walk test does not answer. Is your phone still on the home’s network? Nothing that you press now is taken.</Note>}
      {v.over && <Note tone="danger">The walk test was ended. Look at the door: its bolt stays as it is.</Note>}
      <div class="walk-body">
        <div class="walk-main">
          {v.stage !== "end" && <Live v={v} />}
          <Task v={v} />
          {v.stage === "end" && beside.value && <Certificate v={v} />}
        </div>
        <div class="walk-side">
          <Steps v={v} />
          {v.stage === "end" && !beside.value && <Certificate v={v} />}
        </div>
      </div>
    </main>
  );
}

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
