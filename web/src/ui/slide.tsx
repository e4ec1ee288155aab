import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { Twice } from "./ui.tsx";

// Slide is deliberate: it is dragged to the end, or pressed three times on its track, or moved with the arrow keys, or three
// times with Enter or the space bar. Whoever can do none of this has a plain button below it, which asks again. Let go
// early, it returns. It fires once and stays until the page changes its key.

const doneAt = 0.92; // of the way: a thumb that is almost there means it
const tap = 0.34; // three presses

export function Slide(p: { label: string; hint: string; busy?: boolean; disabled?: boolean; onDone: () => void }) {
  const track = useRef<HTMLDivElement>(null);
  const thumb = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(0);
  const drag = useRef<{ id: number; x: number; from: number; moved: boolean } | null>(null);
  const fired = useRef(false);
  const id = useId();

  const place = (to: number): void => {
    const clamped = Math.min(1, Math.max(0, to));
    setAt(clamped);
  };
  const fire = (): void => {
    if (fired.current) return;
    fired.current = true;
    setAt(1);
    p.onDone();
  };
  const span = (): number => Math.max(1, (track.current?.clientWidth ?? 0) - (thumb.current?.offsetWidth ?? 0) - 12);

  // The thumb's place is set on the element: the pages' policy allows no style attribute.
  useEffect(() => {
    const el = thumb.current;
    if (el) el.style.transform = `translateX(${at * span()}px)`;
    track.current?.style.setProperty("--at", String(at));
  }, [at]);

  // Half-way and left alone, it goes back after 4 s.
  useEffect(() => {
    if (at === 0 || fired.current) return;
    const t = setTimeout(() => {
      if (drag.current === null && !fired.current) setAt(0);
    }, 4000);
    return () => clearTimeout(t);
  }, [at]);

  const off = p.disabled || p.busy || fired.current;
  return (
    <div class={`slide ${p.disabled ? "off" : ""} ${p.busy ? "busy" : ""}`}>
      <div
        ref={track}
        class="slide-track"
        onPointerDown={(e) => {
          if (off || (e.pointerType === "mouse" && e.button !== 0)) return;
          const box = thumb.current?.getBoundingClientRect();
          const onThumb = box !== undefined && e.clientX >= box.left - 8 && e.clientX <= box.right + 8;
          if (!onThumb) {
            const to = at + tap;
            if (to >= doneAt) fire();
            else place(to);
            return;
          }
          e.currentTarget.setPointerCapture(e.pointerId);
          drag.current = { id: e.pointerId, x: e.clientX, from: at, moved: false };
        }}
        onPointerMove={(e) => {
          const d = drag.current;
          if (d === null || d.id !== e.pointerId) return;
          if (Math.abs(e.clientX - d.x) > 4) d.moved = true;
          place(d.from + (e.clientX - d.x) / span());
        }}
        onPointerUp={(e) => {
          const d = drag.current;
          if (d === null || d.id !== e.pointerId) return;
          drag.current = null;
          if (d.from + (e.clientX - d.x) / span() >= doneAt) fire();
          else place(0);
        }}
        onPointerCancel={() => {
          drag.current = null;
          place(0);
        }}
      >
        <span class="slide-fill" aria-hidden="true" />
        <span class="slide-label" aria-hidden="true">
          {p.busy ? "Confirm with your passkey…" : p.label}
        </span>
        <div
          ref={thumb}
          class="slide-thumb"
          role="slider"
          tabIndex={p.disabled ? -1 : 0}
          aria-label={p.label}
          aria-describedby={id}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(at * 100)}
          aria-valuetext={at === 0 ? "Not slid" : fired.current ? "Slid, opening" : `${Math.round(at * 100)} percent`}
          aria-disabled={off || undefined}
          onKeyDown={(e) => {
            if (off) return;
            const step = { ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1 }[e.key];
            if (step !== undefined) {
              e.preventDefault();
              if (at + step >= 0.999) fire();
              else place(at + step);
            } else if (e.key === "Enter" || e.key === " ") {
              e.preventDefault();
              if (e.repeat) return; // a key that is held down is one press
              if (at + tap >= doneAt) fire();
              else place(at + tap);
            } else if (e.key === "Home" || e.key === "Escape") {
              e.preventDefault();
              place(0);
            }
          }}
        >
          <Icon name="next" size={28} />
        </div>
      </div>
      <p class="hint" id={id}>
        {p.hint}
      </p>
      {!off && (
        <Twice kind="quiet" wide ask="Really open? Press once more" onSure={fire}>
          Open without sliding
        </Twice>
      )}
    </div>
  );
}
