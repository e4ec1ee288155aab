import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Tone } from "../lib/state.ts";
import { Icon, Mark } from "./icons.tsx";
import { go, moved } from "./router.ts";

// The pages' own parts. Each is a plain element with the right role; nothing is clickable that is not a button or a link.

type Kind = "plain" | "main" | "danger" | "block" | "quiet";

export function Button(p: {
  kind?: Kind;
  icon?: string;
  big?: boolean;
  wide?: boolean;
  busy?: boolean;
  disabled?: boolean;
  onClick?: () => void;
  type?: "button" | "submit";
  label?: string;
  children?: ComponentChildren;
  id?: string;
}) {
  const classes = ["button", p.kind ?? "plain", p.big ? "big" : "", p.wide ? "wide" : ""].join(" ");
  return (
    <button id={p.id} type={p.type ?? "button"} class={classes} disabled={p.disabled || p.busy} aria-busy={p.busy || undefined} aria-label={p.label} onClick={p.onClick}>
      {p.icon && <Icon name={p.icon} />}
      <span>{p.children}</span>
    </button>
  );
}

export function Link(p: { to: string; class?: string; current?: boolean; children: ComponentChildren }) {
  const click = (e: MouseEvent): void => {
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
    e.preventDefault();
    go(p.to);
  };
  return (
    <a href={p.to} class={p.class} aria-current={p.current ? "page" : undefined} onClick={click}>
      {p.children}
    </a>
  );
}

export function Card(p: { title?: string; aside?: ComponentChildren; tone?: Tone; children: ComponentChildren; class?: string }) {
  const id = useId();
  return (
    <section class={`card ${p.tone ?? ""} ${p.class ?? ""}`} aria-labelledby={p.title ? id : undefined}>
      {p.title && (
        <header class="card-head">
          <h2 id={id}>{p.title}</h2>
          {p.aside}
        </header>
      )}
      {p.children}
    </section>
  );
}

export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

// Note is a message beside what it is about. Refusals interrupt a screen reader, news does not.
export function Note({ tone, icon, children }: { tone: Tone; icon?: string; children: ComponentChildren }) {
  const loud = tone === "danger" || tone === "warn";
  return (
    <div class={`note ${tone}`} role={loud ? "alert" : "status"}>
      <Icon name={icon ?? (tone === "calm" ? "check" : tone === "work" ? "wait" : "alert")} />
      <div>{children}</div>
    </div>
  );
}

export function Field(p: {
  label: string;
  value: string;
  onInput: (v: string) => void;
  hint?: string;
  type?: "text" | "date" | "time" | "datetime-local" | "password";
  required?: boolean;
  autoComplete?: string;
  inputMode?: "text" | "numeric";
  code?: boolean;
  exact?: boolean; // a code whose capitals count
  name?: string;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{p.label}</label>
      <input
        id={id}
        name={p.name}
        class={p.code ? "code" : ""}
        type={(p.type ?? "text") as "text"}
        value={p.value}
        required={p.required}
        autoComplete={p.autoComplete ?? "off"}
        autoCapitalize={p.exact ? "none" : p.code ? "characters" : undefined}
        spellcheck={false}
        inputMode={p.inputMode}
        aria-describedby={p.hint ? `${id}-hint` : undefined}
        onInput={(e) => p.onInput(e.currentTarget.value)}
      />
      {p.hint && (
        <p class="hint" id={`${id}-hint`}>
          {p.hint}
        </p>
      )}
    </div>
  );
}

export function Select(p: { label: string; value: string; onInput: (v: string) => void; options: { value: string; label: string; disabled?: boolean }[]; required?: boolean }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{p.label}</label>
      <select id={id} value={p.value} required={p.required} onInput={(e) => p.onInput(e.currentTarget.value)}>
        {p.options.map((o) => (
          <option key={o.value} value={o.value} disabled={o.disabled}>
            {o.label}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Switch(p: { label: string; hint?: string; on: boolean; busy?: boolean; disabled?: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <div class="switch-row">
      <div class="switch-text">
        <span id={id}>{p.label}</span>
        {p.hint && <span class="hint">{p.hint}</span>}
      </div>
      <button type="button" class="switch" role="switch" aria-checked={p.on} aria-labelledby={id} aria-busy={p.busy || undefined} disabled={p.busy || p.disabled} onClick={() => p.onChange(!p.on)}>
        <span class="knob" />
      </button>
    </div>
  );
}

// Sheet is a dialog: from below on a phone, in the middle on a desk. Escape closes it, the focus stays inside.
export function Sheet(p: { title: string; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const d = ref.current;
    d?.showModal();
    return () => d?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="sheet"
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        p.onClose();
      }}
      onClick={(e) => {
        if (e.target === ref.current) p.onClose();
      }}
    >
      <div class="sheet-in">
        <header class="sheet-head">
          <h2 id={id}>{p.title}</h2>
          <button type="button" class="round" aria-label="Close" onClick={p.onClose}>
            <Icon name="cross" />
          </button>
        </header>
        {p.children}
      </div>
    </dialog>
  );
}

// Top is a page's head. Whoever goes to another page by keyboard or with a screen reader goes on from its title, unless what
// he pressed is still there.
export function Top(p: { title: string; sub?: string; back?: string; children?: ComponentChildren }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (moved && (document.activeElement === null || document.activeElement === document.body)) title.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header class="top">
      {p.back ? (
        <Link to={p.back} class="round">
          <Icon name="back" />
          <span class="hidden">Back</span>
        </Link>
      ) : (
        <span class="top-mark">
          <Mark />
        </span>
      )}
      <div class="top-text">
        <h1 ref={title} tabIndex={-1}>
          {p.title}
        </h1>
        {p.sub && <p>{p.sub}</p>}
      </div>
      {p.children}
    </header>
  );
}

export function Empty({ icon, children }: { icon: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={28} />
      <p>{children}</p>
    </div>
  );
}

// Twice is a button for what makes a home less safe: the first press asks, the second within 5 s does.
export function Twice(p: { ask: string; children: ComponentChildren; icon?: string; big?: boolean; wide?: boolean; kind?: Kind; busy?: boolean; onSure: () => void }) {
  const [sure, setSure] = useState(false);
  useEffect(() => {
    if (!sure) return;
    const t = setTimeout(() => setSure(false), 5000);
    return () => clearTimeout(t);
  }, [sure]);
  return (
    <Button
      icon={p.icon}
      big={p.big}
      wide={p.wide}
      busy={p.busy}
      kind={sure ? "danger" : (p.kind ?? "plain")}
      onClick={() => {
        if (!sure) return setSure(true);
        setSure(false);
        p.onSure();
      }}
    >
      {sure ? p.ask : p.children}
    </Button>
  );
}

export function Waiting({ children }: { children: ComponentChildren }) {
  return (
    <div class="waiting" role="status">
      <Mark size={56} />
      <p>{children}</p>
    </div>
  );
}
