import { hhmmss } from "../lib/format.ts";
import { knownAt } from "../lib/fresh.ts";
import { lapsed, watchName, type Tone } from "../lib/state.ts";
import type { CameraOfView, LinkOfCamera } from "../lib/types.ts";
import { Card, Chip, Note } from "../ui/ui.tsx";
import { stale, view } from "./store.ts";

// CameraWarning says that one of several cameras does not watch. Another one does, so nothing is locked for it.
export function CameraWarning() {
  const v = view.value;
  const all = v?.cameras ?? [];
  if (v?.watch !== "live" || all.length < 2 || stale.value) return null;
  const blind = all.filter((c) => lapsed(c.watch));
  if (blind.length === 0) return null;
  return (
    <Note tone="warn" icon="noeye">
      {blind.map((c) => (
        <p key={c.name}>
          <strong>Camera {c.name} does not watch.</strong> {c.say}
        </p>
      ))}
      <p>Another camera sees this door, so couriers may go on.</p>
    </Note>
  );
}

// Cameras is each camera for itself, and what its connection is worth. Without news nobody knows what a camera sees (S13).
export function Cameras() {
  const v = view.value;
  const all = v?.cameras ?? [];
  if (v === null || all.length === 0) return null;
  return (
    <Card title={all.length === 1 ? "Camera" : "Cameras"}>
      {stale.value && (
        <p class="hint">
          No news since {hhmmss(knownAt(v))}. {all.length === 1 ? "Nobody knows whether it watches now. Its connection is told as it was then." : "Nobody knows whether they watch now. Their connections are told as they were then."}
        </p>
      )}
      <ul class="cameras">
        {all.map((c) => (
          <One key={c.name} camera={c} />
        ))}
      </ul>
    </Card>
  );
}

function One({ camera: c }: { camera: CameraOfView }) {
  return (
    <li>
      <p class="camera-head">
        <strong>{c.name}</strong>
        {stale.value ? <Chip tone="unknown">Unknown</Chip> : <Chip tone={tone(c.watch)}>{watchName(c.watch)}</Chip>}
      </p>
      {c.say && !stale.value && <p class="camera-say">{c.say}</p>}
      {c.link && <Connection link={c.link} />}
    </li>
  );
}

// Connection is the link certificate: the sentence, and the numbers for whoever wants them.
function Connection({ link: l }: { link: LinkOfCamera }) {
  return (
    <div class={`link ${l.refused ? "refused" : ""}`}>
      <p>
        <span class={`grade ${l.grade ? `grade-${l.grade.toLowerCase()}` : ""}`} aria-hidden="true">
          {l.grade || "–"}
        </span>
        <span>
          <span class="hidden">{l.grade ? `Connection: grade ${l.grade}. ` : "Connection: no grade yet. "}</span>
          {l.say}
        </span>
      </p>
      {l.grade && (
        <details>
          <summary>Gaps in {hours(l.hours)}</summary>
          <dl class="numbers">
            {(l.gaps ?? []).map((g) => (
              <div key={g.over_ms}>
                <dt>over {g.over_ms < 1000 ? `${g.over_ms} ms` : `${g.over_ms / 1000} s`}</dt>
                <dd>{g.n}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}

const hours = (h: number): string => (h < 2 ? `${Math.round(h * 60)} minutes` : `${Math.round(h)} hours`);

function tone(watch: string): Tone {
  if (watch === "live") return "calm";
  if (lapsed(watch)) return "danger";
  return watch === "unknown" ? "unknown" : "warn";
}
