import { useEffect, useState } from "preact/hooks";
import { post, serverNow } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { ago, dayName, hhmm } from "../lib/format.ts";
import type { HouseholdOfOps, HubOfOps } from "../lib/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Chip, Empty, Note, Sheet } from "../ui/ui.tsx";
import { AddDoor, AddHome, AddHub } from "./setup.tsx";
import { Invitation } from "../ui/invitation.tsx";
import { ops } from "./store.ts";

// Homes are where this carrier delivers: who lives there, the hub that watches, the doors, and what is still missing before
// a first visit. Nothing here looks inside a home (S17).

type Sheets = { what: "home" } | { what: "hub" | "door"; home: HouseholdOfOps } | { what: "invited"; name: string; code: string } | null;

// look is how often the hubs' state is asked for while this page is open: no event tells an operator of a hub outside a
// visit. The answer grows with the homes, so a large carrier asks less often.
const look = (homes: number): number => Math.max(10_000, homes * 200);

export function Homes({ refresh }: { refresh: () => Promise<void> }) {
  const [open, setOpen] = useState<Sheets>(null);
  const [problem, setProblem] = useState("");
  const list = ops.value?.households ?? [];
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void refresh();
    }, look(list.length));
    return () => clearInterval(timer);
  }, [list.length]);
  const admin = ops.value?.admin ?? false;
  const invite = async (h: HouseholdOfOps): Promise<void> => {
    try {
      const r = await post<{ invite: string }>("/api/ops/invites", { role: "resident", household: h.id });
      setProblem("");
      setOpen({ what: "invited", name: h.name, code: r.invite });
    } catch (e) {
      setProblem(e instanceof Error ? e.message : "The service refused.");
    }
  };
  const close = (): void => setOpen(null);
  return (
    <>
      <header class="section-head">
        <h2>Homes</h2>
        {admin && (
          <Button kind="main" icon="plus" onClick={() => setOpen({ what: "home" })}>
            Add a home
          </Button>
        )}
      </header>
      {problem && <Note tone="danger">{problem}</Note>}
      {list.length === 0 ? (
        <Card>
          <Empty icon="home">
            {admin ? "No home yet. Add one: you get an invitation for its first resident, then its hub and its doors are made known." : "No home yet. One appears here as soon as its resident consents to this carrier."}
          </Empty>
        </Card>
      ) : (
        <div class="homes">
          {list.map((h) => (
            <Home key={h.id} home={h} admin={admin} onInvite={() => void invite(h)} onAdd={(what) => setOpen({ what, home: h })} />
          ))}
        </div>
      )}
      {open?.what === "home" && <AddHome refresh={refresh} onClose={close} onDone={(name, code) => setOpen({ what: "invited", name, code })} />}
      {open?.what === "hub" && <AddHub home={open.home} refresh={refresh} onClose={close} />}
      {open?.what === "door" && <AddDoor home={open.home} hubs={hubsOf(open.home)} refresh={refresh} onClose={close} />}
      {open?.what === "invited" && (
        <Sheet title={`Invitation for ${open.name}`} onClose={close}>
          <Invitation code={open.code} />
        </Sheet>
      )}
    </>
  );
}

const hubsOf = (h: HouseholdOfOps): HubOfOps[] => (ops.value?.hubs ?? []).filter((b) => b.household === h.id);

function Home({ home: h, admin, onInvite, onAdd }: { home: HouseholdOfOps; admin: boolean; onInvite: () => void; onAdd: (what: "hub" | "door") => void }) {
  const hubs = hubsOf(h);
  const doors = h.doors ?? [];
  const ours = h.ours ?? false;
  const mayAdd = admin && ours;
  return (
    <Card class="home-card">
      <header class="home-head">
        <div>
          <h3>{h.name}</h3>
          {h.address && <p class="hint">{h.address}</p>}
        </div>
        <Readiness home={h} hubs={hubs} />
      </header>
      <section class="home-part" aria-label="Hub">
        <h4>Hub</h4>
        {hubs.length === 0 ? <p class="hint">No hub is known.</p> : hubs.map((b) => <HubLine key={b.id} hub={b} />)}
      </section>
      <section class="home-part" aria-label="Doors">
        <h4>Doors</h4>
        {doors.length === 0 ? (
          <p class="hint">No door is known.</p>
        ) : (
          doors.map((d) => (
            <div key={`${d.hub}/${d.door}`} class="home-line">
              <Icon name="open" size={20} />
              <span class="row-main">{d.name || d.door}</span>
              <Chip tone={d.consent ? "calm" : "warn"}>{d.consent ? "Consent given" : "No consent yet"}</Chip>
            </div>
          ))
        )}
      </section>
      {ours && (
        <footer class="row home-acts">
          {mayAdd && hubs.length === 0 && (
            <Button icon="plus" onClick={() => onAdd("hub")}>
              Add its hub
            </Button>
          )}
          {mayAdd && hubs.length > 0 && (
            <Button icon="plus" onClick={() => onAdd("door")}>
              Add a door
            </Button>
          )}
          <Button icon="person" onClick={onInvite}>
            Invite a resident
          </Button>
        </footer>
      )}
    </Card>
  );
}

// HubLine says whether a hub is connected and, if not, since when it is silent.
function HubLine({ hub: b }: { hub: HubOfOps }) {
  void now.value;
  const quiet = b.seen ? ago(serverNow() - Date.parse(b.seen)) : "";
  return (
    <div class="home-line">
      <Icon name={b.online ? "bolt" : "offline"} size={20} />
      <span class="row-main">
        <span class="code">{b.id}</span>
        <span class="hint">{b.online ? (b.paired ? "Connected and paired" : "Connected, waits for a resident to pair it") : b.seen ? `Silent since ${sinceWhen(b.seen)} (${quiet}). Check its power and network.` : "Never connected. Start it with the service’s address."}</span>
      </span>
      <Chip tone={b.online ? "calm" : b.seen ? "danger" : "warn"}>{b.online ? "Online" : b.seen ? "Silent" : "Not seen"}</Chip>
    </div>
  );
}

// sinceWhen is a moment within a sentence: today needs no day.
const sinceWhen = (t: string): string => (dayName(t) === "Today" ? hhmm(t) : `${dayName(t)}, ${hhmm(t)}`);

// Readiness is the one thing that is missing before a first visit: what to do next, and who does it.
function Readiness({ home: h, hubs }: { home: HouseholdOfOps; hubs: HubOfOps[] }) {
  const n = next(h, hubs);
  return (
    <div class="home-next">
      <Chip tone={n === "" ? "calm" : "warn"}>{n === "" ? "Ready for deliveries" : "Not ready yet"}</Chip>
      {n && <p class="hint">{n}</p>}
    </div>
  );
}

export function next(h: HouseholdOfOps, hubs: HubOfOps[]): string {
  const doors = h.doors ?? [];
  if (hubs.length === 0) return "Next: add its hub.";
  if (doors.length === 0) return "Next: add its doors.";
  if (h.ours && h.residents === 0) return "Next: a resident joins by the invitation.";
  if (!hubs.some((b) => b.online)) return hubs.some((b) => b.seen) ? "Its hub is silent." : "Next: start its hub in the home.";
  if (!hubs.some((b) => b.paired)) return "Next: a resident pairs the hub, by the code it shows.";
  if (!doors.some((d) => d.consent)) return "Next: a resident consents to this carrier.";
  return "";
}
