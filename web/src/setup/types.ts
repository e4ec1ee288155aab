// What the hub's set-up says (hub/setup, http.go). No secret is in it.

export type PeerState = "asking" | "login" | "listed" | "failed" | "gone" | "none";

export interface Ask {
  key: string;
  label: string;
  hint: string;
  propose: string;
  choices: { value: string; label: string }[];
  optional: boolean;
  more: boolean;
  secret: boolean;
  had: boolean;
}

export interface Family {
  key: string;
  name: string;
  about: string;
  steps: string[];
  asks: Ask[];
}

export interface Told {
  bolt: "" | "thrown" | "drawn" | "jammed";
  door: "" | "closed" | "open" | "ajar";
  ms: number;
}

export interface Device {
  id: string;
  name: string;
  make: string;
  kind: "lock" | "contact" | "smoke" | "other";
  door: boolean;
  why: string;
  note: string;
  asks: Ask[];
}

export interface Peer {
  id: string;
  driver: string;
  kind: string;
  name: string;
  address: string;
  state: PeerState;
  said: string;
  login: "" | "password" | "token";
  user: string;
  secret: boolean;
  open: boolean;
  devices: Device[];
  help: string[];
  about: string;
  tries: boolean;
  families: Family[];
}

export interface Stream {
  id: string;
  text: string;
  watch: boolean;
  plays: boolean;
}

export interface Cam {
  id: string;
  address: string;
  name: string;
  model: string;
  user: string;
  secret: boolean;
  state: PeerState;
  said: string;
  streams: Stream[];
  picture: boolean;
  looks: string;
  advice: string[] | null;
}

export interface DraftCamera {
  camera: string;
  name: string;
  stream: string;
  link: string;
  seen: boolean;
}

export interface Draft {
  step: string;
  hub: string;
  app: string;
  bus: string;
  door: string;
  peer: string;
  lock: string;
  contact: string;
  smoke: string;
  noContact: boolean;
  family: string;
  answers: Record<string, string> | null;
  cameras: DraftCamera[] | null;
}

export interface Written {
  path: string;
  backup: string;
  files: string[] | null;
  door: string;
  first: boolean;
  id: string;
  key: string;
  recordKey: string;
  command: string;
  unit: string;
  walk: string;
  canWalk: boolean;
}

export interface State {
  config: string;
  existing: { ID: string; Doors: string[] | null } | null;
  search: { running: boolean; where: string[] | null; said: string; done: number };
  drivers: { key: string; name: string; example: string; usable: boolean }[];
  peers: Peer[];
  cameras: Cam[];
  draft: Draft;
  problems: { step: string; text: string }[] | null;
  written: Written | null;
  busy: boolean;
}
