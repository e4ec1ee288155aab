import { useState } from "preact/hooks";
import { Button, Card, Chip, Empty, Field, Note, Select } from "../ui/ui.tsx";
import { Login, Next, Pick, Searching, Working } from "./parts.tsx";
import { About } from "./asks.tsx";
import { act, draft, family, lock, peer, put, sentence, state, word } from "./store.ts";
import type { Device, Peer } from "./types.ts";

// The door's devices: its lock, and what tells whether it is closed.

const host = (address: string): string => address.replace(/^[a-z]+:\/\//, "").replace(/^127\.0\.0\.1:(\d+).*/, "this machine, port $1");

function Bridge({ p }: { p: Peer }) {
  const d = draft.value;
  const locks = p.devices.filter((x) => x.kind === "lock");
  const choose = (x: Device): void => put({ peer: p.id, lock: x.id, contact: "", smoke: "", noContact: false, family: "", answers: {} });
  const speak = (key: string): void => put({ peer: p.id, lock: "", contact: "", smoke: "", noContact: false, family: key, answers: {} });
  const here = d?.peer === p.id;
  return (
    <section class="bridge" aria-label={`${p.kind} at ${p.address}`}>
      <header class="bridge-head">
        <strong>{p.kind}</strong>
        <span class="hint code">{host(p.address)}</span>
        {p.state === "gone" && <Chip tone="warn">Went away</Chip>}
      </header>
      {p.state === "asking" && <Working>Asking for its devices…</Working>}
      {p.state === "none" && <p class="hint">{sentence(p.said)}</p>}
      {p.state === "gone" && (
        <Note tone="warn">
          It answered before and does not now. {sentence(p.said)} It is asked again by itself.
        </Note>
      )}
      {(p.state === "login" || (p.state === "failed" && p.login !== "")) && p.login !== "" && (
        <Login
          kind={p.login}
          user={p.user}
          had={p.secret}
          open={p.open}
          wrong={p.state === "failed" ? p.said : ""}
          help={p.help}
          ask={(user, password) => act("login", { Peer: p.id, User: user, Password: password, Again: false })}
        />
      )}
      {p.state === "failed" && p.login === "" && (
        <Note tone="warn">
          <p>{sentence(p.said)}</p>
          <Button onClick={() => void act("login", { Peer: p.id, User: "", Password: "", Again: true })}>Ask again</Button>
        </Note>
      )}
      {(p.state === "listed" || p.state === "gone") && (
        <>
          {p.about && <p class="hint">{p.about}</p>}
          {locks.length === 0 && <p class="hint">{p.families.length > 0 ? "There is no lock of Zigbee2MQTT here. Pair it there first; then it appears by itself. Does the lock speak MQTT without Zigbee2MQTT? Choose below." : "It knows no lock. Pair the lock with it first, in its own page; then it appears here."}</p>}
          {locks.map((x) => (
            <Pick key={x.id} group="lock" on={d?.peer === p.id && d.lock === x.id} title={x.name} sub={x.make || undefined} why={x.why || (p.state === "gone" ? "It does not answer now." : "")} onPick={() => choose(x)} />
          ))}
          {p.families.length > 0 && (
            <details class="more" open={locks.length === 0 || (here && d.family !== "")}>
              <summary>The lock speaks MQTT by itself</summary>
              <div class="asks">
                {p.families.map((f) => (
                  <Pick key={f.key} group="lock" on={here && d.family === f.key} title={f.name} onPick={() => speak(f.key)} />
                ))}
              </div>
            </details>
          )}
        </>
      )}
    </section>
  );
}

function Typed() {
  const usable = (state.value?.drivers ?? []).filter((x) => x.usable);
  const [driver, setDriver] = useState(usable[0]?.key ?? "");
  const [address, setAddress] = useState("");
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState(false);
  const ask = async (): Promise<void> => {
    setBusy(true);
    const refused = await act("peer", { Driver: driver, Address: address });
    setBusy(false);
    setSaid(refused);
    if (refused) return;
    setAddress("");
    setOpen(false);
  };
  return (
    <details class="more" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>It is not listed: type its address</summary>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void ask();
        }}
      >
        <Select label="What drives the lock" value={driver} onInput={setDriver} options={usable.map((x) => ({ value: x.key, label: x.name }))} />
        <Field label="Its address" value={address} onInput={setAddress} name="address" required hint="The machine that it runs on, for example 192.168.1.20" />
        {said && <Note tone="warn">{said}</Note>}
        <Button type="submit" busy={busy} wide>
          Ask it
        </Button>
      </form>
    </details>
  );
}

function Contact() {
  const d = draft.value;
  const contacts = peer.value?.devices.filter((x) => x.kind === "contact") ?? [];
  if (!d || !lock.value || family.value) return null;
  const senses = lock.value.door;
  return (
    <Card title="What tells whether the door is closed?">
      {contacts.length === 0 && !senses && (
        <p class="hint">
          {peer.value?.kind} knows no contact sensor. Pair one with it and it appears here.
        </p>
      )}
      {contacts.map((x) => (
        <Pick key={x.id} group="contact" on={d.contact === x.id} title={x.name} sub={x.make || undefined} why={x.why} onPick={() => put({ contact: x.id, noContact: false })} />
      ))}
      {senses ? (
        <Pick group="contact" on={d.contact === ""} title="The lock itself" sub="It says that it senses its door. Many locks say so and cannot: the walk test finds out." onPick={() => put({ contact: "", noContact: false })} />
      ) : (
        <Pick group="contact" on={d.contact === "" && d.noContact} title="There is none" onPick={() => put({ contact: "", noContact: true })} />
      )}
      {d.contact === "" && d.noContact && !senses && (
        <Note tone="warn">
          <strong>Nobody will be let in.</strong> Without a contact the hub cannot know that the door is closed and the bolt holds. It watches and bolts, but opens to no courier, and calls no visit secured.
        </Note>
      )}
    </Card>
  );
}

function Smoke() {
  const d = draft.value;
  const sensors = peer.value?.devices.filter((x) => x.kind === "smoke") ?? [];
  if (!d || !lock.value || sensors.length === 0) return null;
  return (
    <Card title="Smoke or CO sensor">
      <p class="hint">While it is in alarm the hub locks nobody in.</p>
      {sensors.map((x) => (
        <Pick key={x.id} group="smoke" on={d.smoke === x.id} title={x.name} sub={x.make || undefined} why={x.why} onPick={() => put({ smoke: x.id })} />
      ))}
      <Pick group="smoke" on={d.smoke === ""} title="None" onPick={() => put({ smoke: "" })} />
    </Card>
  );
}

export function DoorStep() {
  const s = state.value;
  const d = draft.value;
  if (!s || !d) return null;
  const locks = s.peers.flatMap((p) => p.devices.filter((x) => x.kind === "lock")).length;
  const nothing = !s.search.running && s.search.done > 0 && s.peers.length === 0;
  return (
    <>
      <Card title="Which lock is on this door?">
        <Searching found={locks === 1 ? "One lock." : locks === 0 ? "No lock yet." : `${locks} locks.`} />
        {s.search.said && <Note tone="warn">{s.search.said}</Note>}
        {nothing && (
          <>
            <Empty icon="question">No bridge was found.</Empty>
            <ul class="promises">
              <li>A smart lock speaks through a program in your home: Zigbee2MQTT, Z-Wave JS, or their add-ons in Home Assistant. Is it running?</li>
              <li>Is this machine on the same network? Guest networks keep devices apart.</li>
              <li>Many do not announce themselves: type the address below.</li>
            </ul>
          </>
        )}
        {s.peers.map((p) => (
          <Bridge key={p.id} p={p} />
        ))}
        <Typed />
      </Card>
      <Contact />
      <Smoke />
      <About />
      {(lock.value ?? family.value) && (
        <Card title="What is the door called?">
          <Field label="Name" value={d.door} onInput={(v) => put({ door: word(v) })} name="door" required hint="In the hub’s configuration: a to z, digits and hyphens." />
        </Card>
      )}
      <Next />
    </>
  );
}
