import { ago, dayName, hhmm, when } from "../lib/format.ts";
import { now } from "../lib/clock.ts";
import { serverNow } from "../lib/api.ts";
import { words } from "../lib/reason.ts";
import { phaseName, tenths } from "../lib/state.ts";
import type { Incident, VisitOfOps } from "../lib/types.ts";
import { Card, Chip, Link, Note } from "../ui/ui.tsx";
import { ops } from "./store.ts";
import { Table } from "./table.tsx";

// An operator sees where a visit stands and why, never inside a home (S17).

// homeOf names the home of a visit: by its delivery, else by its door.
function homeOf(v: VisitOfOps | undefined): string {
  if (v === undefined) return "–";
  const booked = ops.value?.deliveries?.find((d) => d.id === v.delivery)?.household_name;
  return booked ?? ops.value?.households?.find((h) => (h.doors ?? []).some((d) => d.hub === v.hub && d.door === v.door))?.name ?? "–";
}

const grave = (v: VisitOfOps): boolean => v.phase === "unproven" || (v.reason ?? "").startsWith("lapse-");

// Attention is what an operator must not miss, whatever page he is on: open incidents and silent hubs.
export function Attention() {
  void now.value;
  const incidents = ops.value?.incidents ?? [];
  const silent = (ops.value?.hubs ?? []).filter((h) => !h.online && h.seen);
  const name = (household: string): string => ops.value?.households?.find((h) => h.id === household)?.name ?? household;
  return (
    <>
      {incidents.length > 0 && (
        <Note tone="danger">
          <span>
            <strong>{incidents.length === 1 ? "1 incident is open." : `${incidents.length} incidents are open.`}</strong> Call the courier.
          </span>
          <Link to="/ops/incidents" class="button plain">
            Read what happened
          </Link>
        </Note>
      )}
      {silent.length > 0 && (
        <Note tone="warn" icon="offline">
          <span>
            <strong>
              {silent.length === 1
                ? `The hub of ${name(silent[0]?.household ?? "")} has been silent for ${ago(serverNow() - Date.parse(silent[0]?.seen ?? ""))}.`
                : `${silent.length} hubs are silent.`}
            </strong>{" "}
            No delivery opens a door there until it is back.
          </span>
          <Link to="/ops/homes" class="button plain">
            See homes
          </Link>
        </Note>
      )}
    </>
  );
}

export function LiveVisits() {
  const all = ops.value?.visits ?? [];
  const going = all.filter((v) => v.outcome === "going").sort((a, b) => Number(grave(b)) - Number(grave(a)) || b.began.localeCompare(a.began));
  const past = all
    .filter((v) => v.outcome !== "going")
    .sort((a, b) => b.began.localeCompare(a.began))
    .slice(0, 12);
  return (
    <>
      <Card title="Going on now">
        <Table
          label="Visits going on"
          columns={["Courier", "Home", "Now", "Because", "Since"]}
          rows={going}
          id={(v) => v.id}
          icon="eye"
          empty="No courier is at a door right now. A visit appears here the moment it begins."
          cells={(v) => [
            <strong>{v.courier_name}</strong>,
            homeOf(v),
            <Chip tone={grave(v) ? "danger" : v.phase === "held" ? "warn" : "work"}>{phaseName(v.phase ?? "")}</Chip>,
            words(v.reason),
            <span class="num">{hhmm(v.began)}</span>,
          ]}
        />
      </Card>
      {past.length > 0 && (
        <Card title="Earlier">
          <Table
            label="Earlier visits"
            columns={["Courier", "Home", "Ended", "Because", "When"]}
            rows={past}
            id={(v) => v.id}
            icon="eye"
            empty=""
            cells={(v) => [
              <strong>{v.courier_name}</strong>,
              homeOf(v),
              <Chip tone={v.outcome === "done" ? "calm" : v.outcome === "incident" ? "danger" : "warn"}>{v.outcome === "done" ? "Delivered" : v.outcome === "incident" ? "Incident" : "Not delivered"}</Chip>,
              v.outcome === "done" ? "" : words(v.reason),
              <span class="num">{when(v.began, v.ended)}</span>,
            ]}
          />
        </Card>
      )}
    </>
  );
}

export function IncidentsOfOps() {
  const list = ops.value?.incidents ?? [];
  const visit = (i: Incident): VisitOfOps | undefined => ops.value?.visits?.find((v) => v.id === i.visit);
  return (
    <Card title="Incidents">
      {list.length > 0 && <p class="hint">Call the courier before they go on: they were told to wait for you. Only a resident sees the film and closes the incident.</p>}
      <Table
        label="Incidents"
        columns={["Courier", "Home", "When", "What happened", "Not watched"]}
        rows={list}
        id={(i) => i.visit}
        icon="shield"
        empty="No incident is open."
        cells={(i) => {
          const v = visit(i);
          return [
            <strong>{v?.courier_name || "–"}</strong>,
            homeOf(v),
            <span>
              <span class="num">{v ? `${dayName(v.began)}, ${hhmm(v.began)}` : "–"}</span>
              <span class="hint block">
                Visit <span class="code">{i.visit}</span>
              </span>
            </span>,
            <span>
              {words(i.reason)}
              <span class="hint block">{i.text}</span>
            </span>,
            <strong class="num">{i.total_s > 0 ? tenths(i.total_s) : "–"}</strong>,
          ];
        }}
      />
    </Card>
  );
}
