import { useState } from "preact/hooks";
import { post } from "../lib/api.ts";
import { date } from "../lib/format.ts";
import type { CourierOfOps } from "../lib/types.ts";
import { Button, Card, Chip, Field, Note, Select, Sheet, Twice } from "../ui/ui.tsx";
import { ops, tell } from "./store.ts";
import { Invitation } from "../ui/invitation.tsx";
import { Table } from "./table.tsx";

const soon = 14 * 86_400_000; // two weeks are enough to screen somebody again

function screening(c: CourierOfOps): { tone: "calm" | "warn" | "danger" | "unknown"; text: string } {
  if (c.status === "revoked") return { tone: "danger", text: "Revoked" };
  if (c.status === "failed") return { tone: "danger", text: "Failed" };
  if (c.status !== "passed") return { tone: "warn", text: "Pending" };
  const left = c.until ? Date.parse(c.until) - Date.now() : Number.POSITIVE_INFINITY;
  if (left <= 0) return { tone: "danger", text: "Expired" };
  return left < soon ? { tone: "warn", text: "Expires soon" } : { tone: "calm", text: "Passed" };
}

export function Couriers({ refresh }: { refresh: () => Promise<void> }) {
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<CourierOfOps | null>(null);
  const [problem, setProblem] = useState("");
  const revoke = async (c: CourierOfOps): Promise<void> => {
    setProblem(await tell(`/api/ops/couriers/${encodeURIComponent(c.id)}/revoke`, {}));
    await refresh();
  };
  return (
    <Card
      title="Couriers"
      aside={
        <Button kind="main" icon="plus" onClick={() => setAdding(true)}>
          Add
        </Button>
      }
    >
      {problem && <Note tone="danger">{problem}</Note>}
      <Table
        label="Couriers"
        columns={["Name", "Screening", "Valid until", "Reference", ""]}
        rows={ops.value?.couriers ?? []}
        id={(c) => c.id}
        icon="person"
        empty="No courier yet. Add one: nobody unscreened is ever assigned."
        cells={(c) => {
          const s = screening(c);
          return [
            <span>
              <strong>{c.name}</strong>
              {c.passkeys === 0 && <span class="hint block">Has not joined yet</span>}
            </span>,
            <Chip tone={s.tone}>{s.text}</Chip>,
            <span class="num">{date(c.until)}</span>,
            <span class="code">{c.reference || "–"}</span>,
            c.status === "revoked" ? (
              ""
            ) : (
              <span class="row">
                <Button onClick={() => setEditing(c)}>Screening</Button>
                <Twice kind="quiet" ask="Really revoke?" onSure={() => void revoke(c)}>
                  Revoke
                </Twice>
              </span>
            ),
          ];
        }}
      />
      {adding && <Add refresh={refresh} onClose={() => setAdding(false)} />}
      {editing && <Edit courier={editing} refresh={refresh} onClose={() => setEditing(null)} />}
    </Card>
  );
}

function Add({ refresh, onClose }: { refresh: () => Promise<void>; onClose: () => void }) {
  const [name, setName] = useState("");
  const [invite, setInvite] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const add = async (): Promise<void> => {
    setBusy(true);
    try {
      const r = await post<{ courier: string; invite: string }>("/api/ops/couriers", { name: name.trim() });
      setInvite(r.invite);
      await refresh();
    } catch (e) {
      setProblem(e instanceof Error ? e.message : "The service refused.");
    }
    setBusy(false);
  };
  return (
    <Sheet title="Add a courier" onClose={onClose}>
      {invite ? (
        <Invitation code={invite} />
      ) : (
        <form
          class="form"
          onSubmit={(e) => {
            e.preventDefault();
            void add();
          }}
        >
          <Field label="Name" value={name} onInput={setName} required name="name" hint="As residents see it." />
          {problem && <Note tone="danger">{problem}</Note>}
          <Button kind="main" type="submit" big wide busy={busy}>
            Add
          </Button>
        </form>
      )}
    </Sheet>
  );
}

function Edit({ courier: c, refresh, onClose }: { courier: CourierOfOps; refresh: () => Promise<void>; onClose: () => void }) {
  const [status, setStatus] = useState(c.status);
  const [until, setUntil] = useState((c.until ?? new Date(Date.now() + 365 * 86_400_000).toISOString()).slice(0, 10));
  const [reference, setReference] = useState(c.reference ?? "");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const save = async (): Promise<void> => {
    setBusy(true);
    const p = await tell(`/api/ops/couriers/${encodeURIComponent(c.id)}/screening`, { status, until: `${until}T23:59:59Z`, reference: reference.trim() });
    setBusy(false);
    setProblem(p);
    if (p === "") {
      await refresh();
      onClose();
    }
  };
  return (
    <Sheet title={`Screening of ${c.name}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void save();
        }}
      >
        <Select
          label="Result"
          value={status}
          onInput={setStatus}
          options={[
            { value: "pending", label: "Pending" },
            { value: "passed", label: "Passed" },
            { value: "failed", label: "Failed" },
          ]}
        />
        <Field label="Valid until" type="date" value={until} onInput={setUntil} required />
        <Field label="Reference" value={reference} onInput={setReference} hint="The report’s number at whoever screened. No report is kept here." />
        {problem && <Note tone="danger">{problem}</Note>}
        <Button kind="main" type="submit" big wide busy={busy}>
          Save
        </Button>
      </form>
    </Sheet>
  );
}
