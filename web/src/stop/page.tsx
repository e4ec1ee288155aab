import { useEffect, useState } from "preact/hooks";
import { buzz } from "../lib/buzz.ts";
import { dayName, left, spanText } from "../lib/format.ts";
import { now } from "../lib/clock.ts";
import { serverNow } from "../lib/api.ts";
import { refusal, sign } from "../lib/passkey.ts";
import { canSayOut, stage, type Stage } from "../lib/stage.ts";
import type { Check, Stop, View } from "../lib/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Slide } from "../ui/slide.tsx";
import { Button, Card, Field, Link, Note, Sheet, Top } from "../ui/ui.tsx";
import { canScan, Scan } from "./scan.tsx";
import { act, place, refresh, todo } from "./store.ts";

// StopPage walks a courier through one delivery. What it shows follows from the hub's view; the phone decides nothing.
export function StopPage({ stop: s }: { stop: Stop }) {
  const v = s.view ?? null;
  const at = stage(s, v);
  const [cannot, setCannot] = useState(false);
  useEffect(() => {
    if (at === "leave") buzz([300, 120, 300]);
  }, [at]);
  if (at === "leave" && v) return <Leave stop={s} view={v} />;
  return (
    <main class="page stop">
      <Top title={s.address} sub={`${s.recipient} · ${dayName(s.from)}, ${spanText(s.from, s.until)}`} back="/stop" />
      <Trail at={at} />
      <div aria-live="polite">
        {at === "knock" && <Knock stop={s} />}
        {(at === "wait" || at === "slide") && v && <Wait stop={s} view={v} ready={at === "slide"} />}
        {at === "opening" && <Big icon="turn" tone="work" title="Opening" text="Wait until the bolt has drawn." />}
        {at === "inside" && v && <Inside stop={s} view={v} />}
        {at === "closing" && v && <Closing stop={s} view={v} />}
        {at === "out" && v && <Out stop={s} view={v} />}
        {at === "released" && <Released stop={s} />}
        {at === "kept" && <Kept />}
        {at === "over" && <Over stop={s} />}
      </div>
      {["knock", "wait", "slide", "inside"].includes(at) && (
        <div class="cannot">
          <Button kind="quiet" wide onClick={() => setCannot(true)}>
            I cannot deliver
          </Button>
        </div>
      )}
      {cannot && <Cannot stop={s} onClose={() => setCannot(false)} />}
    </main>
  );
}

const trail: { name: string; of: Stage[] }[] = [
  { name: "Arrive", of: ["knock"] },
  { name: "Checks", of: ["wait", "slide", "opening"] },
  { name: "Deliver", of: ["inside", "closing"] },
  { name: "Out", of: ["out", "released", "kept", "over"] },
];

function Trail({ at }: { at: Stage }) {
  const n = trail.findIndex((t) => t.of.includes(at));
  return (
    <ol class="trail" aria-label={`Step ${n + 1} of ${trail.length}: ${trail[n]?.name ?? ""}`}>
      {trail.map((t, i) => (
        <li key={t.name} class={i < n ? "done" : i === n ? "now" : ""} aria-current={i === n ? "step" : undefined}>
          {t.name}
        </li>
      ))}
    </ol>
  );
}

function Big({ icon, tone, title, text }: { icon: string; tone: string; title: string; text: string }) {
  return (
    <section class={`big-state ${tone}`}>
      <Icon name={icon} size={56} />
      <h2>{title}</h2>
      <p>{text}</p>
    </section>
  );
}

function Knock({ stop: s }: { stop: Stop }) {
  const [knocked, setKnocked] = useState(false);
  const [code, setCode] = useState("");
  const [scanning, setScanning] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const arrive = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    const here = await place();
    const r = await act(s.delivery, "arrive", here ? { parcel: code.trim(), place: here } : { parcel: code.trim() });
    setBusy(false);
    if (r.ok) await refresh();
    else setProblem(r.sentence ?? "The hub refused.");
  };
  return (
    <>
      {s.instructions && (
        <Note tone="work" icon="person">
          {s.instructions}
        </Note>
      )}
      <Card class="step-card">
        <h2>
          <span class="n">1</span>Knock first
        </h2>
        <p>If somebody opens, hand the parcel over: the door stays theirs.</p>
        <button type="button" class="tick-button" aria-pressed={knocked} onClick={() => setKnocked(!knocked)}>
          <Icon name={knocked ? "check" : "knock"} />
          {knocked ? "Knocked, nobody opened" : "I knocked and nobody opened"}
        </button>
      </Card>
      <Card class={`step-card ${knocked ? "" : "later"}`}>
        <h2>
          <span class="n">2</span>Scan the parcel
        </h2>
        {scanning ? (
          <Scan
            onCode={(c) => {
              setCode(c);
              setScanning(false);
            }}
            onClose={() => setScanning(false)}
          />
        ) : (
          <>
            {canScan() && (
              <Button icon="scan" wide big onClick={() => setScanning(true)} disabled={!knocked}>
                Scan with the camera
              </Button>
            )}
            <Field label="Parcel code" value={code} onInput={setCode} code name="parcel" hint={`${(s.parcels ?? []).length === 1 ? "One parcel" : `${(s.parcels ?? []).length} parcels`} for this stop`} />
          </>
        )}
      </Card>
      <Card class={`step-card ${knocked && code ? "" : "later"}`}>
        <h2>
          <span class="n">3</span>Say that you are here
        </h2>
        {problem && <Note tone="danger">{problem}</Note>}
        <Button kind="main" big wide icon="place" busy={busy} disabled={!knocked || code.trim() === ""} onClick={() => void arrive()}>
          I’m at the door
        </Button>
        <p class="hint">You are filmed from now until you are out. Your position is sent once, if you allow it.</p>
      </Card>
    </>
  );
}

// Neutral names: the mark beside them says whether it holds.
const checkNames: Record<string, string> = {
  grant: "Permission",
  screening: "Your screening",
  place: "Right place",
  parcel: "Right parcel",
  window: "Time window",
  clock: "Home’s clock",
  watch: "Camera",
  recording: "Recording",
  lock: "Lock",
  door: "Door",
  service: "Service",
  household: "Household",
  block: "Resident’s block",
  config: "Set-up",
  alarm: "Alarms",
  smoke: "Smoke alarm",
  bolt: "Bolt",
};

function Checks({ checks }: { checks: Check[] }) {
  // One reason is enough: the first that does not hold says what to do, the rest wait quietly.
  const told = checks.findIndex((c) => !c.ok && c.sentence);
  const first = told >= 0 ? told : checks.findIndex((c) => !c.ok);
  return (
    <ul class="checks">
      {checks.map((c, i) => (
        <li key={c.name} class={c.ok ? "ok" : i === first ? "bad" : "waiting"}>
          <Icon name={c.ok ? "check" : "wait"} size={22} />
          <div>
            <span>{checkNames[c.name] ?? c.name}</span>
            {i === first && c.sentence && <p>{c.sentence}</p>}
          </div>
          <span class="hidden">{c.ok ? "is green" : "not yet"}</span>
        </li>
      ))}
    </ul>
  );
}

function Until({ until, word }: { until: string | undefined; word: string }) {
  if (!until) return null;
  void now.value;
  const s = Math.max(0, Math.ceil((Date.parse(until) - serverNow()) / 1000));
  return (
    <p class="until" aria-hidden="true">
      {word} {left(s)}
    </p>
  );
}

function Wait({ stop: s, view: v, ready }: { stop: Stop; view: View; ready: boolean }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [round, setRound] = useState(0);
  const slide = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const credential = await sign(v.nonce ?? "");
      const r = await act(s.delivery, "slide", { credential });
      if (!r.ok) setProblem(r.sentence ?? "The hub refused.");
    } catch (e) {
      setProblem(refusal(e));
    }
    setBusy(false);
    setRound((n) => n + 1); // the slide is fresh again: another try is another passkey over the newest nonce
  };
  const held = v.phase === "held";
  return (
    <>
      <Card class={ready ? "ready" : ""}>
        <h2 class="checks-title">{ready ? "All checks are green" : held ? "Please wait" : "Checking the door"}</h2>
        {!ready && v.sentence && <p class={held ? "held" : ""}>{v.sentence}</p>}
        <Checks checks={v.checks ?? []} />
        {!ready && <Until until={v.until} word="Called off in" />}
      </Card>
      {problem && <Note tone="danger">{problem}</Note>}
      <div class="slide-box">
        <Slide
          key={`${round}`}
          label="Slide to open"
          hint={ready ? "Drag it to the end, then confirm with your passkey." : "It works as soon as every check is green."}
          disabled={!ready && !busy}
          busy={busy}
          onDone={() => void slide()}
        />
      </div>
    </>
  );
}

const doorWords: Record<string, string> = { open: "Door open", closed: "Door closed", ajar: "Door ajar", unknown: "Door not reported" };
const boltWords: Record<string, string> = { thrown: "Bolted", drawn: "Bolt drawn", jammed: "Bolt jammed", unknown: "Bolt not reported" };

function DoorNow({ view: v }: { view: View }) {
  return (
    <div class="door-now" role="status">
      <span class={v.door_is === "closed" ? "ok" : ""}>
        <Icon name={v.door_is === "closed" ? "check" : "open"} size={20} />
        {doorWords[v.door_is] ?? "Door not reported"}
      </span>
      <span class={v.bolt === "thrown" ? "ok" : ""}>
        <Icon name={v.bolt === "thrown" ? "check" : "bolt"} size={20} />
        {boltWords[v.bolt] ?? "Bolt not reported"}
      </span>
    </div>
  );
}

function Inside({ stop: s, view: v }: { stop: Stop; view: View }) {
  const open = v.door_is === "open" || v.door_is === "ajar";
  const odd = v.possibly_open || v.phase === "unproven";
  return (
    <>
      <Big
        icon={odd ? "alert" : "open"}
        tone={odd ? "warn" : "work"}
        title={odd ? "Not confirmed" : open ? "Place the parcel" : "Open the door"}
        text={odd ? v.sentence || "The lock has not reported. Pull the door shut and stay until it is bolted." : open ? s.instructions || "Just inside the door. Then step out and pull it shut." : "It is unlocked. Push it open; it locks again if it stays closed."}
      />
      <DoorNow view={v} />
      <Until until={v.until} word={open ? "Close the door within" : "Open it within"} />
      {canSayOut(v) && <SayOut stop={s} view={v} />}
    </>
  );
}

function Closing({ stop: s, view: v }: { stop: Stop; view: View }) {
  return (
    <>
      <Big icon="lock" tone="work" title="Bolting" text={v.sentence || "Keep the door shut. You can go on when the bolt has reported."} />
      <DoorNow view={v} />
      <Until until={v.until} word="The bolt reports within" />
      {canSayOut(v) && <SayOut stop={s} view={v} />}
    </>
  );
}

function SayOut({ stop: s, view: v }: { stop: Stop; view: View }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const out = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const r = await act(s.delivery, "out", { credential: await sign(v.out_nonce ?? "") });
      if (!r.ok) setProblem(r.sentence ?? "The hub refused.");
    } catch (e) {
      setProblem(refusal(e));
    }
    setBusy(false);
  };
  return (
    <div class="say-out">
      {problem && <Note tone="danger">{problem}</Note>}
      <Button kind="main" big wide icon="leave" busy={busy} onClick={() => void out()}>
        I am out
      </Button>
      <p class="hint">You sign with your passkey that nobody who came with you is still inside.</p>
    </div>
  );
}

function Out({ stop: s, view: v }: { stop: Stop; view: View }) {
  return (
    <>
      <Big icon="shield" tone="calm" title="Bolted" text="The door is shut and the bolt has reported. Press “I am out” to finish." />
      <DoorNow view={v} />
      {canSayOut(v) ? <SayOut stop={s} view={v} /> : <Note tone="work">Thank you. The hub is checking this.</Note>}
      <Until until={v.until} word="Press it within" />
    </>
  );
}

function Released({ stop: s }: { stop: Stop }) {
  return (
    <>
      <Big icon="check" tone="calm" title="You are released" text="The door is bolted and you are out. Thank you." />
      <Onward from={s} />
    </>
  );
}

// Onward leads to the next stop if there is one, else to the list.
function Onward({ from }: { from: Stop }) {
  const next = todo().find((s) => s.delivery !== from.delivery);
  return (
    <Link to={next ? `/stop/${encodeURIComponent(next.delivery)}` : "/stop"} class="button main big wide">
      {next ? `Next stop: ${next.address}` : "Today’s stops"}
    </Link>
  );
}

// Kept is a courier who is out of a visit that became an incident: nobody releases him but his depot.
function Kept() {
  return <Big icon="alert" tone="warn" title="Not released" text="This visit has become an incident. The resident and your depot have been told. Call your depot before you go on." />;
}

function Over({ stop: s }: { stop: Stop }) {
  const done = s.state === "done";
  if (s.state === "failed" && s.reason && !s.reason.startsWith("cannot-deliver")) {
    return (
      <>
        <Big icon="alert" tone="warn" title="Ended as an incident" text="The resident and your depot have been told. Call your depot before you go on: it says what happens to the parcel." />
        <Link to="/stop" class="button plain big wide">
          Today’s stops
        </Link>
      </>
    );
  }
  return (
    <>
      <Big icon={done ? "check" : "parcel"} tone={done ? "calm" : "warn"} title={done ? "Delivered" : "Not delivered"} text={done ? "This stop is finished." : s.view?.sentence || "Take the parcel back with you; the depot knows why."} />
      <Onward from={s} />
    </>
  );
}

// Leave fills the screen: whatever the courier was doing, this comes first.
function Leave({ stop: s, view: v }: { stop: Stop; view: View }) {
  const closed = v.door_is === "closed";
  return (
    <main class="leave-now">
      <Icon name="leave" size={72} />
      <div role="alert">
        <h1>Leave now</h1>
        <p class="leave-why">{v.sentence || "The camera has lost the picture."}</p>
      </div>
      <p>{closed ? "The door is shut. Go on only when you are outside and have said so." : "Take the parcel or leave it, step out, pull the door shut."}</p>
      <DoorNow view={v} />
      {closed && canSayOut(v) && <SayOut stop={s} view={v} />}
    </main>
  );
}

const whys: { why: string; text: string }[] = [
  { why: "nobody", text: "The address cannot be found or reached" },
  { why: "dog", text: "An animal is loose" },
  { why: "door", text: "The door does not open or does not close" },
  { why: "parcel", text: "The parcel is damaged or does not fit" },
  { why: "unsafe", text: "It does not feel safe" },
  { why: "other", text: "Something else" },
];

function Cannot({ stop: s, onClose }: { stop: Stop; onClose: () => void }) {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const say = async (why: string): Promise<void> => {
    setBusy(why);
    const r = await act(s.delivery, "cannot", { why });
    setBusy("");
    if (!r.ok) return setProblem(r.sentence ?? "The hub refused.");
    await refresh();
    onClose();
  };
  return (
    <Sheet title="Why can you not deliver?" onClose={onClose}>
      {problem && <Note tone="danger">{problem}</Note>}
      <div class="choices">
        {whys.map((w) => (
          <Button key={w.why} wide big busy={busy === w.why} disabled={busy !== ""} onClick={() => void say(w.why)}>
            {w.text}
          </Button>
        ))}
      </div>
    </Sheet>
  );
}
