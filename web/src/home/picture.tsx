import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Age } from "../lib/age.ts";
import { get } from "../lib/api.ts";
import { Live } from "../lib/live.ts";
import { pinned } from "../lib/pins.ts";
import { lapsed, watchName } from "../lib/state.ts";
import type { Me, View } from "../lib/types.ts";
import { me } from "../ui/shell.tsx";
import { Icon } from "../ui/icons.tsx";
import { Button } from "../ui/ui.tsx";

// Picture is the live view of one door. The age of the newest picture is always on it; past one second, or without a
// connection, the last picture is grey and says NOT LIVE (S15).

type Frames = HTMLVideoElement & { requestVideoFrameCallback?: (f: () => void) => number };

const sessions = new Map<string, Live>();

// session is the one connection to a door's hub on this page.
export function session(hub: string, door: string): Live {
  const k = `${hub}/${door}`;
  let s = sessions.get(k);
  if (s === undefined) {
    s = new Live(hub, door, async () => (me.value?.ice?.length ? ((await get<Me>("/api/me")).ice ?? []) : []));
    sessions.set(k, s);
  }
  return s;
}

export function Picture({ hub, door, name, view }: { hub: string; door: string; name: string; view: View | null }) {
  const live = session(hub, door);
  const video = useRef<HTMLVideoElement>(null);
  const age = useSignal<Age>(live.clock.age(performance.now()));
  const had = useSignal(false);
  // Pairing pins a key and tells so by me: only then can a picture be trusted, and a refusal by an older key is over.
  const key = me.value === null ? null : pinned(hub);

  useEffect(() => {
    if (key === null) return;
    live.start();
    const timer = setInterval(() => {
      age.value = live.clock.age(performance.now());
    }, 100);
    return () => {
      clearInterval(timer);
      live.stop();
    };
  }, [live, key]);

  useEffect(() => {
    const v = video.current as Frames | null;
    const stream = live.stream.value;
    if (v === null || stream === null) return;
    v.srcObject = stream;
    v.play().catch(() => undefined);
    let on = true;
    const frame = (): void => {
      if (!on) return;
      live.clock.shown(performance.now());
      had.value = true;
      v.requestVideoFrameCallback?.(frame);
    };
    if (v.requestVideoFrameCallback) v.requestVideoFrameCallback(frame);
    else v.ontimeupdate = frame; // coarser (4 Hz), never younger than true
    return () => {
      on = false;
      v.ontimeupdate = null;
    };
  }, [live, live.stream.value]);

  const refused = live.state.value === "refused";
  const shown = useComputed(() => had.value && live.state.value !== "refused");
  const isLive = shown.value && age.value.live && live.state.value === "on";
  const watch = age.value.watch || view?.watch || "";
  const bad = isLive && (lapsed(watch) || watch === "lagging");
  return (
    <figure class={`picture ${isLive ? "is-live" : "not-live"} ${shown.value ? "" : "blank"}`} aria-label={`Picture of ${name}`}>
      <video ref={video} class={shown.value ? "" : "hidden"} muted playsInline disablePictureInPicture aria-hidden="true" />
      {!isLive && (
        <div class="overlay">
          <Icon name={refused ? "alert" : "noeye"} size={40} />
          <strong>{refused ? "Not trusted" : shown.value ? "NOT LIVE" : live.state.value === "connecting" ? "Connecting" : "No picture"}</strong>
          <p>
            {refused
              ? live.problem.value
              : shown.value
                ? `This picture is ${age.value.text} old.`
                : key === null
                  ? "Pair with the hub: then this phone knows whose picture it may show."
                  : live.problem.value || "Waiting for the hub’s first picture."}
          </p>
          {refused && (
            <Button
              onClick={() => {
                live.stop();
                live.start();
              }}
            >
              Try again
            </Button>
          )}
        </div>
      )}
      <figcaption>
        <span class={`live-chip ${isLive ? "on" : "off"}`}>
          <span class="dot" aria-hidden="true" />
          {isLive ? "Live" : "NOT LIVE"}
        </span>
        <span class="age" aria-hidden="true">
          {shown.value ? `${age.value.text} old` : ""}
        </span>
        {shown.value && live.shows.value === "second" && (
          <span class="shows" title="The hub watches and records the camera’s main stream, which browsers cannot play. The age is this picture’s own.">
            second stream
          </span>
        )}
        {bad && <span class="live-chip off">{watchName(watch)}</span>}
        <span class="hidden" role="status">
          {isLive ? "The picture is live." : refused ? "The picture is not trusted." : "The picture is not live."}
        </span>
      </figcaption>
    </figure>
  );
}
