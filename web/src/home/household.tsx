import { useState } from "preact/hooks";
import { post, Problem } from "../lib/api.ts";
import { Invitation } from "../ui/invitation.tsx";
import { Button, Card, Note } from "../ui/ui.tsx";

// Household is who lives here: only a resident lets a further one in, and a lost phone is signed out from any other (T13).
export function Household() {
  const [code, setCode] = useState("");
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState("");
  const ask = async (what: string, path: string, done: (r: { invite?: string }) => void): Promise<void> => {
    setBusy(what);
    setRefused("");
    try {
      done(await post<{ invite?: string }>(path));
    } catch (e) {
      setRefused(e instanceof Problem ? e.message : "That did not work. Try again.");
    }
    setBusy("");
  };
  return (
    <Card title="Who lives here">
      <p>Residents see the live picture, the films and the record, and decide who comes in.</p>
      {code && <Invitation code={code} />}
      {refused && <Note tone="danger">{refused}</Note>}
      <div class="row">
        <Button kind="plain" busy={busy === "invite"} onClick={() => void ask("invite", "/api/home/invites", (r) => setCode(r.invite ?? ""))}>
          {code ? "Invite another" : "Invite a resident"}
        </Button>
        <Button kind="quiet" busy={busy === "everywhere"} onClick={() => void ask("everywhere", "/api/logout/everywhere", () => location.assign("/"))}>
          Sign out on every device
        </Button>
      </div>
    </Card>
  );
}
