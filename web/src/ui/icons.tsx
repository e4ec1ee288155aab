import type { JSX } from "preact";

// Our own icons: 24 × 24, stroked, drawn with the text's colour. They say nothing to a screen reader; the words beside
// them do.

const paths: Record<string, JSX.Element> = {
  shield: <path d="M12 3 5 6v5.5c0 4.3 2.9 7.6 7 9.5 4.1-1.9 7-5.2 7-9.5V6l-7-3Zm-3.2 9 2.3 2.3 4.3-4.6" />,
  open: <path d="M4 21h16M6 21V3.8l9 1.7V21M15 6h3v15M12 12.5v1" />,
  turn: <path d="M7 11V8a5 5 0 0 1 9.6-2M5.5 11h13v9h-13zM12 14.5v2" />,
  alert: <path d="M12 4 2.8 20h18.4L12 4Zm0 6v4.5m0 2.6v.1" />,
  question: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-2.6-11a2.6 2.6 0 1 1 3.9 2.3c-.9.5-1.3 1-1.3 1.9m0 2.7v.1" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  cross: <path d="m6 6 12 12M18 6 6 18" />,
  wait: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2" />,
  lock: <path d="M7.5 11V8a4.5 4.5 0 0 1 9 0v3M5.5 11h13v9h-13zM12 14.5v2" />,
  block: <path d="M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM5.7 5.7l12.6 12.6" />,
  leave: <path d="M14 4h5v16h-5M3.5 12H15m-4-4 4 4-4 4" />,
  eye: <path d="M2.5 12C5 7.8 8.3 5.7 12 5.7s7 2.1 9.5 6.3c-2.5 4.2-5.8 6.3-9.5 6.3S5 16.2 2.5 12Zm9.5 2.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z" />,
  noeye: <path d="M4 4l16 16M9.8 5.9A10 10 0 0 1 12 5.7c3.7 0 7 2.1 9.5 6.3a17 17 0 0 1-2.6 3.3M6.3 7.7A16 16 0 0 0 2.5 12c2.5 4.2 5.8 6.3 9.5 6.3 1.6 0 3.1-.4 4.5-1.2" />,
  parcel: <path d="M12 3 4 7v10l8 4 8-4V7l-8-4Zm0 0v0M4 7l8 4 8-4M12 11v10M8 5l8 4" />,
  key: <path d="M8 16.5a4 4 0 1 1 3.5-6L20.5 10.5v3h-2.5v2.5h-3v-2.5h-3.5a4 4 0 0 1-3.5 3ZM7.5 12.5h.1" />,
  back: <path d="M14.5 5.5 8 12l6.5 6.5" />,
  next: <path d="m9.5 5.5 6.5 6.5-6.5 6.5" />,
  play: <path d="M8 5.5v13l10.5-6.5L8 5.5Z" />,
  film: <path d="M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4m-4 4.6h4m8-4.6h4m-4 4.6h4" />,
  scan: <path d="M4 8V4h4m8 0h4v4m0 8v4h-4m-8 0H4v-4M4 12h16" />,
  knock: <path d="M6 21V3h12v18M4 21h16M14.5 12v1M9.5 8a2 2 0 0 1 2 2" />,
  place: <path d="M12 21c4.5-4.8 6.5-8.1 6.5-11a6.5 6.5 0 1 0-13 0c0 2.9 2 6.2 6.5 11Zm0-8.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z" />,
  plus: <path d="M12 5v14M5 12h14" />,
  person: <path d="M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8.5c.6-3.7 3.4-6 7-6s6.4 2.3 7 6" />,
  offline: <path d="M4 4l16 16M8.5 15a5 5 0 0 1 5.5-1M5 11.5a10 10 0 0 1 4-2.4m4-.5a10 10 0 0 1 6 2.9M12 19h.1" />,
  home: <path d="m4 11 8-7 8 7M6 9.5V20h12V9.5" />,
  bolt: <path d="M4 9h11v6H4zM15 10.5h5v3h-5" />,
};

export function Icon({ name, size = 24 }: { name: string; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {paths[name] ?? paths.question}
    </svg>
  );
}

// Mark is the product's own sign: an eye that is a keyhole.
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 512 512" aria-hidden="true" focusable="false">
      <path class="mark-eye" d="M40 256C94 166 170 120 256 120s162 46 216 136c-54 90-130 136-216 136S94 346 40 256Z" />
      <path class="mark-key" d="M256 178a48 48 0 0 1 24 90l11 66h-70l11-66a48 48 0 0 1 24-90Z" />
    </svg>
  );
}
