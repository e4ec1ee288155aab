import { useState } from "preact/hooks";
import { post } from "../lib/api.ts";
import type { HouseholdOfOps, HubOfOps } from "../lib/types.ts";
import { Button, Field, Note, Select, Sheet } from "../ui/ui.tsx";
import { tell } from "./store.ts";

// Setting a home up: the household, its hub, its doors. The operator who runs this service may; the service checks again.

type Done = () => Promise<void>;

// useForm is one form's state: what it waits for and what it was refused.
function useForm(): { busy: boolean; problem: string; send: (f: () => Promise<string>) => Promise<boolean> } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const send = async (f: () => Promise<string>): Promise<boolean> => {
    setBusy(true);
    const p = await f();
    setBusy(false);
    setProblem(p);
    return p === "";
  };
  return { busy, problem, send };
}

const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export function AddHome({ refresh, onClose, onDone }: { refresh: Done; onClose: () => void; onDone: (name: string, code: string) => void }) {
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  const [where, setWhere] = useState(zone());
  const form = useForm();
  const add = async (): Promise<void> => {
    let code = "";
    const ok = await form.send(async () => {
      try {
        code = (await post<{ invite: string }>("/api/ops/households", { name: name.trim(), address: address.trim(), zone: where.trim() })).invite;
        return "";
      } catch (e) {
        return e instanceof Error ? e.message : "The service refused.";
      }
    });
    if (!ok) return;
    await refresh();
    onDone(name.trim(), code);
  };
  return (
    <Sheet title="Add a home" onClose={onClose}>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void add();
        }}
      >
        <Field label="Name" value={name} onInput={setName} required name="household" hint="As couriers and your colleagues know it, for example a surname." />
        <Field label="Address" value={address} onInput={setAddress} required name="address" hint="Where the courier goes: street, floor, door." />
        <Field label="Time zone" value={where} onInput={setWhere} required name="zone" hint="Consent and time windows count in this zone, for example Europe/Vienna." />
        {form.problem && <Note tone="danger">{form.problem}</Note>}
        <Button kind="main" type="submit" big wide busy={form.busy}>
          Add and invite its first resident
        </Button>
      </form>
    </Sheet>
  );
}

export function AddHub({ home: h, refresh, onClose }: { home: HouseholdOfOps; refresh: Done; onClose: () => void }) {
  const [id, setID] = useState("");
  const [key, setKey] = useState("");
  const [record, setRecord] = useState("");
  const form = useForm();
  const add = async (): Promise<void> => {
    const ok = await form.send(() => tell("/api/ops/hubs", { id: id.trim(), household: h.id, nkey: key.trim(), ledger_key: record.trim() }));
    if (!ok) return;
    await refresh();
    onClose();
  };
  return (
    <Sheet title={`The hub of ${h.name}`} onClose={onClose}>
      <ol class="steps-text">
        <li>
          Start the hub in the home: <span class="code">eyebolt hub --config hub.yaml</span>
        </li>
        <li>It prints its id, its key and its record’s key; the last is also the line in the file hub.pub of its folder. Copy them here.</li>
        <li>It also prints a pairing code. That one is for the resident alone: it is typed in the app, at home, and never here.</li>
      </ol>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void add();
        }}
      >
        <Field label="Hub’s name" value={id} onInput={setID} required name="hub" hint="The id in its configuration: a to z, 0 to 9 and -." />
        <Field label="Hub’s key" value={key} onInput={setKey} code required name="nkey" hint="56 letters and digits that begin with U." />
        <Field label="Record’s key" value={record} onInput={setRecord} code exact required name="ledger_key" hint="The line in hub.pub, with its + signs." />
        {form.problem && <Note tone="danger">{form.problem}</Note>}
        <Button kind="main" type="submit" big wide busy={form.busy}>
          Add the hub
        </Button>
      </form>
    </Sheet>
  );
}

export function AddDoor({ home: h, hubs, refresh, onClose }: { home: HouseholdOfOps; hubs: HubOfOps[]; refresh: Done; onClose: () => void }) {
  const [hub, setHub] = useState(hubs[0]?.id ?? "");
  const [title, setTitle] = useState("Front door");
  const [name, setName] = useState("");
  const [instructions, setInstructions] = useState("");
  const form = useForm();
  const add = async (): Promise<void> => {
    const ok = await form.send(() => tell("/api/ops/doors", { hub, name: name.trim(), title: title.trim(), ...(instructions.trim() ? { instructions: instructions.trim() } : {}) }));
    if (!ok) return;
    await refresh();
    onClose();
  };
  return (
    <Sheet title={`A door of ${h.name}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void add();
        }}
      >
        {hubs.length > 1 && <Select label="Hub" value={hub} onInput={setHub} options={hubs.map((b) => ({ value: b.id, label: b.id }))} required />}
        <Field label="Name in the hub’s configuration" value={name} onInput={setName} required name="door" hint="Exactly as in hub.yaml, for example front." />
        <Field label="What people call it" value={title} onInput={setTitle} required name="title" />
        <Field label="Instructions for every courier" value={instructions} onInput={setInstructions} name="instructions" hint="For example: on the mat. The cat stays in." />
        {form.problem && <Note tone="danger">{form.problem}</Note>}
        <Button kind="main" type="submit" big wide busy={form.busy}>
          Add the door
        </Button>
      </form>
    </Sheet>
  );
}
