import { useEffect, useState } from "preact/hooks";
import { picture } from "../lib/hubapi.ts";
import { Button, Card, Chip, Empty, Field, Note, Select } from "../ui/ui.tsx";
import { Login, Next, Pick, Searching, Working } from "./parts.tsx";
import { act, cam, draft, goto, put, sentence, state, word } from "./store.ts";
import type { Cam, DraftCamera } from "./types.ts";

// The cameras that see the door. Each is looked at before it is believed.

const chosen = (): DraftCamera[] => draft.value?.cameras ?? [];

function change(id: string, to: Partial<DraftCamera>): void {
  put({ cameras: chosen().map((c) => (c.camera === id ? { ...c, ...to } : c)) });
}

function choose(c: Cam): void {
  if (chosen().some((x) => x.camera === c.id)) return;
  const base = word(c.name).replace(/^-+|-+$/g, "") || "camera";
  let name = base;
  for (let n = 2; chosen().some((x) => x.name === name); n++) name = `${base}-${n}`;
  put({ cameras: [...chosen(), { camera: c.id, name, stream: "", link: "", seen: false }] });
}

const drop = (id: string): void => put({ cameras: chosen().filter((x) => x.camera !== id) });

function Shot({ c }: { c: Cam }) {
  const [src, setSrc] = useState("");
  useEffect(() => {
    let made = "";
    let gone = false;
    if (c.picture) {
      void picture(`/setup/api/picture?camera=${encodeURIComponent(c.id)}`).then(
        (url) => {
          if (url === null) return;
          if (gone) URL.revokeObjectURL(url);
          else setSrc((made = url));
        },
        () => undefined,
      );
    }
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [c.id, c.picture, c.state]);
  if (!c.picture) return <Note tone="unknown">{c.looks || "The camera gives no picture."} Make sure in another way that this camera sees the door.</Note>;
  return (
    <>
      <figure class="shot">{src && <img src={src} alt={`What the camera at ${c.address} sees now`} />}</figure>
      {c.looks && <p class="hint">{c.looks}</p>}
    </>
  );
}

function Chosen({ k, c }: { k: DraftCamera; c: Cam }) {
  // The stream to choose is chosen, until somebody chooses another.
  useEffect(() => {
    const first = c.streams.find((x) => x.watch) ?? c.streams[0];
    if (c.state === "listed" && first && !c.streams.some((x) => x.id === k.stream)) change(c.id, { stream: first.id });
  }, [c.state, c.streams.length]);
  const again = (user: string, password: string): Promise<string> => act("camera", { Camera: c.id, Address: "", User: user, Password: password });
  const stream = c.streams.find((x) => x.id === k.stream);
  return (
    <div class="chosen">
      {c.state === "asking" && <Working>Asking the camera for its streams and a picture. That can take 20 seconds.</Working>}
      {(c.state === "login" || c.state === "failed") && (
        <Login kind="password" user={c.user} had={c.secret} open={false} wrong={c.said} ask={again} />
      )}
      {c.state === "listed" && (
        <>
          <Shot c={c} />
          {!k.seen ? (
            <div class="asks">
              <h3>Is this the door’s camera?</h3>
              <p class="hint">The door must be in the picture, and whoever comes through it.</p>
              <div class="row">
                <Button kind="main" icon="check" onClick={() => change(c.id, { seen: true })}>
                  Yes, this door
                </Button>
                <Button onClick={() => drop(c.id)}>No, another</Button>
                <Button kind="quiet" onClick={() => void again(c.user, "")}>
                  New picture
                </Button>
              </div>
            </div>
          ) : (
            <>
              <fieldset class="choices">
                <legend>How is the camera connected?</legend>
                <Pick group={`link-${c.id}`} on={k.link === "wired"} title="By cable" sub="A loss of pictures is noticed within a quarter of a second." onPick={() => change(c.id, { link: "wired" })} />
                <Pick group={`link-${c.id}`} on={k.link === "wifi"} title="By Wi-Fi" sub="Within half a second. Wi-Fi can be jammed: a cable is better." onPick={() => change(c.id, { link: "wifi" })} />
              </fieldset>
              {c.streams.length > 1 && (
                <Select
                  label="Stream that is watched and recorded"
                  value={k.stream}
                  onInput={(v) => change(c.id, { stream: v })}
                  options={c.streams.map((x) => ({ value: x.id, label: `${x.text}${x.watch ? " (advised)" : ""}` }))}
                />
              )}
              {stream && !stream.plays && <Note tone="work">Phones cannot play this stream live (H.265). It is watched and recorded all the same.</Note>}
              <Field label="Name of the camera" value={k.name} onInput={(v) => change(c.id, { name: word(v) })} name="camera" required hint="For example hall: a to z, digits and hyphens." />
              {(c.advice ?? []).length > 0 && (
                <details class="more">
                  <summary>What to change in the camera’s own settings</summary>
                  <ul class="promises">
                    {(c.advice ?? []).map((a) => (
                      <li key={a}>{sentence(a)}</li>
                    ))}
                  </ul>
                </details>
              )}
            </>
          )}
        </>
      )}
    </div>
  );
}

function Typed() {
  const [address, setAddress] = useState("");
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState(false);
  const ask = async (): Promise<void> => {
    setBusy(true);
    const before = new Set(state.value?.cameras.map((c) => c.id));
    const refused = await act("camera", { Camera: "", Address: address, User: "", Password: "" });
    setBusy(false);
    setSaid(refused);
    if (refused) return;
    setAddress("");
    setOpen(false);
    const fresh = state.value?.cameras.find((c) => !before.has(c.id));
    if (fresh) choose(fresh);
  };
  return (
    <details class="more" open={open} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>It is not listed: type its address</summary>
      <form
        class="form"
        onSubmit={(e) => {
          e.preventDefault();
          void ask();
        }}
      >
        <Field label="The camera’s address" value={address} onInput={setAddress} name="camera-address" required hint="For example 192.168.1.30, or its stream: rtsp://192.168.1.30/stream" />
        {said && <Note tone="warn">{said}</Note>}
        <Button type="submit" busy={busy} wide>
          Ask it
        </Button>
      </form>
    </details>
  );
}

export function CameraStep() {
  const s = state.value;
  if (!s || !draft.value) return null;
  const n = s.cameras.length;
  return (
    <>
      <Card title="Which camera sees this door?">
        <Searching found={n === 1 ? "One camera." : n === 0 ? "No camera yet." : `${n} cameras.`} />
        {n === 0 && !s.search.running && s.search.done > 0 && (
          <>
            <Empty icon="noeye">No camera was found.</Empty>
            <ul class="promises">
              <li>Switch ONVIF on in the camera’s own settings, and its discovery.</li>
              <li>Give it a user with a password for ONVIF: many cameras keep it apart from that of their page.</li>
              <li>A camera that works only through its maker’s cloud cannot be used: the hub must see its pictures without anybody between.</li>
            </ul>
          </>
        )}
        {s.cameras.map((c) => {
          const k = chosen().find((x) => x.camera === c.id);
          return (
            <section key={c.id} class={`bridge ${k ? "on" : ""}`} aria-label={`Camera at ${c.address}`}>
              <header class="bridge-head">
                <strong>{c.name || c.model || "Camera"}</strong>
                <span class="hint code">{c.address.replace(/^[a-z]+:\/\//, "").replace("/onvif/device_service", "")}</span>
                {k?.seen && c.state === "listed" && <Chip tone="calm">Sees the door</Chip>}
              </header>
              {c.model && c.name && <p class="hint">{c.model}</p>}
              {c.state === "none" && <p class="hint">{c.said}</p>}
              {k ? (
                <>
                  <Chosen k={k} c={c} />
                  {(k.seen || c.state !== "listed") && (
                    <div class="row">
                      <Button kind="quiet" onClick={() => drop(c.id)}>
                        Do not use this camera
                      </Button>
                    </div>
                  )}
                </>
              ) : (
                c.state !== "none" && <Button onClick={() => choose(c)}>Use this camera</Button>
              )}
            </section>
          );
        })}
        <Typed />
        {chosen().length > 0 && <p class="hint">A second camera at the door makes false alarms rarer: the hub watches while either of them does.</p>}
      </Card>
      <Next back={() => goto("door")} />
    </>
  );
}

export const summary = (k: DraftCamera): string => {
  const c = cam(k.camera);
  const stream = c?.streams.find((x) => x.id === k.stream)?.text ?? "";
  return [k.name, k.link === "wired" ? "cable" : k.link === "wifi" ? "Wi-Fi" : "", stream].filter(Boolean).join(", ");
};
