import { dayName, hhmm, spanText, when } from "../lib/format.ts";
import { words } from "../lib/reason.ts";
import { tenths } from "../lib/state.ts";
import type { Delivery, VisitSummary } from "../lib/types.ts";
import { Icon } from "../ui/icons.tsx";
import { Card, Chip, Empty, Link } from "../ui/ui.tsx";
import { home } from "./store.ts";

const steps = ["booked", "assigned", "here", "open", "done"];
const stepNames = ["Booked", "Courier assigned", "At the door", "Inside", "Delivered"];

// Today shows what comes, who brings it and how far it is.
export function Deliveries() {
  const list = (home.value?.deliveries ?? []).filter((d) => !["done", "failed", "cancelled"].includes(d.state) || dayName(d.from) === "Today");
  return (
    <Card title="Deliveries">
      {list.length === 0 ? (
        <Empty icon="parcel">Nothing is on its way. Nobody can open this door for a delivery.</Empty>
      ) : (
        list
          .slice()
          .sort((a, b) => a.from.localeCompare(b.from))
          .map((d) => <OneDelivery key={d.id} delivery={d} />)
      )}
    </Card>
  );
}

function OneDelivery({ delivery: d }: { delivery: Delivery }) {
  const at = steps.indexOf(d.state);
  const n = (d.parcels ?? []).length;
  return (
    <article class="delivery">
      <div class="delivery-head">
        <div>
          <p class="delivery-when">
            {dayName(d.from)}, {spanText(d.from, d.until)}
          </p>
          <p class="delivery-who">
            {d.courier_name ? `${d.courier_name} · ` : ""}
            {d.carrier_name ?? d.carrier} · {n === 1 ? "1 parcel" : `${n} parcels`}
          </p>
        </div>
        {at < 0 && <Chip tone={d.state === "failed" ? "warn" : "unknown"}>{d.state === "failed" ? "Not delivered" : "Cancelled"}</Chip>}
      </div>
      {at >= 0 && (
        <ol class="steps" aria-label={`Progress: ${stepNames[at]}`}>
          {stepNames.map((name, i) => (
            <li key={name} class={i < at ? "done" : i === at ? "now" : ""} aria-current={i === at ? "step" : undefined}>
              <span class="step-dot" aria-hidden="true" />
              <span class="step-name">{name}</span>
            </li>
          ))}
        </ol>
      )}
      {d.reason && at < 0 && <p class="hint">{words(d.reason)}</p>}
    </article>
  );
}

export function outcome(v: VisitSummary): { tone: "calm" | "work" | "warn" | "danger"; text: string; short: string } {
  switch (v.outcome) {
    case "going":
      return { tone: "work", text: "Going on", short: "Going on" };
    case "done":
      return { tone: "calm", text: "Delivered", short: "Delivered" };
    case "incident":
      return { tone: "danger", text: v.gap_s > 0 ? `Incident · ${tenths(v.gap_s)} not watched` : "Incident", short: "Incident" };
    default:
      return { tone: "warn", text: "Not delivered", short: "Not delivered" };
  }
}

export function Visits() {
  const list = (home.value?.visits ?? []).slice().sort((a, b) => b.began.localeCompare(a.began));
  return (
    <Card title="Visits">
      {list.length === 0 ? (
        <Empty icon="film">No visit yet. Each one will be here with its film and its record.</Empty>
      ) : (
        <ul class="rows">
          {list.slice(0, 30).map((v) => {
            const o = outcome(v);
            return (
              <li key={v.id}>
                <Link to={`/home/visit/${encodeURIComponent(v.id)}`} class="row-link">
                  <span class="row-main">
                    <strong>{v.courier_name || "Courier"}</strong>
                    <span class="hint">{when(v.began, v.ended)}</span>
                  </span>
                  <Chip tone={o.tone}>{o.text}</Chip>
                  <Icon name="next" size={20} />
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

export function Notices() {
  const list = (home.value?.alarms ?? []).filter((a) => a.notice).slice(0, 5);
  if (list.length === 0) return null;
  return (
    <Card title="Notices">
      <ul class="rows">
        {list.map((a) => (
          <li key={a.id} class="row-text">
            <span class="row-main">
              <span>{a.text}</span>
              <span class="hint">
                {dayName(a.at)}, {hhmm(a.at)}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
