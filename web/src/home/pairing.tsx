import { useState } from "preact/hooks";
import { del, get, me as fetchMe, post } from "../lib/api.ts";
import { fromBase64 } from "../lib/bytes.ts";
import { date } from "../lib/format.ts";
import { refusal, sign } from "../lib/passkey.ts";
import { forget, pin } from "../lib/pins.ts";
import type { ConsentOfHome } from "../lib/types.ts";
import { changedKeys, me } from "../ui/shell.tsx";
import { Button, Card, Chip, Field, Note, Sheet, Twice } from "../ui/ui.tsx";
import { home, refresh } from "./store.ts";

// Pairing ties this account's passkey to the hub by the code on the hub's own screen or log, and keeps the hub's key in
// this browser.
export function Pairing() {
  const unpaired = (me.value?.hubs ?? []).filter((h) => !h.paired || changedKeys.value.includes(h.id));
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const hub = unpaired[0];
  if (hub === undefined) return null;
  const changed = changedKeys.value.includes(hub.id);
  const pair = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await post("/api/home/pair", { hub: hub.id, code: code.trim() });
      forget(hub.id);
      const m = await fetchMe();
      changedKeys.value = pin(m.hubs ?? []);
      me.value = m;
      setCode("");
      await refresh();
    } catch (e) {
      setProblem(e instanceof Error ? e.message : "Pairing did not work.");
    }
    setBusy(false);
  };
  return (
    <Card title={changed ? "The hub has another key" : "Pair with your hub"} tone={changed ? "danger" : "work"}>
      <p>
        {changed
          ? "The service names another key for your hub than the one this phone was paired with. If you did not replace your hub, do not pair: ask who did."
          : "Your hub shows a code on its own screen or in its log. Type it here while you are at home: from then on the hub listens to your passkey and to nobody else’s."}
      </p>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void pair();
        }}
      >
        <Field label="Code on the hub" value={code} onInput={setCode} code required name="code" />
        {problem && <Note tone="danger">{problem}</Note>}
        <Button kind="main" type="submit" busy={busy} wide>
          Pair
        </Button>
      </form>
    </Card>
  );
}

interface Document {
  carrier?: string;
  hub?: string;
  door?: string;
  from?: string;
  until?: string;
  days?: number;
  start_min?: number;
  end_min?: number;
  zone?: string;
}

interface Asked {
  document: string;
  challenge: string;
  credentials: string[] | null;
}

export function Consents() {
  const list = home.value?.consents ?? [];
  const [open, setOpen] = useState<ConsentOfHome | null>(null);
  const [problem, setProblem] = useState("");
  const end = async (id: string): Promise<void> => {
    try {
      await del(`/api/home/consent/${encodeURIComponent(id)}`);
      setProblem("");
    } catch (e) {
      setProblem(e instanceof Error ? e.message : "The service refused.");
    }
    await refresh();
  };
  if (list.length === 0) return null;
  return (
    <Card title="Who may deliver inside">
      {problem && <Note tone="danger">{problem}</Note>}
      <ul class="rows">
        {list.map((c) => (
          <li key={`${c.carrier}/${c.hub}/${c.door}`} class="row-text">
            <span class="row-main">
              <strong>{c.carrier_name || c.carrier}</strong>
              <span class="hint">{c.state === "signed" && c.until ? `Until ${date(c.until)}` : c.state === "ended" ? "Your consent has ended" : "Asks for your consent"}</span>
            </span>
            {c.state === "signed" ? (
              <>
                <Chip tone="calm">Signed</Chip>
                {c.id && (
                  <Twice kind="quiet" ask="Really withdraw?" onSure={() => void end(c.id ?? "")}>
                    Withdraw
                  </Twice>
                )}
              </>
            ) : (
              <Button kind="main" onClick={() => setOpen(c)}>
                Read and sign
              </Button>
            )}
          </li>
        ))}
      </ul>
      {open && <Sign consent={open} onClose={() => setOpen(null)} />}
    </Card>
  );
}

const dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const minute = (m: number): string => (m >= 1440 ? "24:00" : `${String(Math.floor(m / 60)).padStart(2, "0")}:${String(m % 60).padStart(2, "0")}`);

// hours are a consent's own; a whole day is called so.
const hours = (d: Document): string => ((d.start_min ?? 0) === 0 && (d.end_min ?? 0) >= 1440 ? "All day" : `${minute(d.start_min ?? 0)} – ${minute(d.end_min ?? 0)}`);

// doorName is what this home calls the door that the document names; a door that it does not know keeps its own name.
const doorName = (d: Document): string => home.value?.doors?.find((x) => x.door === d.door && x.hub === d.hub)?.name ?? d.door ?? "–";

// read turns the document itself into words: what is shown is what is signed.
function read(document: string): { d: Document; days: string } {
  const text = document.trimStart().startsWith("{") ? document : new TextDecoder().decode(fromBase64(document));
  const d = JSON.parse(text) as Document;
  const bits = d.days ?? 0;
  const days = bits === 127 ? "Every day" : dayNames.filter((_, i) => bits & (1 << i)).join(", ") || "No day";
  return { d, days };
}

function Sign({ consent, onClose }: { consent: ConsentOfHome; onClose: () => void }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const query = `hub=${encodeURIComponent(consent.hub)}&door=${encodeURIComponent(consent.door)}&carrier=${encodeURIComponent(consent.carrier)}`;
  if (asked === null && problem === "") {
    get<Asked>(`/api/home/consent?${query}`).then(setAsked, (e: unknown) => setProblem(e instanceof Error ? e.message : "The document could not be read."));
  }
  let shown: { d: Document; days: string } | null = null;
  try {
    shown = asked ? read(asked.document) : null;
  } catch {
    shown = null;
  }
  const confirm = async (): Promise<void> => {
    if (!asked) return;
    setBusy(true);
    setProblem("");
    try {
      const credential = await sign(asked.challenge, asked.credentials ?? []);
      await post("/api/home/consent", { document: asked.document, credential });
      await refresh();
      onClose();
    } catch (e) {
      setProblem(refusal(e));
    }
    setBusy(false);
  };
  return (
    <Sheet title={`Let ${consent.carrier_name || consent.carrier} deliver inside`} onClose={onClose}>
      {asked && !shown && <Note tone="danger">This document cannot be read here, so it cannot be signed here.</Note>}
      {shown && (
        <>
          <dl class="facts">
            <div>
              <dt>Door</dt>
              <dd>{doorName(shown.d)}</dd>
            </div>
            <div>
              <dt>Days</dt>
              <dd>{shown.days}</dd>
            </div>
            <div>
              <dt>Hours</dt>
              <dd>
                {hours(shown.d)} ({shown.d.zone ?? "UTC"})
              </dd>
            </div>
            <div>
              <dt>Until</dt>
              <dd>{date(shown.d.until)}</dd>
            </div>
          </dl>
          <ul class="promises">
            <li>Only screened couriers, one delivery at a time, one opening each.</li>
            <li>Only while your camera provably watches. You can block at any moment.</li>
            <li>Your hub keeps this consent. Nobody can widen it, not even the service.</li>
          </ul>
        </>
      )}
      {problem && <Note tone="danger">{problem}</Note>}
      <Button kind="main" big wide icon="key" disabled={!shown} busy={busy} onClick={() => void confirm()}>
        Sign with your passkey
      </Button>
    </Sheet>
  );
}
