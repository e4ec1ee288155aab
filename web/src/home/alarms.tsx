import { ask } from "../lib/api.ts";
import { buzz } from "../lib/buzz.ts";
import { hhmmss, moment } from "../lib/format.ts";
import type { Ringing } from "../lib/ringing.ts";
import { gapText, tenths } from "../lib/state.ts";
import type { Incident } from "../lib/types.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../ui/icons.tsx";
import { Button, Card, Link, Note } from "../ui/ui.tsx";
import { acknowledge, all, home, ringing } from "./store.ts";

// AlarmBanner stands above everything until a person acknowledges it: every door's and every hub's, whichever is looked at, in the
// page's title too, and felt in the hand.
export function AlarmBanner() {
  const list = ringing.value;
  const loud = list.length > 0;
  const felt = useRef(new Set<string>());
  const each = list.flatMap((r) => r.rings.map((a) => `${r.hub}/${r.door}/${a.id || a.reason}`));
  useEffect(() => {
    if (!loud) return;
    const quiet = document.title;
    document.title = `ALARM – ${quiet}`;
    return () => {
      document.title = quiet;
    };
  }, [loud]);
  useEffect(() => {
    if (each.some((a) => !felt.current.has(a))) buzz([400, 150, 400, 150, 400]); // a further alarm is felt, too
    felt.current = new Set(each);
  }, [each.join()]);
  if (!loud) return null;
  const several = (home.value?.doors ?? []).length > 1 || list.length > 1;
  return (
    <div class="alarms">
      {list.map((r) => (
        <Banner key={`${r.hub}/${r.door}`} ringing={r} several={several} />
      ))}
    </div>
  );
}

function Banner({ ringing: r, several }: { ringing: Ringing; several: boolean }) {
  const [wait, setWait] = useState(false);
  const seen = async (): Promise<void> => {
    setWait(true);
    await acknowledge({ hub: r.hub, door: r.ack }, r.rings.map((a) => a.id).filter((id) => id !== ""));
    setWait(false);
  };
  const [one] = r.rings;
  const name = several ? `${r.name}: ` : "";
  return (
    <div class={`alarm ${r.rings.length > 1 ? "several" : ""}`} role="alert">
      <Icon name="alert" size={32} />
      {r.rings.length === 1 && one ? (
        <div class="alarm-text">
          <strong>
            {name}
            {one.text}
          </strong>
          <p>{one.at ? `Since ${moment(one.at)}. ` : ""}It stays here until somebody acknowledges it.</p>
        </div>
      ) : (
        <div class="alarm-text">
          <strong>
            {name}
            {r.rings.length + r.more} alarms
          </strong>
          <ul>
            {r.rings.map((a) => (
              <li key={a.id || a.reason}>
                {a.text}
                {a.at && <span class="alarm-since">Since {moment(a.at)}</span>}
              </li>
            ))}
          </ul>
          {r.more > 0 ? <span class="alarm-more">and {r.more} more: acknowledge these first</span> : <p>They stay here until somebody acknowledges them.</p>}
        </div>
      )}
      {r.ack === "" ? (
        <p>It can be acknowledged once this hub has a door.</p>
      ) : (
        <Button big busy={wait} onClick={() => void seen()}>
          I have seen this
        </Button>
      )}
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
