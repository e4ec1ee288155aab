import { useState } from "preact/hooks";
import { post } from "../lib/api.ts";
import type { HouseholdOfOps } from "../lib/types.ts";
import { Button, Card, Chip, Note, Sheet } from "../ui/ui.tsx";
import { ops } from "./store.ts";
import { Table } from "./table.tsx";

// Households are where this carrier delivers; a resident joins by an invitation and pairs the hub himself.
export function Households() {
  const [invited, setInvited] = useState<{ name: string; invite: string } | null>(null);
  const [problem, setProblem] = useState("");
  const invite = async (h: HouseholdOfOps): Promise<void> => {
    try {
      const r = await post<{ invite: string }>("/api/ops/invites", { role: "resident", household: h.id });
      setProblem("");
      setInvited({ name: h.name, invite: r.invite });
    } catch (e) {
      setProblem(e instanceof Error ? e.message : "The service refused.");
    }
  };
  return (
    <Card title="Households">
      {problem && <Note tone="danger">{problem}</Note>}
      <Table
        label="Households"
        columns={["Household", "Address", "Doors", ""]}
        rows={ops.value?.households ?? []}
        id={(h) => h.id}
        icon="home"
        empty="No household yet."
        cells={(h) => [
          <strong>{h.name}</strong>,
          h.address || "–",
          <span class="row">
            {(h.doors ?? []).map((d) => (
              <Chip key={`${d.hub}/${d.door}`} tone={d.consent ? "calm" : "warn"}>
                {d.name || d.door}: {d.consent ? "consent" : "no consent yet"}
              </Chip>
            ))}
          </span>,
          <Button onClick={() => void invite(h)}>Invite a resident</Button>,
        ]}
      />
      {invited && (
        <Sheet title={`Invitation for ${invited.name}`} onClose={() => setInvited(null)}>
          <Invitation code={invited.invite} />
        </Sheet>
      )}
    </Card>
  );
}

// Invitation is a link that works once and makes a passkey on the phone that opens it.
export function Invitation({ code }: { code: string }) {
  const link = `${location.origin}/?invite=${encodeURIComponent(code)}`;
  return (
    <>
      <p>This link makes a passkey on the phone that opens it, and works once.</p>
      <p class="code box">{link}</p>
      <Button kind="main" big wide onClick={() => void navigator.clipboard?.writeText(link)}>
        Copy the link
      </Button>
    </>
  );
}
