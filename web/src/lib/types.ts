// The API's JSON (docs/API.md). Names are the wire's.

export interface Me {
  account: string;
  name: string;
  role: "resident" | "courier" | "operator";
  household?: string;
  carrier?: string;
  hubs?: HubKey[] | null;
  ice?: RTCIceServer[] | null; // relays for live video, if the service offers any
}

export interface HubKey {
  id: string;
  key: string; // Ed25519 public key
  paired: boolean;
}

export interface Check {
  name: string;
  ok: boolean;
  reason?: string;
  sentence?: string;
}

export interface Gap {
  from: string;
  to: string;
  s: number;
  why: string;
  open?: boolean;
}

export interface Incident {
  visit: string;
  reason: string;
  text: string;
  gaps?: Gap[] | null;
  total_s: number;
  closed?: boolean; // in an event
}

export interface View {
  hub: string;
  door: string;
  seq: number;
  at: string;
  phase: string;
  reason: string;
  sentence: string;
  visit?: string;
  grant_id?: string;
  courier?: string;
  watch: string;
  age_ms: number;
  bolt: string;
  door_is: string;
  secured: boolean;
  possibly_open: boolean;
  blocked: boolean;
  block_count: number;
  home: boolean;
  holds?: string[] | null;
  battery: number;
  checks: Check[] | null;
  nonce?: string;
  out_nonce?: string;
  until?: string;
  released: boolean;
  leave: boolean;
  alarm?: string;
  alarm_text?: string;
  alarm_id?: string; // Alarm.id of it
  incidents?: Incident[] | null;
  cameras?: CameraOfView[] | null; // to residents alone
  walk?: WalkOfView;
  unready?: Unready[] | null;
}

// What the door's walk test proved, for the devices that it has now.
export interface WalkOfView {
  passed: boolean;
  made?: string;
  say: string;
}

// One thing that would keep the next courier out and does not pass by itself.
export interface Unready {
  reason: string;
  say: string;
  since: string;
}

// One camera of a door: what it sees by itself, and what its connection is worth.
export interface CameraOfView {
  name: string;
  watch: string;
  age_ms: number;
  say?: string; // while it does not watch: why
  link?: LinkOfCamera;
}

export interface LinkOfCamera {
  grade: string; // A to D; empty: not enough was seen yet
  hours: number;
  gaps: { over_ms: number; n: number }[] | null;
  refused?: boolean;
  say: string;
}

export interface Alarm {
  id: string;
  hub: string;
  door: string;
  visit?: string;
  reason: string;
  text: string;
  at: string;
  notice?: boolean;
}

export interface AskReply {
  ok: boolean;
  reason?: string;
  sentence?: string;
  visit?: string;
}

export interface Delivery {
  id: string;
  household: string;
  household_name: string;
  hub: string;
  door: string;
  courier?: string;
  courier_name?: string;
  carrier: string;
  carrier_name?: string;
  from: string;
  until: string;
  parcels: string[] | null;
  instructions: string;
  state: string;
  reason?: string;
}

export interface VisitSummary {
  id: string;
  delivery: string;
  hub: string;
  door: string;
  courier_name: string;
  began: string;
  ended?: string;
  outcome: string;
  reason: string;
  gap_s: number;
  has_clip: boolean;
}

export interface TimelineEntry {
  i: number;
  t: string;
  kind: string;
  word: string;
  reason: string;
  text: string;
  entry: number;
  in: number;
  evidence?: Evidence[] | null; // with a lapse
}

// What one detector measured of one camera.
export interface Evidence {
  camera: string;
  by: string;
  state: string;
  score: number;
  limit: number;
  say: string;
  ago_ms: number;
}

export interface Visit extends VisitSummary {
  timeline: TimelineEntry[] | null;
  gaps?: Gap[] | null;
  clip?: Clip | null;
}

// A visit's film: its files, by camera and then in order. What lies between two of a camera's files was not filmed.
export interface Clip {
  bytes: number;
  seconds: number;
  files: ClipFile[] | null;
  // Fetched from cameras' own storage afterwards: nobody watched it, and no gap is shorter for it.
  backfilled?: ClipFile[] | null;
}

export interface ClipFile {
  sha256: string;
  bytes: number;
  seconds: number;
  camera: string;
  from: string;
  to: string;
}

export interface DoorOfHome {
  hub: string;
  door: string;
  name: string;
  view: View | null;
}

export interface ConsentOfHome {
  id?: string;
  carrier: string;
  carrier_name: string;
  hub: string;
  door: string;
  state: string; // wanted, signed, ended
  until?: string;
}

export interface Home {
  household: string;
  doors: DoorOfHome[] | null;
  deliveries: Delivery[] | null;
  visits: VisitSummary[] | null;
  incidents: Incident[] | null;
  alarms: Alarm[] | null;
  consents: ConsentOfHome[] | null;
  notice: string;
}

export interface Stop {
  delivery: string;
  address: string;
  recipient: string;
  from: string;
  until: string;
  parcels: { code: string; done: boolean }[] | null;
  state: string;
  door: string;
  hub: string;
  instructions: string;
  reason?: string;
  visit?: string;
  view?: View | null;
}

export interface CourierOfOps {
  id: string;
  name: string;
  status: string; // pending, passed, failed, revoked
  until?: string;
  reference?: string;
  passkeys?: number; // 0: has not joined yet
}

export interface HouseholdOfOps {
  id: string;
  name: string;
  address?: string;
  ours?: boolean; // this carrier set it up, and speaks for who lives there
  residents?: number; // who have joined; told of homes that are ours
  doors: { hub: string; door: string; name: string; consent: boolean }[] | null;
}

export interface VisitOfOps extends VisitSummary {
  phase?: string;
}

export interface Ops {
  deliveries: Delivery[] | null;
  couriers: CourierOfOps[] | null;
  households: HouseholdOfOps[] | null;
  visits: VisitOfOps[] | null;
  incidents: Incident[] | null;
  hubs: HubOfOps[] | null;
  admin?: boolean; // may set up homes, hubs and doors
}

export interface HubOfOps {
  id: string;
  household: string;
  seen?: string;
  online: boolean;
  paired: boolean;
}
