import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { Icon } from "../ui/icons.tsx";
import { Button, Field, Note } from "../ui/ui.tsx";
import { act, draft, next, problems, sentence, state, step } from "./store.ts";

// Pick is one of several: a radio button as large as a finger, with all that is known of the thing.
export function Pick(p: { group: string; on: boolean; title: string; sub?: string; why?: string; onPick: () => void }) {
  const id = useId();
  return (
    <label class={`pick ${p.on ? "on" : ""} ${p.why ? "off" : ""}`} for={id}>
      <input id={id} type="radio" name={p.group} checked={p.on} disabled={Boolean(p.why)} onChange={p.onPick} />
      <span class="pick-text">
        <strong>{p.title}</strong>
        {p.sub && <span class="hint">{p.sub}</span>}
        {p.why && <span class="pick-why">{sentence(p.why)}</span>}
      </span>
    </label>
  );
}

// Searching says what the search does, and begins another.
export function Searching({ found }: { found: string }) {
  const s = state.value?.search;
  if (!s) return null;
  const where = ["this machine", ...(s.where ?? [])].join(", ");
  return (
    <div class="searching">
      <span class="hint" role="status">
        {s.running ? "Searching your network…" : `${found} Searched on ${where}.`}
      </span>
      <Button kind="quiet" icon="scan" busy={s.running} onClick={() => void act("search")}>
        Search again
      </Button>
    </div>
  );
}

// Login asks for a name and a password, or for a token. What is typed goes to the hub and never comes back.
export function Login(p: { kind: "password" | "token"; user: string; had: boolean; open: boolean; wrong: string; help?: string[]; ask: (user: string, password: string) => Promise<string> }) {
  const [user, setUser] = useState(p.user);
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState("");
  const send = async (): Promise<void> => {
    setBusy(true);
    setRefused(await p.ask(user.trim(), secret));
    setBusy(false);
    setSecret("");
  };
  return (
    <form
      class="form login"
      autocomplete="off"
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      {(refused || p.wrong) && <Note tone={p.had || p.user || refused ? "warn" : "work"} icon="key">{sentence(refused || p.wrong)}</Note>}
      {(p.help ?? []).length > 0 && (
        <ol class="promises steps-to">
          {(p.help ?? []).map((h) => (
            <li key={h}>{h}</li>
          ))}
        </ol>
      )}
      {p.kind === "password" && <Field label="User name" value={user} onInput={setUser} name="user" autoComplete="off" />}
      <Field
        label={p.kind === "token" ? "Access token" : "Password"}
        type="password"
        value={secret}
        onInput={setSecret}
        name="password"
        autoComplete="off"
        {...(p.open ? { hint: "It crosses your network unencrypted, as it does whenever the hub connects." } : {})}
      />
      <Button kind="main" type="submit" wide busy={busy}>
        Connect
      </Button>
    </form>
  );
}

// Next is the bottom of a step: what is missing, and the way on.
export function Next({ children, back }: { children?: ComponentChildren; back?: () => void }) {
  const [missing, setMissing] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(false); // it is one of the draft's: gone when the hub no longer has it
  useEffect(() => setMissing(""), [draft.value]); // what was said may be put right
  const on = async (): Promise<void> => {
    setBusy(true);
    const said = await next();
    setProblem(problems(step.value).includes(said));
    setMissing(said);
    setBusy(false);
  };
  return (
    <div class="setup-next">
      {missing && (!problem || problems(step.value).includes(missing)) && <Note tone="warn">{missing}</Note>}
      <div class="row">
        {back && (
          <Button kind="quiet" icon="back" onClick={back}>
            Back
          </Button>
        )}
        <Button kind="main" big busy={busy} onClick={() => void on()}>
          {children ?? "Continue"}
        </Button>
      </div>
    </div>
  );
}

export function Working({ children }: { children: ComponentChildren }) {
  return (
    <div class="working" role="status">
      <Icon name="wait" />
      <span>{children}</span>
    </div>
  );
}
