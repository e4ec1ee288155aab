import { ask } from "../lib/api.ts";
import { buzz } from "../lib/buzz.ts";
import { hhmmss } from "../lib/format.ts";
import { gapText, tenths } from "../lib/state.ts";
import type { Incident } from "../lib/types.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Link, Note } from "../ui/ui.tsx";
import { all, busy, home, order } from "./store.ts";

// AlarmBanner stands above everything until a person acknowledges it: every door's, whichever is looked at, in the page's
// title too, and felt in the hand.
export function AlarmBanner() {
  const ringing = all.value.filter(({ view: v }) => v.alarm);
  const loud = ringing.length > 0;
  useEffect(() => {
    if (!loud) return;
    const quiet = document.title;
    document.title = `ALARM – ${quiet}`;
    buzz([400, 150, 400, 150, 400]);
    return () => {
      document.title = quiet;
    };
  }, [loud]);
  if (!loud) return null;
  const several = (home.value?.doors ?? []).length > 1;
  return (
    <div class="alarms">
      {ringing.map(({ door: d, view: v }) => {
        const alarm = (home.value?.alarms ?? []).find((a) => !a.notice && a.reason === v.alarm && a.hub === v.hub && a.door === v.door);
        return (
          <div key={`${d.hub}/${d.door}`} class="alarm" role="alert">
            <Icon name="alert" size={32} />
            <div class="alarm-text">
              <strong>
                {several ? `${d.name}: ` : ""}
                {v.alarm_text || alarm?.text || "There is an alarm at this door."}
              </strong>
              <p>{alarm ? `Since ${hhmmss(alarm.at)}. ` : ""}It stays here until somebody acknowledges it.</p>
            </div>
            <Button big busy={busy.value.includes("ack")} onClick={() => void order("ack", {}, "Acknowledged.", d)}>
              I have seen this
            </Button>
          </div>
        );
      })}
    </div>
  );
}

// openIncidents are those of every door's view and of the service, once each.
export function openIncidents(): Incident[] {
  const once = new Map<string, Incident>();
  for (const i of home.value?.incidents ?? []) once.set(i.visit, i);
  for (const { view: v } of all.value) for (const i of v.incidents ?? []) once.set(i.visit, i);
  return [...once.values()];
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
      <CloseIncident incident={i}>
        <Link to={`/home/visit/${encodeURIComponent(i.visit)}`} class="button plain">
          See the visit
        </Link>
      </CloseIncident>
    </div>
  );
}

// CloseIncident asks whether the incident was read, then closes it. Closing erases nothing (S7).
export function CloseIncident({ incident: i, children }: { incident: Incident; children?: ComponentChildren }) {
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
    <>
      <label class="tick">
        <input type="checkbox" checked={read} onChange={(e) => setRead(e.currentTarget.checked)} />
        <span>I have read what happened. Closing does not erase it.</span>
      </label>
      {refused && <Note tone="danger">{refused}</Note>}
      <div class="row">
        {children}
        <Button kind="main" disabled={!read} busy={wait} onClick={() => void close()}>
          Close the incident
        </Button>
      </div>
    </>
  );
}
