import { watchName } from "../lib/state.ts";
import type { Evidence } from "../lib/types.ts";

// what each detector looks at, for a person.
const detectors: Record<string, string> = {
  age: "Age of the newest picture",
  hole: "Missing pictures",
  late: "Pictures that come late",
  clock: "The camera’s clock",
  replay: "Pictures seen before",
  key: "Pictures asked for",
  freeze: "The sensor’s noise, frozen",
  loop: "The sensor’s noise, repeated",
  cover: "Lens covered or turned",
  tamper: "The camera’s own alarm",
  signature: "The camera’s signature",
  door: "The door, seen moving",
  delay: "The picture’s constant delay",
  disk: "Reaching the disk",
};

// Why says why a lapse was called: the sentences of the detectors that called it, and everything that was measured, folded.
export function Why({ evidence }: { evidence: Evidence[] | null | undefined }) {
  const all = evidence ?? [];
  if (all.length === 0) return null;
  const against = all.filter((e) => e.state !== "live");
  const several = new Set(all.map((e) => e.camera)).size > 1;
  return (
    <div class="why">
      {against.map((e) => (
        <p key={`${e.camera}/${e.by}`}>
          {several ? `${e.camera}: ` : ""}
          {e.say}
        </p>
      ))}
      <details>
        <summary>What was measured</summary>
        <dl class="numbers">
          {all.map((e) => (
            <div key={`${e.camera}/${e.by}`}>
              <dt>
                {several ? `${e.camera}: ` : ""}
                {detectors[e.by] ?? e.by}
              </dt>
              <dd>
                {amount(e.score)}
                {e.limit !== 0 && `, limit ${amount(e.limit)}`} · {e.state === "live" ? "fine" : watchName(e.state).toLowerCase()}
              </dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  );
}

const amount = (x: number): string => (Math.abs(x) >= 100 || Number.isInteger(x) ? String(Math.round(x)) : x.toPrecision(2));
