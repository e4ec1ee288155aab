import { ago, dayName, hhmm, words } from "../lib/format.ts";
import { now } from "../lib/clock.ts";
import { serverNow } from "../lib/api.ts";
import { phaseName, tenths } from "../lib/state.ts";
import type { VisitOfOps } from "../lib/types.ts";
import { Card, Chip, Empty } from "../ui/ui.tsx";
import { ops } from "./store.ts";
import { Table } from "./table.tsx";

// An operator sees where a visit stands and why, never inside a home (S17).
export function LiveVisits() {
  const all = ops.value?.visits ?? [];
  const going = all.filter((v) => v.outcome === "going");
  const past = all
    .filter((v) => v.outcome !== "going")
    .sort((a, b) => b.began.localeCompare(a.began))
    .slice(0, 12);
  const household = (v: VisitOfOps): string => ops.value?.deliveries?.find((d) => d.id === v.delivery)?.household_name ?? "–";
  return (
    <>
      <Card title="Going on now">
        <Table
          label="Visits going on"
          columns={["Courier", "Household", "Stands at", "Why", "Since"]}
          rows={going}
          id={(v) => v.id}
          icon="eye"
          empty="No visit is going on."
          cells={(v) => [
            <strong>{v.courier_name}</strong>,
            household(v),
            <Chip tone={v.phase === "unproven" ? "danger" : v.phase === "held" ? "warn" : "work"}>{phaseName(v.phase ?? "")}</Chip>,
            words(v.reason),
            <span class="num">{hhmm(v.began)}</span>,
          ]}
        />
      </Card>
      {past.length > 0 && (
        <Card title="Earlier">
          <Table
            label="Earlier visits"
            columns={["Courier", "Household", "Outcome", "Why", "When"]}
            rows={past}
            id={(v) => v.id}
            icon="eye"
            empty=""
            cells={(v) => [
              <strong>{v.courier_name}</strong>,
              household(v),
              <Chip tone={v.outcome === "done" ? "calm" : v.outcome === "incident" ? "danger" : "warn"}>{v.outcome === "done" ? "Delivered" : v.outcome === "incident" ? "Incident" : "Not delivered"}</Chip>,
              words(v.reason),
              <span class="num">{`${dayName(v.began)}, ${hhmm(v.began)}`}</span>,
            ]}
          />
        </Card>
      )}
    </>
  );
}

export function Hubs() {
  void now.value;
  const hubs = ops.value?.hubs ?? [];
  return (
    <Card title="Hubs">
      {hubs.length === 0 ? (
        <Empty icon="home">No hub is connected to this carrier’s households yet.</Empty>
      ) : (
        <ul class="hubs">
          {hubs.map((h) => (
            <li key={h.id}>
              <span class="row-main">
                <strong class="code">{h.id}</strong>
                <span class="hint">{h.seen ? `Heard ${ago(serverNow() - Date.parse(h.seen))} ago` : "Never heard"}</span>
              </span>
              <Chip tone={h.online ? "calm" : "danger"}>{h.online ? "Online" : "Silent"}</Chip>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

export function IncidentsOfOps() {
  const list = ops.value?.incidents ?? [];
  return (
    <Card title="Incidents">
      <p class="hint">Only a resident closes an incident, and only a resident sees its film.</p>
      <Table
        label="Incidents"
        columns={["Visit", "What happened", "Why", "Not watched"]}
        rows={list}
        id={(i) => i.visit}
        icon="shield"
        empty="No incident is open."
        cells={(i) => [<span class="code">{i.visit}</span>, i.text, words(i.reason), <strong class="num">{i.total_s > 0 ? tenths(i.total_s) : "–"}</strong>]}
      />
    </Card>
  );
}
