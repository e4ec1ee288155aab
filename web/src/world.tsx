import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "./lib/api.ts";
import { hhmmss } from "./lib/format.ts";
import { Icon, Mark } from "./ui/icons.tsx";
import { Guard } from "./ui/shell.tsx";
import { Button, Note } from "./ui/ui.tsx";

// The demo's world: two phones, and the truth that neither of them can see. Everything here happens to a pretend home on
// real protocols; the phones show what the product makes of it.

interface World {
  bolt: string;
  door: string;
  inside: string[] | null;
  camera: { mode: string; jammed: boolean };
  uplink: boolean;
  jam: boolean;
  playing: string;
  log: { t: string; who: string; text: string }[] | null;
  buttons: { id: string; label: string; group: string; on: boolean; enabled: boolean }[] | null;
  logins: { role: string; name: string; url: string }[] | null;
}

const world = signal<World | null>(null);
const following = signal(false);
const problem = signal("");

async function act(path: string, body: unknown): Promise<void> {
  try {
    await post(path, body);
    problem.value = "";
  } catch (e) {
    problem.value = e instanceof Error ? e.message : "The world did not answer.";
  }
}

function follow(): () => void {
  const s = new EventSource("/world/api/events");
  s.onopen = () => {
    following.value = true;
  };
  s.onerror = () => {
    following.value = false;
  };
  s.addEventListener("state", (e) => {
    // A partial state keeps the logins of the first: they are told once.
    world.value = { ...(world.value ?? {}), ...(JSON.parse((e as MessageEvent<string>).data) as World) };
  });
  return () => s.close();
}

// Scene draws the truth: the door, the bolt, who is inside and what the camera sees. Words beside it say the same.
function Scene({ w }: { w: World }) {
  const open = w.door === "open" || w.door === "ajar";
  const seen = !w.camera.jammed && ["", "live", "honest"].includes(w.camera.mode);
  const inside = w.inside ?? [];
  return (
    <svg class="scene" viewBox="0 0 360 200" role="img" aria-label={`Door ${w.door}, bolt ${w.bolt}, inside: ${inside.join(", ") || "nobody"}`}>
      <rect class="s-room" x="0" y="0" width="230" height="176" rx="6" />
      <rect class="s-street" x="230" y="0" width="130" height="176" rx="6" />
      <rect class="s-floor" x="0" y="176" width="360" height="24" />
      {seen && <path class="s-beam" d="M30 34 224 56v116H96Z" />}
      <g class={`s-camera ${seen ? "" : "blind"}`}>
        <rect x="14" y="22" width="26" height="18" rx="4" />
        <circle cx="34" cy="31" r="5" />
      </g>
      <rect class="s-frame" x="222" y="46" width="12" height="130" />
      {open ? <path class="s-door" d="M222 52 178 66v110h44Z" /> : <rect class="s-door" x="222" y="52" width="12" height="124" />}
      {w.bolt !== "unknown" && <rect class={`s-bolt ${w.bolt}`} x={w.bolt === "thrown" ? 228 : 214} y="112" width="18" height="7" rx="2" />}
      {inside.map((name, i) => (
        <g key={name} class="s-person" transform={`translate(${70 + i * 44} 104)`}>
          <circle cx="12" cy="10" r="10" />
          <path d="M-2 72V38a14 14 0 0 1 28 0v34Z" />
        </g>
      ))}
      {(w.jam || w.camera.jammed) && (
        <g class="s-jam">
          <path d="M296 44a24 24 0 0 0 0 34M286 36a38 38 0 0 0 0 50M276 28a52 52 0 0 0 0 66" />
          <circle cx="306" cy="61" r="6" />
        </g>
      )}
      <text x="12" y="193">
        Inside
      </text>
      <text x="306" y="193">
        Street
      </text>
    </svg>
  );
}

function Truth({ w }: { w: World }) {
  const rows: { name: string; value: string; bad: boolean }[] = [
    { name: "Door", value: w.door, bad: w.door !== "closed" },
    { name: "Bolt", value: w.bolt, bad: w.bolt !== "thrown" },
    { name: "Inside", value: (w.inside ?? []).join(", ") || "nobody", bad: (w.inside ?? []).length > 0 },
    { name: "Camera", value: w.camera.jammed ? "jammed" : w.camera.mode || "live", bad: w.camera.jammed || !["", "live", "honest"].includes(w.camera.mode) },
    { name: "Uplink", value: w.uplink ? "up" : "cut", bad: !w.uplink },
    { name: "Lock’s radio", value: w.jam ? "jammed" : "clear", bad: w.jam },
  ];
  return (
    <dl class="truth">
      {rows.map((r) => (
        <div key={r.name} class={r.bad ? "odd" : ""}>
          <dt>{r.name}</dt>
          <dd>{r.value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Buttons({ w, group, title }: { w: World; group: string; title: string }) {
  const list = (w.buttons ?? []).filter((b) => b.group === group);
  if (list.length === 0) return null;
  return (
    <section class={`world-group ${group}`}>
      <h3>{title}</h3>
      <div class="world-buttons">
        {list.map((b) => (
          <button key={b.id} type="button" class="button plain" aria-pressed={b.on} disabled={!b.enabled} onClick={() => void act("/world/api/do", { id: b.id })}>
            <span>{b.label}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

function Log({ w }: { w: World }) {
  const end = useRef<HTMLLIElement>(null);
  const log = w.log ?? [];
  useEffect(() => {
    const list = end.current?.parentElement;
    if (list) list.scrollTop = list.scrollHeight;
  }, [log.length]);
  return (
    <ol class="world-log" aria-label="What happens" aria-live="polite" tabIndex={0}>
      {log.length === 0 && <li class="hint">Nothing yet. Play a visit, or press something.</li>}
      {log.map((l, i) => (
        <li key={`${l.t}${i}`} class={l.who}>
          <span class="t">{hhmmss(l.t)}</span>
          <span class="who">{l.who}</span>
          <span>{l.text}</span>
        </li>
      ))}
      <li ref={end} class="end" aria-hidden="true" />
    </ol>
  );
}

function Phone({ w, role, title }: { w: World; role: string; title: string }) {
  const login = (w.logins ?? []).find((l) => l.role === role);
  // The link signs in once; it is not loaded again when the world changes.
  const [url] = useState(login?.url);
  return (
    <section class="phone-box" aria-label={title}>
      <h2>
        {title}
        {login && <span>{login.name}</span>}
      </h2>
      <div class="phone">
        {url ? <iframe src={url} title={title} allow="publickey-credentials-get *; publickey-credentials-create *; camera *; geolocation *; autoplay *" /> : <p class="empty">No login for this phone.</p>}
      </div>
    </section>
  );
}

function App() {
  useEffect(() => {
    get<World>("/world/api/state").then(
      (w) => {
        world.value = { ...w, ...(world.value ?? {}), logins: w.logins };
      },
      (e: unknown) => {
        problem.value = e instanceof Error ? e.message : "The world did not answer.";
      },
    );
    return follow();
  }, []);
  const w = world.value;
  if (w === null || w.logins == null) {
    return (
      <div class="waiting">
        <Mark size={56} />
        <p role="status">{problem.value || "Making a world…"}</p>
      </div>
    );
  }
  return (
    <div class="world">
      <header class="world-top">
        <Mark size={36} />
        <div>
          <h1>No eye, no bolt</h1>
          <p>A pretend home on real protocols. Left and right: what the two phones know. In the middle: what is true.</p>
        </div>
        {!following.value && (
          <p class="offline" role="status">
            <Icon name="offline" size={20} /> The world is out of reach.
          </p>
        )}
      </header>
      <div class="world-panels">
        <Phone w={w} role="resident" title="The resident’s phone" />
        <main class="world-main">
          <div class="world-play">
            <Button kind="main" big icon="play" busy={w.playing === "honest"} disabled={w.playing !== ""} onClick={() => void act("/world/api/play", { what: "honest" })}>
              {w.playing === "honest" ? "Playing the visit" : "Play the honest visit"}
            </Button>
            <Button kind="danger" big icon="play" busy={w.playing === "rhino"} disabled={w.playing !== ""} onClick={() => void act("/world/api/play", { what: "rhino" })}>
              {w.playing === "rhino" ? "Playing the attack" : "Play the Rhino attack"}
            </Button>
          </div>
          {problem.value && <Note tone="danger">{problem.value}</Note>}
          <section class="card">
            <header class="card-head">
              <h2>The truth</h2>
            </header>
            <div class="truth-box">
              <Scene w={w} />
              <Truth w={w} />
            </div>
          </section>
          <section class="card">
            <header class="card-head">
              <h2>What happens</h2>
            </header>
            <Log w={w} />
          </section>
          <section class="card world-groups">
            <Buttons w={w} group="people" title="People" />
            <Buttons w={w} group="attack" title="Attacks" />
          </section>
        </main>
        <Phone w={w} role="courier" title="The courier’s phone" />
      </div>
    </div>
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
