import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { follow } from "./lib/events.ts";
import { AlarmBanner, Incidents } from "./home/alarms.tsx";
import { Cameras, CameraWarning } from "./home/cameras.tsx";
import { Hero, Orders, Rules, Unready } from "./home/door.tsx";
import { Household } from "./home/household.tsx";
import { Deliveries, Notices, Visits } from "./home/lists.tsx";
import { Consents, Pairing } from "./home/pairing.tsx";
import { Picture } from "./home/picture.tsx";
import { chosen, door, home, problem, refresh, ringing, stale, take, view } from "./home/store.ts";
import { VisitPage } from "./home/visit.tsx";
import { path, part } from "./ui/router.ts";
import { Boot, enter, Guard, leave, me, OfflineBanner, shell, bootProblem } from "./ui/shell.tsx";
import { Button, Card, Note, Top } from "./ui/ui.tsx";

function HomePage() {
  const h = home.value;
  const d = door.value;
  const doors = h?.doors ?? [];
  return (
    <main class={`page home ${stale.value ? "stale" : ""}`}>
      <Top title={h?.household || "Home"} sub={me.value?.name ?? ""}>
        <Button kind="quiet" onClick={() => void leave()}>
          Sign out
        </Button>
      </Top>
      {doors.length > 1 && (
        <div class="tabs" role="group" aria-label="Doors">
          {doors.map((x, i) => (
            <button key={`${x.hub}/${x.door}`} type="button" aria-pressed={i === chosen.value} onClick={() => (chosen.value = i)}>
              {x.name}
              {ringing.value.some((r) => r.hub === x.hub && r.door === x.door) && <span class="count">Alarm</span>}
            </button>
          ))}
        </div>
      )}
      {problem.value && <Note tone="warn">{problem.value}</Note>}
      <div class="columns">
        <div class="column main-column">
          {d && <Hero />}
          {d && <Orders />}
          {d && <Unready />}
          {d && <Picture key={`${d.hub}/${d.door}`} hub={d.hub} door={d.door} name={d.name} view={view.value} />}
          {d && <CameraWarning />}
          <Pairing />
        </div>
        <div class="column">
          <Incidents />
          <Deliveries />
          <Visits />
          <Consents />
          <Notices />
          {d && (
            <Card title="At home right now">
              <Rules />
            </Card>
          )}
          {d && <Cameras />}
          <Household />
          <Card title="Recording">
            <p>{h?.notice || "This door is filmed during every visit, and a few seconds before and after. Films stay on your hub."}</p>
            {view.value?.walk?.passed && !stale.value && <p>{view.value.walk.say}</p>}
          </Card>
        </div>
      </div>
    </main>
  );
}

function App() {
  const [ready, setReady] = useState(false);
  const start = async (): Promise<void> => {
    bootProblem.value = "";
    if (await enter("resident")) {
      await refresh();
      setReady(true);
    }
  };
  useEffect(() => {
    void start();
  }, []);
  useEffect(() => (ready ? follow(take, () => void refresh()) : undefined), [ready]);
  if (!ready) return <Boot retry={() => void start()} />;
  void path.value;
  return (
    <>
      <AlarmBanner />
      <OfflineBanner />
      {part(1) === "visit" ? <VisitPage key={part(2)} id={part(2)} /> : <HomePage />}
    </>
  );
}

shell();
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
