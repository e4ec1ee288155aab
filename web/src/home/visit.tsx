import { useEffect, useState } from "preact/hooks";
import { get } from "../lib/api.ts";
import { dayName, hhmm, hhmmss, since, size } from "../lib/format.ts";
import { Refused } from "../lib/live.ts";
import { gapText, tenths } from "../lib/state.ts";
import type { Gap, TimelineEntry, Visit } from "../lib/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Chip, Note, Top, Waiting } from "../ui/ui.tsx";
import { outcome } from "./lists.tsx";
import { session } from "./picture.tsx";
import { home } from "./store.ts";

// VisitPage is one visit's film and record. The film comes from the hub itself and is shown only if its digest is the one
// on record.
export function VisitPage({ id }: { id: string }) {
  const [visit, setVisit] = useState<Visit | null>(null);
  const [problem, setProblem] = useState("");
  const summary = home.value?.visits?.find((v) => v.id === id);
  const mark = `${summary?.outcome ?? ""}${summary?.ended ?? ""}${summary?.has_clip ?? ""}`;
  useEffect(() => {
    let on = true;
    get<Visit>(`/api/visits/${encodeURIComponent(id)}`).then(
      (v) => on && setVisit(v),
      (e: unknown) => on && setProblem(e instanceof Error ? e.message : "The visit could not be read."),
    );
    return () => {
      on = false;
    };
  }, [id, mark]);
  if (problem)
    return (
      <main class="page">
        <Top title="Visit" back="/home" />
        <Note tone="danger">{problem}</Note>
      </main>
    );
  if (visit === null) return <Waiting>Reading the record…</Waiting>;
  const o = outcome(visit);
  return (
    <main class="page visit">
      <Top title={visit.courier_name || "Visit"} sub={`${dayName(visit.began)}, ${hhmm(visit.began)}${visit.ended ? ` – ${hhmm(visit.ended)}` : ""}`} back="/home">
        <Chip tone={o.tone}>{o.short}</Chip>
      </Top>
      <div class="columns">
        <div class="column">
          <Film visit={visit} />
          {visit.gap_s > 0 && (
            <Card tone="danger" title="Not watched">
              <p class="incident-gap">
                <span class="figure">{tenths(visit.gap_s)}</span>
                <span>while the door was not secured. The record keeps this gap for good.</span>
              </p>
            </Card>
          )}
        </div>
        <div class="column">
          <Card title="What happened">
            <Coverage visit={visit} />
            <Timeline visit={visit} />
          </Card>
        </div>
      </div>
    </main>
  );
}

function Film({ visit }: { visit: Visit }) {
  const [url, setUrl] = useState("");
  const [progress, setProgress] = useState(-1);
  const [problem, setProblem] = useState<{ text: string; grave: boolean } | null>(null);
  const [digest, setDigest] = useState("");
  useEffect(() => () => {
    if (url) URL.revokeObjectURL(url);
  }, [url]);
  const live = session(visit.hub, visit.door);
  useEffect(() => () => live.stop(), [live]);

  const load = async (): Promise<void> => {
    if (!visit.clip) return;
    setProblem(null);
    setProgress(0);
    live.start();
    try {
      const got = await live.clip(visit.id, visit.clip.sha256, (n, of) => setProgress(n / of));
      setDigest(got.sha256);
      setUrl(URL.createObjectURL(got.blob));
    } catch (e) {
      setProblem({ text: e instanceof Error ? e.message : "The clip did not arrive.", grave: e instanceof Refused });
    }
    setProgress(-1);
    live.stop();
  };
  if (!visit.clip) {
    return (
      <div class="film empty-film">
        <Icon name="film" size={40} />
        <p>{visit.outcome === "going" ? "The film is filed when the visit ends." : "There is no film of this visit."}</p>
      </div>
    );
  }
  return (
    <div class="film-box">
      {url ? (
        <video class="film" src={url} controls playsInline preload="auto" aria-label="Film of the visit" />
      ) : (
        <div class="film empty-film">
          <Button kind="main" big icon="play" busy={progress >= 0} onClick={() => void load()}>
            {progress >= 0 ? `Fetching, ${Math.floor(progress * 100)} %` : "Watch the film"}
          </Button>
          <p>
            {since(visit.clip.seconds)} long, {size(visit.clip.bytes)}. It comes straight from your hub, encrypted, and is checked here before it is shown.
          </p>
        </div>
      )}
      {digest && (
        <Note tone="calm" icon="shield">
          This film is the one on record. <span class="digest">SHA-256 {digest.slice(0, 16)}…</span>
        </Note>
      )}
      {problem && <Note tone={problem.grave ? "danger" : "warn"}>{problem.text}</Note>}
    </div>
  );
}

// Coverage is the visit as one line: watched, and the holes in the watch. The timeline says the same in words.
function Coverage({ visit }: { visit: Visit }) {
  const began = Date.parse(visit.began);
  const last = visit.timeline?.at(-1);
  const end = visit.ended ? Date.parse(visit.ended) : last ? Date.parse(last.t) : began + 1;
  const long = Math.max(1, end - began);
  const x = (t: string): number => Math.min(1000, Math.max(0, ((Date.parse(t) - began) / long) * 1000));
  return (
    <div class="coverage">
      <svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label={(visit.gaps ?? []).length === 0 ? "Watched without a break" : `${(visit.gaps ?? []).length} breaks in the watch`}>
        <rect class="watched" x="0" y="0" width="1000" height="14" />
        {(visit.gaps ?? []).map((g) => (
          <rect key={g.from} class="gap" x={x(g.from)} y="0" width={Math.max(8, x(g.to) - x(g.from))} height="14" />
        ))}
      </svg>
      <p class="coverage-words" aria-hidden="true">
        <span>{hhmmss(visit.began)}</span>
        <span>{(visit.gaps ?? []).length === 0 ? "Watched without a break" : `Not watched: ${tenths(visit.gap_s)}`}</span>
        <span>{visit.ended ? hhmmss(visit.ended) : "now"}</span>
      </p>
    </div>
  );
}

type Line = { at: number; entry?: TimelineEntry; gap?: Gap };

function Timeline({ visit }: { visit: Visit }) {
  const began = Date.parse(visit.began);
  const lines: Line[] = [
    ...(visit.timeline ?? []).map((entry) => ({ at: Date.parse(entry.t), entry })),
    ...(visit.gaps ?? []).map((gap) => ({ at: Date.parse(gap.from), gap })),
  ].sort((a, b) => a.at - b.at);
  if (lines.length === 0) return <p class="hint">Nothing is on record yet.</p>;
  return (
    <ol class="timeline">
      {lines.map((l) =>
        l.gap ? (
          <li key={`gap${l.gap.from}`} class="gap">
            <span class="t">{since((l.at - began) / 1000)}</span>
            <span class="text">{gapText(l.gap)}</span>
          </li>
        ) : (
          <li key={l.entry?.i} class={mood(l.entry)}>
            <span class="t">{since(l.entry?.in ?? 0)}</span>
            <span class="text">
              {l.entry?.text || l.entry?.word}
              <span class="entry" title="Its place in your hub’s own record">
                #{l.entry?.entry}
              </span>
            </span>
          </li>
        ),
      )}
    </ol>
  );
}

function mood(e: TimelineEntry | undefined): string {
  const w = `${e?.kind} ${e?.word}`;
  if (/alarm|incident|leave|lapse|refuse/.test(w)) return "bad";
  if (/secured|release|end/.test(w)) return "good";
  return "";
}
