import { useEffect, useState } from "preact/hooks";
import { call } from "../lib/hubapi.ts";
import { Button, Card, Chip, Field, Note, Select } from "../ui/ui.tsx";
import { Working } from "./parts.tsx";
import { act, asks, draft, family, flush, lock, peer, problems, put, sentence } from "./store.ts";
import type { Ask, Told } from "./types.ts";

// What nobody but a person of the home can tell about the lock that was chosen; and the lock is asked at once, so that a mistake shows here.

// answered is what was typed, or what is proposed.
export const answered = (q: Ask): string => draft.value?.answers?.[q.key] ?? q.propose;

function Secret({ q }: { q: Ask }) {
  const [value, setValue] = useState("");
  const [other, setOther] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const d = draft.value;
  if (!d) return null;
  const keep = async (): Promise<void> => {
    setBusy(true);
    // What was chosen goes first: the answer is to one lock's question.
    const refused = (await flush()) || (await act("answer", { Peer: d.peer, Lock: d.lock, Family: d.family, Key: q.key, Value: value.trim() }));
    setBusy(false);
    setSaid(refused);
    setValue("");
    setOther(refused !== "");
  };
  if (q.had && !other) {
    return (
      <div class="had">
        <span>
          {q.label}: <Chip tone="calm">Typed</Chip>
        </span>
        <Button kind="quiet" onClick={() => setOther(true)}>
          Type another
        </Button>
      </div>
    );
  }
  return (
    <form
      class="form"
      autocomplete="off"
      onSubmit={(e) => {
        e.preventDefault();
        void keep();
      }}
    >
      <Field label={q.label} type="password" inputMode="numeric" value={value} onInput={setValue} name={`answer-${q.key}`} required hint={q.hint} />
      {said && <Note tone="warn">{said}</Note>}
      <Button kind="main" type="submit" busy={busy} wide>
        Keep it for the hub
      </Button>
    </form>
  );
}

function Answer({ q }: { q: Ask }) {
  const put1 = (v: string): void => put({ answers: { ...draft.value?.answers, [q.key]: v } });
  if (q.secret) return <Secret q={q} />;
  if (q.choices.length > 0) return <Select label={q.label} value={answered(q)} onInput={put1} options={q.choices} />;
  return <Field label={q.optional ? `${q.label} (may be left empty)` : q.label} value={answered(q)} onInput={put1} name={`answer-${q.key}`} exact required={!q.optional} hint={q.hint} />;
}

const bolt: Record<string, string> = { thrown: "the bolt is thrown", drawn: "the bolt is drawn", jammed: "the bolt is jammed" };
const door: Record<string, string> = { closed: "the door is closed", open: "the door is open", ajar: "the door is ajar" };

function Try() {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const [told, setTold] = useState<Told | null>(null);
  const d = draft.value;
  // What was said was said of other answers.
  const of = JSON.stringify([d?.peer, d?.lock, d?.contact, d?.family, d?.answers]);
  useEffect(() => {
    setTold(null);
    setSaid("");
  }, [of]);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setTold(null);
    setSaid("");
    try {
      const missing = (await flush()) || problems("door")[0];
      if (missing) setSaid(missing);
      else setTold(await call<Told>("POST", "/setup/api/try", {}));
    } catch (e) {
      setSaid(e instanceof Error ? e.message : "The hub refused.");
    }
    setBusy(false);
  };
  return (
    <>
      {busy && <Working>Asking the lock. That can take ten seconds.</Working>}
      {told && (
        <Note tone={told.door === "" ? "work" : "calm"} icon="check">
          <strong>{told.ms < 100 ? "It answered at once:" : `It answered in ${(told.ms / 1000).toFixed(1)} s:`}</strong> {[bolt[told.bolt], door[told.door]].filter(Boolean).join(", ")}. {told.door === "" ? "Nothing was heard of the door: it is told when it moves. The walk test tries it." : "Look at the door: if that is not so, this is another lock."}
        </Note>
      )}
      {said && <Note tone="warn">{sentence(said)}</Note>}
      <Button wide busy={busy} onClick={() => void ask()}>
        Ask the lock where its bolt is
      </Button>
      <p class="hint">Nothing moves: the lock is only asked.</p>
    </>
  );
}

export function About() {
  const l = lock.value;
  const f = family.value;
  if (!l && !f) return null;
  const all = asks.value;
  const shown = all.filter((q) => !q.more);
  const more = all.filter((q) => q.more);
  return (
    <Card title={f ? f.name : "About this lock"}>
      {f?.about && <p class="hint">{f.about}</p>}
      {l?.note && <Note tone="work">{sentence(l.note)}</Note>}
      {(f?.steps ?? []).length > 0 && (
        <>
          <h3>First, on the device</h3>
          <ol class="promises steps-to">
            {(f?.steps ?? []).map((x) => (
              <li key={x}>{x}</li>
            ))}
          </ol>
        </>
      )}
      {shown.map((q) => (
        <Answer key={q.key} q={q} />
      ))}
      {more.length > 0 && (
        <details class="more">
          <summary>More settings</summary>
          <div class="form">
            {more.map((q) => (
              <Answer key={q.key} q={q} />
            ))}
          </div>
        </details>
      )}
      {peer.value?.tries && <Try />}
    </Card>
  );
}
