import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { enter } from "./lib/hubapi.ts";
import { CameraStep } from "./setup/camera.tsx";
import { DoorStep } from "./setup/door.tsx";
import { DoneStep, ServiceStep, WriteStep } from "./setup/finish.tsx";
import { fileName, follow, goto, out, problems, quiet, refresh, state, step, steps } from "./setup/store.ts";
import { Icon, Mark } from "./ui/icons.tsx";
import { Guard } from "./ui/shell.tsx";
import { Top, Waiting } from "./ui/ui.tsx";

// The hub's set-up: which lock, contact and camera belong to a door.

const names: Record<string, string> = { door: "Door", camera: "Camera", service: "Service", write: "Write" };

function Steps() {
  const at = steps.value.indexOf(step.value);
  return (
    <ol class="steps setup-steps" aria-label="Steps">
      {steps.value.map((s, i) => (
        <li key={s} class={i === at ? "now" : i < at ? (problems(s).length > 0 ? "" : "done") : ""}>
          <span class="step-dot" />
          {i < at ? (
            <button type="button" class="step-name" onClick={() => goto(s)}>
              {names[s]}
            </button>
          ) : (
            <span class="step-name" aria-current={i === at ? "step" : undefined}>
              {names[s]}
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}

function Out() {
  return (
    <div class="door-page">
      <header class="door-head">
        <Mark size={56} />
        <h1>Set up a hub</h1>
        <p role="alert">{out.value}</p>
      </header>
      <p class="hint setup-out">
        On the hub’s machine:
        <span class="code block">eyebolt hub setup --config hub.yaml</span>
      </p>
    </div>
  );
}

function App() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void (async () => {
      try {
        await enter();
      } catch (e) {
        out.value = e instanceof Error ? e.message : "This link does not open.";
        return;
      }
      await refresh();
      setReady(true);
    })();
  }, []);
  useEffect(() => (ready ? follow() : undefined), [ready]);
  const s = state.value;
  if (out.value) return <Out />;
  if (!s) return <Waiting>{quiet.value ? "The set-up does not answer. Is eyebolt hub setup still running?" : "Asking the hub…"}</Waiting>;
  return (
    <>
      {quiet.value && (
        <div class="offline" role="status">
          <Icon name="offline" size={20} />
          <span>The set-up does not answer. Is eyebolt hub setup still running on the hub? What you chose is kept.</span>
        </div>
      )}
      <main class="page setup">
        <Top title={s.written ? "Your door is set up" : s.existing ? "Add a door" : "Set up your hub"} sub={fileName(s.config)} />
        {!s.written && <Steps />}
        <div class="column">
          {s.written ? <DoneStep w={s.written} /> : step.value === "camera" ? <CameraStep /> : step.value === "service" ? <ServiceStep /> : step.value === "write" ? <WriteStep /> : <DoorStep />}
        </div>
      </main>
    </>
  );
}

const root = document.getElementById("app");
if (root) {
  root.replaceChildren();
  render(
    <Guard>
      <App />
    </Guard>,
    root,
  );
}
