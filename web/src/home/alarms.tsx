import { ask } from "../lib/api.ts";
import { hhmmss } from "../lib/format.ts";
import { gapText, tenths } from "../lib/state.ts";
import type { Incident } from "../lib/types.ts";
import { useState } from "preact/hooks";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Link, Note } from "../ui/ui.tsx";
import { busy, home, order, view } from "./store.ts";

// AlarmBanner stands above everything until a person acknowledges it.
export function AlarmBanner() {
  const v = view.value;
  if (!v?.alarm) return null;
  const alarm = (home.value?.alarms ?? []).find((a) => !a.notice && a.reason === v.alarm && a.door === v.door);
  return (
    <div class="alarm" role="alert">
      <Icon name="alert" size={32} />
      <div class="alarm-text">
        <strong>{v.alarm_text || alarm?.text || "There is an alarm at this door."}</strong>
        <p>{alarm ? `Since ${hhmmss(alarm.at)}. ` : ""}It stands until somebody acknowledges it.</p>
      </div>
      <Button big busy={busy.value === "ack"} onClick={() => void order("ack", {}, "Acknowledged.")}>
        I have seen this
      </Button>
    </div>
  );
}

// incidents of the door's view and of the service, once each.
export function openIncidents(): Incident[] {
  const all = new Map<string, Incident>();
  for (const i of home.value?.incidents ?? []) all.set(i.visit, i);
  for (const i of view.value?.incidents ?? []) all.set(i.visit, i);
  return [...all.values()];
}

export function Incidents() {
  const list = openIncidents();
  if (list.length === 0) return null;
  return (
    <Card title={list.length === 1 ? "An incident to read" : `${list.length} incidents to read`} tone="danger">
      {list.map((i) => (
        <OneIncident key={i.visit} incident={i} />
      ))}
    </Card>
  );
}

function OneIncident({ incident: i }: { incident: Incident }) {
  const [read, setRead] = useState(false);
  const [wait, setWait] = useState(false);
  const [refused, setRefused] = useState("");
  const close = async (): Promise<void> => {
    setWait(true);
    const r = await ask(`/api/visits/${encodeURIComponent(i.visit)}/close`);
    setWait(false);
    setRefused(r.ok ? "" : (r.sentence ?? "The hub refused."));
    if (r.ok && home.value) home.value = { ...home.value, incidents: (home.value.incidents ?? []).filter((x) => x.visit !== i.visit) };
  };
  return (
    <div class="incident">
      <p class="incident-text">{i.text}</p>
      {i.total_s > 0 && (
        <p class="incident-gap">
          <span class="figure">{tenths(i.total_s)}</span>
          <span>not watched while the door was not secured</span>
        </p>
      )}
      {(i.gaps ?? []).length > 1 && (
        <ul class="plain-list">
          {(i.gaps ?? []).map((g) => (
            <li key={g.from}>
              {hhmmss(g.from)}: {gapText(g)}
            </li>
          ))}
        </ul>
      )}
      <label class="tick">
        <input type="checkbox" checked={read} onChange={(e) => setRead(e.currentTarget.checked)} />
        <span>I have read what happened. Closing does not erase it.</span>
      </label>
      {refused && <Note tone="danger">{refused}</Note>}
      <div class="row">
        <Link to={`/home/visit/${encodeURIComponent(i.visit)}`} class="button plain">
          See the visit
        </Link>
        <Button kind="main" disabled={!read} busy={wait} onClick={() => void close()}>
          Close the incident
        </Button>
      </div>
    </div>
  );
}
