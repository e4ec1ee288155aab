import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../lib/api.ts";
import { hhmmss, since, size, when } from "../lib/format.ts";
import { Refused } from "../lib/live.ts";
import { gapText, tenths } from "../lib/state.ts";
import type { ClipFile, Gap, TimelineEntry, Visit } from "../lib/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Chip, Note, Top, Waiting } from "../ui/ui.tsx";
import { CloseIncident, openIncidents } from "./alarms.tsx";
import { Why } from "./evidence.tsx";
import { outcome } from "./lists.tsx";
import { session } from "./picture.tsx";
import { home } from "./store.ts";

// VisitPage is one visit's film and record. The film comes from the hub itself and is shown only if its digest is the one
// on record.
export function VisitPage({ id }: { id: string }) {
  const [visit, setVisit] = useState<Visit | null>(null);
  const [problem, setProblem] = useState("");
  const summary = home.value?.visits?.find((v) => v.id === id);
  useEffect(() => {
    let on = true;
    get<Visit>(`/api/visits/${encodeURIComponent(id)}`).then(
      (v) => on && setVisit(v),
      (e: unknown) => on && setProblem(e instanceof Error ? e.message : "The visit could not be read."),
    );
    return () => {
      on = false;
    };
  }, [id, summary]);
  if (problem)
    return (
      <main class="page">
        <Top title="Visit" back="/home" />
        <Note tone="danger">{problem}</Note>
      </main>
    );
  if (visit === null) return <Waiting>Reading the record…</Waiting>;
  const o = outcome(visit);
  const incident = openIncidents().find((i) => i.visit === id);
  return (
    <main class="page visit">
      <Top title={visit.courier_name || "Visit"} sub={when(visit.began, visit.ended)} back="/home">
        <Chip tone={o.tone}>{o.short}</Chip>
      </Top>
      <div class="columns">
        <div class="column">
          <Film visit={visit} />
          {(visit.gap_s > 0 || incident) && (
            <Card tone="danger" title={visit.gap_s > 0 ? "Not watched" : "An incident to read"}>
              {visit.gap_s > 0 ? (
                <p class="incident-gap">
                  <span class="figure">{tenths(visit.gap_s)}</span>
                  <span>while the door was not secured. The record keeps this gap for good.</span>
                </p>
              ) : (
                <p>{incident?.text}</p>
              )}
              <Why evidence={(visit.timeline ?? []).find((e) => e.kind === "watch" && !e.word.startsWith("camera-") && (e.evidence ?? []).length > 0)?.evidence} />
              {incident && <CloseIncident incident={incident} />}
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
  const film = visit.clip?.files ?? [];
  const fetched = visit.clip?.backfilled ?? [];
  const files = [...film, ...fetched]; // what was fetched comes last, and is not played unasked
  const [shown, setShown] = useState(""); // the file that is shown: more may be filed while it is
  const at = Math.max(0, files.findIndex((f) => f.sha256 === shown));
  const [url, setUrl] = useState("");
  const [between, setBetween] = useState<Between | null>(null);
  const [second, setSecond] = useState(0); // of the file
  const [progress, setProgress] = useState(-1);
  const [problem, setProblem] = useState<{ text: string; grave: boolean } | null>(null);
  const [digest, setDigest] = useState("");
  const round = useRef(0); // counts what was asked for, so that an older answer is dropped
  useEffect(() => () => {
    if (url) URL.revokeObjectURL(url);
  }, [url]);
  const live = session(visit.hub, visit.door);
  useEffect(
    () => () => {
      round.current++;
      live.stop();
    },
    [live],
  );

  // load fetches one file and shows it after the gap before it, if there is one.
  const load = async (i: number, gap: Between | null): Promise<void> => {
    const file = files[i];
    if (file === undefined) return;
    const mine = ++round.current;
    setShown(file.sha256);
    setUrl("");
    setDigest("");
    setSecond(0);
    setProblem(null);
    setBetween(gap);
    setProgress(0);
    live.start();
    try {
      const [got] = await Promise.all([live.clip(visit.id, file, (n, of) => mine === round.current && setProgress(n / of)), gap === null ? null : new Promise((r) => setTimeout(r, gapShown))]);
      if (mine !== round.current) return;
      setDigest(got.sha256);
      setUrl(URL.createObjectURL(got.blob));
    } catch (e) {
      if (mine !== round.current) return;
      setProblem({ text: e instanceof Error ? e.message : "The clip did not arrive.", grave: e instanceof Refused });
    }
    setBetween(null);
    setProgress(-1);
    live.stop();
  };
  const backfilled = at >= film.length;
  if (files.length === 0) {
    return (
      <div class="film empty-film">
        <Icon name="film" size={40} />
        <p>{visit.outcome === "going" ? "The film is filed when the visit ends." : "There is no film of this visit."}</p>
      </div>
    );
  }
  const file = files[at] ?? files[0];
  const now = Date.parse(file?.from ?? "") + second * 1000;
  const unwatched = (visit.gaps ?? []).find((g) => Date.parse(g.from) <= now && now < Date.parse(g.to));
  return (
    <div class="film-box">
      {url ? (
        <>
          <video
            class="film"
            src={url}
            controls
            playsInline
            autoPlay={at > 0}
            preload="auto"
            aria-label="Film of the visit"
            onTimeUpdate={(e) => setSecond(e.currentTarget.currentTime)}
            onEnded={() => {
              if (at + 1 < film.length && files[at + 1]?.camera === file?.camera) void load(at + 1, holeBefore(files, at + 1));
            }}
          />
          <p class={`film-clock ${unwatched || backfilled ? "bad" : ""}`}>
            {hhmmss(now)}
            {backfilled && " by the camera’s clock · Nobody watched this. It was fetched from the camera’s own storage afterwards."}
            {unwatched && !backfilled && ` · Not watched here: the picture may stand still. ${gapText(unwatched)}`}
          </p>
        </>
      ) : between ? (
        <div class="film empty-film film-gap" role="status">
          <Icon name="noeye" size={40} />
          <strong>Not filmed for {tenths(between.seconds)}</strong>
          <p>
            {hhmmss(between.from)} – {hhmmss(between.to)}
          </p>
        </div>
      ) : (
        <div class="film empty-film">
          <Button kind="main" big icon="play" busy={progress >= 0} onClick={() => void load(at, null)}>
            {progress >= 0 ? `Fetching, ${Math.floor(progress * 100)} %` : backfilled ? "Look at what the camera had kept" : "Watch the film"}
          </Button>
          <p>
            {backfilled ? "There is no film of this visit, only what the camera itself had kept. " : `${since(visit.clip?.seconds ?? 0)} long, ${size(visit.clip?.bytes ?? 0)}`}
            {backfilled ? "" : film.length > 1 ? `, in ${film.length} parts. ` : ". "}It comes straight from your hub, encrypted, and is checked here before it is shown.
          </p>
        </div>
      )}
      {film.length > 0 && files.length > 1 && (
        <ol class="film-parts" aria-label="Parts of the film">
          {film.map((f, i) => {
            const hole = holeBefore(film, i);
            return (
              <li key={f.sha256}>
                {hole && <span class="film-hole">Not filmed for {tenths(hole.seconds)}</span>}
                {i > 0 && files[i - 1]?.camera !== f.camera && <span class="film-hole">Camera {f.camera}</span>}
                <Button kind={i === at ? "main" : "plain"} icon="play" onClick={() => void load(i, null)}>
                  {hhmmss(f.from)} · {since(f.seconds)}
                </Button>
              </li>
            );
          })}
        </ol>
      )}
      {fetched.length > 0 && (
        <section class="film-fetched" aria-label="Fetched afterwards">
          <h3>Not watched, fetched afterwards</h3>
          <p>The camera had kept this in its own storage. Nobody watched it as it happened, and the gap stays on record as it is.</p>
          <ol class="film-parts">
            {fetched.map((f, i) => (
              <li key={f.sha256}>
                {fetched.length > 1 && fetched[i - 1]?.camera !== f.camera && <span class="film-hole">Camera {f.camera}</span>}
                <Button kind={film.length + i === at && shown ? "main" : "plain"} icon="play" onClick={() => void load(film.length + i, null)}>
                  {hhmmss(f.from)} · {since(f.seconds)}
                </Button>
              </li>
            ))}
          </ol>
        </section>
      )}
      {digest && (
        <Note tone="calm" icon="shield">
          {backfilled ? "This is the file on record as fetched afterwards." : "This film is the one on record."} <span class="digest">SHA-256 {digest.slice(0, 16)}…</span>
        </Note>
      )}
      {problem && <Note tone={problem.grave ? "danger" : "warn"}>{problem.text}</Note>}
    </div>
  );
}

interface Between {
  from: string;
  to: string;
  seconds: number;
}

// How long the gap between two parts is shown, in milliseconds: long enough to be read.
const gapShown = 2500;

// holeBefore is what was not filmed between a file and the one before it of the same camera. Under a tenth of a second nothing was
// missed: a camera's own pictures are that far apart.
function holeBefore(files: ClipFile[], i: number): Between | null {
  const a = files[i - 1];
  const b = files[i];
  if (a === undefined || b === undefined || a.camera !== b.camera) return null;
  const seconds = (Date.parse(b.from) - Date.parse(a.to)) / 1000;
  return seconds >= 0.1 ? { from: a.to, to: b.from, seconds } : null;
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
              <Why evidence={l.entry?.evidence} />
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
