import { useState } from "preact/hooks";
import { call } from "../lib/hubapi.ts";
import { Icon } from "../ui/icons.tsx";
import { Copy } from "../ui/invitation.tsx";
import { Button, Card, Field, Note } from "../ui/ui.tsx";
import { summary } from "./camera.tsx";
import { Next } from "./parts.tsx";
import { answered } from "./asks.tsx";
import { act, another, asks, draft, family, fileName, flush, goto, lock, peer, put, sentence, state, word } from "./store.ts";
import type { Written } from "./types.ts";

export function ServiceStep() {
  const d = draft.value;
  if (!d) return null;
  return (
    <>
      <Card title="Where are your apps?">
        <p class="hint">The service tells couriers when to come and you what happens. It can never open your door by itself.</p>
        <Field label="Address of the apps" value={d.app} onInput={(v) => put({ app: v })} name="app" required hint="As you open them on your phone, for example https://eyebolt.example.org" />
        <Field label="Name of this hub" value={d.hub} onInput={(v) => put({ hub: word(v) })} name="hub" required hint="For example oak-street-7: a to z, digits and hyphens. It cannot be changed later." />
        <details class="more">
          <summary>The service is reached at another address</summary>
          <Field label="Address of the service’s bus" value={d.bus} onInput={(v) => put({ bus: v })} name="bus" hint="Left empty: tls:// at the apps’ name, port 4222." />
        </details>
      </Card>
      <Next back={() => goto("camera")} />
    </>
  );
}

export function WriteStep() {
  const s = state.value;
  const d = draft.value;
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  if (!s || !d) return null;
  const device = (kind: string, id: string): string => peer.value?.devices.find((x) => x.kind === kind && x.id === id)?.name ?? "–";
  const write = async (): Promise<void> => {
    setBusy(true);
    const refused = (await flush()) || (await act("write"));
    setBusy(false);
    setSaid(refused);
  };
  const rows: [string, string, string][] = [
    ["Door", d.door, "door"],
    ["Lock", lock.value ? `${lock.value.name} (${peer.value?.kind ?? ""})` : family.value ? family.value.name : "–", "door"],
    ...asks.value
      .filter((q) => !q.more || d.answers?.[q.key] !== undefined)
      .map((q): [string, string, string] => [q.label, q.secret ? (q.had ? "typed, not shown" : "–") : answered(q), "door"]),
    ["Contact", family.value ? "as typed above" : d.contact ? device("contact", d.contact) : lock.value?.door ? "the lock itself" : "none: nobody is let in", "door"],
    ["Smoke or CO", d.smoke ? device("smoke", d.smoke) : "no sensor", "door"],
    ...(d.cameras ?? []).map((k): [string, string, string] => ["Camera", summary(k), "camera"]),
    ...(s.existing ? [["Hub", s.existing.ID, ""] as [string, string, string]] : [["Hub", d.hub, "service"] as [string, string, string], ["Apps", d.app || "–", "service"] as [string, string, string]]),
  ];
  const problems = s.problems ?? [];
  return (
    <>
      <Card title="Is this right?">
        <dl class="facts">
          {rows.map(([name, value], i) => (
            <div key={`${name}${i}`}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p class="hint">
          {s.existing
            ? `The door is added to ${s.config}. Everything else in it stays, and the file of before is kept beside it.`
            : `${s.config} is made. It holds no password: each is in a file of its own beside it, which you alone can read.`}
        </p>
      </Card>
      {problems.map((p) => (
        <Note key={p.text} tone="warn">
          {p.text}{" "}
          <Button onClick={() => goto(p.step)}>Go there</Button>
        </Note>
      ))}
      {said && (
        <Note tone="danger">
          <span class="said-lines">{sentence(said)}</span>
        </Note>
      )}
      <div class="setup-next">
        <div class="row">
          <Button kind="quiet" icon="back" onClick={() => goto(s.existing ? "camera" : "service")}>
            Back
          </Button>
          <Button kind="main" big busy={busy || s.busy} disabled={problems.length > 0} onClick={() => void write()}>
            Write {fileName(s.config)}
          </Button>
        </div>
      </div>
    </>
  );
}

export function DoneStep({ w }: { w: Written }) {
  const [said, setSaid] = useState("");
  const walk = async (): Promise<void> => {
    try {
      await call("POST", "/setup/api/walk", {});
      location.assign(`/walk?door=${encodeURIComponent(w.door)}`);
    } catch (e) {
      setSaid(e instanceof Error ? e.message : "The walk test did not begin.");
    }
  };
  return (
    <>
      <div class="hero calm">
        <span class="hero-icon">
          <Icon name="check" size={36} />
        </span>
        <div class="hero-text">
          <p class="hero-title">Written</p>
          <p class="hero-sentence">{w.first ? "Your hub knows its first door." : `Your hub knows one door more: ${w.door}.`} The hub’s own checks have passed.</p>
          <p class="hero-last">{w.path}</p>
        </div>
      </div>
      <Card title="1. Walk the door">
        <p>The walk test proves that the bolt holds, that the contact tells the truth, that the camera sees the door, and that the door opens from inside without a key. Until it has passed, nobody is let in.</p>
        {w.canWalk ? (
          <Button kind="main" big wide onClick={() => void walk()}>
            Begin the walk test
          </Button>
        ) : (
          <>
            <p>{w.first ? "In a terminal on this machine:" : "Stop the hub. Then, in a terminal on this machine:"}</p>
            <Copy text={w.walk} word="Copy the command" />
            <p class="hint">{w.walk.includes(" --listen ") ? "It prints a link: open it on your phone, in your home’s Wi-Fi, and go to the door." : "For a phone add --listen and this machine’s address in your network with a port, such as --listen 192.168.1.5:8431. It prints a link: open it on your phone and go to the door."}</p>
          </>
        )}
        {said && <Note tone="danger">{said}</Note>}
      </Card>
      <Card title={w.first ? "2. Start the hub" : "2. Start the hub anew"}>
        <p>{w.first ? "When the door is walked, end this set-up in its terminal with Ctrl-C, and start the hub there. It prints a pairing code: that one is for you alone, to type in the app at home." : "It reads the new door at its start. End this set-up first, in its terminal with Ctrl-C."}</p>
        <Copy text={w.command} word="Copy the command" />
        <details class="more">
          <summary>Have it start by itself (systemd)</summary>
          <pre class="code box">{w.unit}</pre>
          <p class="hint">
            Save it as /etc/systemd/system/eyebolt-hub.service, then: <span class="code">systemctl enable --now eyebolt-hub</span>. The pairing code is then in <span class="code">journalctl -u eyebolt-hub</span>.
          </p>
        </details>
      </Card>
      {w.first && (
        <Card title="3. Tell the service">
          <p>Whoever runs your service enters these three under Homes, Add its hub.</p>
          <dl class="keys">
            <dt>Hub’s name</dt>
            <dd class="code box">{w.id}</dd>
            <dt>Hub’s key</dt>
            <dd class="code box">{w.key}</dd>
            <dt>Record’s key</dt>
            <dd class="code box">{w.recordKey}</dd>
          </dl>
        </Card>
      )}
      <Card title="Files">
        <ul class="plain-list">
          <li>{w.path}</li>
          {w.backup && <li>{w.backup}: as it was before</li>}
          {(w.files ?? []).map((f) => (
            <li key={f}>{f}: {f.endsWith("-pin") ? "the lock’s PIN" : f.endsWith("-token") ? "a token" : "a password"}</li>
          ))}
        </ul>
      </Card>
      <Button wide onClick={() => void another()}>
        Set up another door
      </Button>
    </>
  );
}
