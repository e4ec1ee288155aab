import { useState } from "preact/hooks";
import { dayName, spanText } from "../lib/format.ts";
import { words } from "../lib/reason.ts";
import type { Delivery } from "../lib/types.ts";
import { Button, Card, Chip, Field, Note, Select, Sheet, Twice } from "../ui/ui.tsx";
import { ops, tell } from "./store.ts";
import { Table } from "./table.tsx";

const states: Record<string, { tone: "calm" | "work" | "warn" | "danger" | "unknown"; text: string }> = {
  booked: { tone: "warn", text: "No courier yet" },
  assigned: { tone: "unknown", text: "Assigned" },
  here: { tone: "work", text: "At the door" },
  open: { tone: "work", text: "Inside" },
  done: { tone: "calm", text: "Delivered" },
  failed: { tone: "danger", text: "Not delivered" },
  cancelled: { tone: "unknown", text: "Cancelled" },
};

export function Deliveries({ refresh }: { refresh: () => Promise<void> }) {
  const [booking, setBooking] = useState(false);
  const [assigning, setAssigning] = useState<Delivery | null>(null);
  const [problem, setProblem] = useState("");
  const list = (ops.value?.deliveries ?? []).slice().sort((a, b) => a.from.localeCompare(b.from));
  const cancel = async (d: Delivery): Promise<void> => {
    setProblem(await tell(`/api/ops/deliveries/${encodeURIComponent(d.id)}/cancel`, {}));
    await refresh();
  };
  return (
    <Card
      title="Deliveries"
      aside={
        <Button kind="main" icon="plus" onClick={() => setBooking(true)}>
          Book
        </Button>
      }
    >
      {problem && <Note tone="danger">{problem}</Note>}
      <Table
        label="Deliveries"
        columns={["Home", "When", "Parcels", "Courier", "State", ""]}
        rows={list}
        id={(d) => d.id}
        icon="parcel"
        empty="No delivery is booked. Press Book: choose the home, the time window and the parcels."
        cells={(d) => {
          const s = states[d.state] ?? { tone: "unknown" as const, text: d.state };
          return [
            <strong>{d.household_name}</strong>,
            <span class="num">
              {dayName(d.from)}, {spanText(d.from, d.until)}
            </span>,
            <span class="code">{(d.parcels ?? []).join(", ")}</span>,
            d.courier_name ?? "–",
            <span>
              <Chip tone={s.tone}>{s.text}</Chip>
              {d.reason && <span class="hint block">{words(d.reason)}</span>}
            </span>,
            ["booked", "assigned"].includes(d.state) ? (
              <span class="row">
                <Button onClick={() => setAssigning(d)}>{d.courier ? "Reassign" : "Assign"}</Button>
                <Twice kind="quiet" ask="Really cancel?" onSure={() => void cancel(d)}>
                  Cancel
                </Twice>
              </span>
            ) : (
              ""
            ),
          ];
        }}
      />
      {booking && <Book refresh={refresh} onClose={() => setBooking(false)} />}
      {assigning && <Assign delivery={assigning} refresh={refresh} onClose={() => setAssigning(null)} />}
    </Card>
  );
}

function Assign({ delivery: d, refresh, onClose }: { delivery: Delivery; refresh: () => Promise<void>; onClose: () => void }) {
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const assign = async (courier: string): Promise<void> => {
    setBusy(courier);
    const p = await tell(`/api/ops/deliveries/${encodeURIComponent(d.id)}/assign`, { courier });
    setBusy("");
    setProblem(p);
    if (p === "") {
      await refresh();
      onClose();
    }
  };
  return (
    <Sheet title={`Who delivers to ${d.household_name}?`} onClose={onClose}>
      {problem && <Note tone="danger">{problem}</Note>}
      <div class="choices">
        {(ops.value?.couriers ?? []).map((c) => (
          <Button key={c.id} big wide busy={busy === c.id} disabled={c.status !== "passed"} onClick={() => void assign(c.id)}>
            {c.name}
            {c.status !== "passed" && ` – screening ${c.status}`}
          </Button>
        ))}
      </div>
    </Sheet>
  );
}

const local = (d: Date): string => new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function Book({ refresh, onClose }: { refresh: () => Promise<void>; onClose: () => void }) {
  const doors = (ops.value?.households ?? []).flatMap((h) => (h.doors ?? []).map((d) => ({ value: `${h.id}\n${d.hub}\n${d.door}`, label: `${h.name} – ${d.name || d.door}${d.consent ? "" : " (has not consented yet)"}`, disabled: !d.consent })));
  const [door, setDoor] = useState(doors.find((d) => !d.disabled)?.value ?? "");
  const [from, setFrom] = useState(local(new Date()));
  const [until, setUntil] = useState(local(new Date(Date.now() + 2 * 3_600_000)));
  const [parcels, setParcels] = useState("");
  const [courier, setCourier] = useState("");
  const [instructions, setInstructions] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const book = async (): Promise<void> => {
    const [household, hub, which] = door.split("\n");
    setBusy(true);
    const p = await tell("/api/ops/deliveries", {
      household,
      hub,
      door: which,
      ...(courier ? { courier } : {}),
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      parcels: parcels.split(/[\s,;]+/).filter(Boolean),
      ...(instructions.trim() ? { instructions: instructions.trim() } : {}),
    });
    setBusy(false);
    setProblem(p);
    if (p === "") {
      await refresh();
      onClose();
    }
  };
  return (
    <Sheet title="Book a delivery" onClose={onClose}>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void book();
        }}
      >
        <Select label="Home and door" value={door} onInput={setDoor} options={doors} required />
        <div class="pair">
          <Field label="From" type="datetime-local" value={from} onInput={setFrom} required />
          <Field label="Until" type="datetime-local" value={until} onInput={setUntil} required />
        </div>
        <Field label="Parcel codes" value={parcels} onInput={setParcels} code required name="parcels" hint="Several are separated by spaces." />
        <Select
          label="Courier"
          value={courier}
          onInput={setCourier}
          options={[{ value: "", label: "Assign later" }, ...(ops.value?.couriers ?? []).map((c) => ({ value: c.id, label: c.status === "passed" ? c.name : `${c.name} – screening ${c.status}`, disabled: c.status !== "passed" }))]}
        />
        <Field label="Instructions for the courier" value={instructions} onInput={setInstructions} name="instructions" />
        {problem && <Note tone="danger">{problem}</Note>}
        <Button kind="main" type="submit" big wide busy={busy} disabled={door === ""}>
          Book
        </Button>
      </form>
    </Sheet>
  );
}
