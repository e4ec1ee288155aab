import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "./lib/api.ts";
import { connected, follow, heard } from "./lib/events.ts";
import { putOpen } from "./lib/incidents.ts";
import type { Delivery, Incident, Ops, View, VisitOfOps } from "./lib/types.ts";
import { Couriers } from "./ops/couriers.tsx";
import { Deliveries } from "./ops/deliveries.tsx";
import { Homes } from "./ops/homes.tsx";
import { Attention, IncidentsOfOps, LiveVisits } from "./ops/visits.tsx";
import { ops } from "./ops/store.ts";
import { Icon } from "./ui/icons.tsx";
import { part, path } from "./ui/router.ts";
import { Boot, bootProblem, enter, Guard, leave, me, OfflineBanner, shell } from "./ui/shell.tsx";
import { Button, Link, Note, Top } from "./ui/ui.tsx";

const problem = signal("");

async function refresh(): Promise<void> {
  try {
    ops.value = await get<Ops>("/api/ops");
    heard();
    problem.value = "";
  } catch (e) {
    if (e instanceof Problem && e.status === 401) location.replace("/");
    problem.value = e instanceof Error ? e.message : "The service did not answer.";
  }
}

function put<T>(list: T[] | null, one: T, id: (t: T) => string): T[] {
  const rest = list ?? [];
  return rest.some((x) => id(x) === id(one)) ? rest.map((x) => (id(x) === id(one) ? { ...x, ...one } : x)) : [one, ...rest];
}

function take(type: string, data: unknown): void {
  const o = ops.value;
  if (o === null) return;
  if (type === "delivery") ops.value = { ...o, deliveries: put(o.deliveries, data as Delivery, (d) => d.id) };
  if (type === "visit") ops.value = { ...o, visits: put(o.visits, data as VisitOfOps, (v) => v.id) };
  if (type === "incident") ops.value = { ...o, incidents: putOpen(o.incidents, data as Incident) };
  if (type === "view") {
    const v = data as View;
    ops.value = { ...o, visits: (o.visits ?? []).map((x) => (x.outcome === "going" && x.hub === v.hub && x.door === v.door ? { ...x, phase: v.phase, reason: v.reason } : x)) };
  }
}

const tabs = [
  { at: "", name: "Live", icon: "eye" },
  { at: "deliveries", name: "Deliveries", icon: "parcel" },
  { at: "couriers", name: "Couriers", icon: "person" },
  { at: "homes", name: "Homes", icon: "home" },
  { at: "incidents", name: "Incidents", icon: "alert" },
];

function App() {
  const [ready, setReady] = useState(false);
  const start = async (): Promise<void> => {
    bootProblem.value = "";
    if (await enter("operator")) {
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
  const at = part(1);
  const open = (ops.value?.incidents ?? []).length;
  return (
    <>
      <OfflineBanner />
      <main class={`page ops ${connected.value ? "" : "stale"}`}>
        <Top title="Operations" sub={me.value?.name ?? ""}>
          <Button kind="quiet" onClick={() => void leave()}>
            Sign out
          </Button>
        </Top>
        <nav class="tabs ops-tabs" aria-label="Sections">
          {tabs.map((t) => (
            <Link key={t.at} to={t.at ? `/ops/${t.at}` : "/ops"} current={t.at === at}>
              <Icon name={t.icon} size={22} />
              <span>{t.name}</span>
              {t.at === "incidents" && open > 0 && <span class="count">{open}</span>}
            </Link>
          ))}
        </nav>
        {problem.value && <Note tone="warn">{problem.value}</Note>}
        {at === "" && <Attention />}
        {at === "" && <LiveVisits />}
        {at === "deliveries" && <Deliveries refresh={refresh} />}
        {at === "couriers" && <Couriers refresh={refresh} />}
        {at === "homes" && <Homes refresh={refresh} />}
        {at === "incidents" && <IncidentsOfOps />}
      </main>
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
