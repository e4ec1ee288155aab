import { hhmmss } from "../lib/format.ts";
import { knownAt } from "../lib/fresh.ts";
import { inVisit, phaseName, type Tone } from "../lib/state.ts";
import { Icon } from "../ui/icons.tsx";
import { Button, Chip, Note, Switch, Twice } from "../ui/ui.tsx";
import { busy, door, hero, order, said, stale, view } from "./store.ts";

const icons: Record<Tone, string> = { calm: "shield", work: "turn", warn: "open", danger: "alert", unknown: "question" };

// Hero is the one thing a resident opens the app for: is my door secured?
export function Hero() {
  const h = hero.value;
  const v = view.value;
  const chips: { tone: Tone; text: string }[] = [];
  if (v && !stale.value) {
    if (inVisit(v.phase)) chips.push({ tone: "work", text: v.courier ? `${v.courier} · ${phaseName(v.phase)}` : phaseName(v.phase) });
    if (v.blocked) chips.push({ tone: "danger", text: "Blocked" });
    if (v.battery >= 0 && v.battery <= 20) chips.push({ tone: "warn", text: `Lock battery ${v.battery} %` });
  }
  const icon = h.title === "Open" || h.title === "Ajar" ? "open" : h.title === "Bolted" || h.title === "Closing" ? "lock" : icons[h.tone];
  return (
    <section class={`hero ${h.tone}`} aria-live="polite" aria-atomic="true">
      <div class="hero-icon">
        <Icon name={icon} size={36} />
      </div>
      <div class="hero-text">
        <p class="hero-door">{door.value?.name ?? "Your door"}</p>
        <p class="hero-title">{h.title}</p>
        <p class="hero-sentence">{h.sentence}</p>
        {h.last !== "" && v && (
          <p class="hero-last">
            Last known: {h.last}, at {hhmmss(knownAt(v))}
          </p>
        )}
      </div>
      {chips.length > 0 && (
        <div class="hero-chips">
          {chips.map((c) => (
            <Chip key={c.text} tone={c.tone}>
              {c.text}
            </Chip>
          ))}
        </div>
      )}
    </section>
  );
}

// Unready is what would keep the next courier out, told while there is time to see to it.
export function Unready() {
  const list = view.value?.unready ?? [];
  if (list.length === 0 || stale.value) return null;
  return (
    <Note tone="warn">
      <b>The next courier could not come in</b>
      {list.map((u) => (
        <p key={u.reason} class="unready">
          {u.say}
        </p>
      ))}
    </Note>
  );
}

// Orders are always within reach. What makes the home safer takes one press; what makes it less safe asks again.
export function Orders() {
  const v = view.value;
  const visit = v !== null && inVisit(v.phase) && v.phase !== "tail";
  return (
    <div class="orders" role="group" aria-label="Orders to this door">
      {said.value && !said.value.ok && <Note tone="danger">{said.value.text}</Note>}
      <p class="said" role="status">
        {said.value?.ok ? said.value.text : ""}
      </p>
      {visit && (
        <Button kind="danger" big wide icon="leave" busy={busy.value.includes("leave")} onClick={() => void order("leave", {}, "The courier is told to leave now.")}>
          {v?.leave ? "Told to leave – tell again" : "Leave now"}
        </Button>
      )}
      <div class="orders-row">
        {v?.blocked ? (
          <Twice big ask="Really unblock?" icon="block" busy={busy.value.includes("unblock")} onSure={() => void order("unblock", {}, "The block is lifted.")}>
            Unblock
          </Twice>
        ) : (
          <Button kind="block" big icon="block" busy={busy.value.includes("block")} onClick={() => void order("block", {}, "This door is blocked.")}>
            Block
          </Button>
        )}
        <Button kind="main" big icon="lock" busy={busy.value.includes("lock")} onClick={() => void order("lock", {}, "The bolt is asked for. Secured shows when it has reported.")}>
          Lock now
        </Button>
      </div>
    </div>
  );
}

const holds: { what: string; label: string; hint: string }[] = [
  { what: "pets", label: "Pets are loose", hint: "A courier waits until they are put away." },
  { what: "alarm", label: "Home alarm is armed", hint: "A courier waits until it is off." },
];

export function Rules() {
  const v = view.value;
  const set = new Set(v?.holds ?? []);
  return (
    <div class="switches">
      <Switch
        label="Somebody is home"
        hint={v?.home ? "You are told when the door opens; no alarm." : "Away: any opening outside a visit rings the alarm."}
        on={v?.home ?? false}
        busy={busy.value.includes("home")}
        disabled={v === null}
        onChange={(on) => void order("home", { on }, on ? "Set to home." : "Set to away.")}
      />
      {holds.map((h) => (
        <Switch
          key={h.what}
          label={h.label}
          hint={h.hint}
          on={set.has(h.what)}
          busy={busy.value.includes("hold")}
          disabled={v === null}
          onChange={(on) => void order("hold", { what: h.what, on }, on ? "Couriers wait outside." : "Couriers need not wait for this any more.")}
        />
      ))}
    </div>
  );
}
