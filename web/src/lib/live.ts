import { signal } from "@preact/signals";
import { AgeClock } from "./age.ts";
import { digestHex, equal, fromBase64, join, toHex } from "./bytes.ts";
import { Problem, post } from "./api.ts";
import { size } from "./format.ts";
import { hubKey } from "./pins.ts";
import type { ClipFile } from "./types.ts";

// A WebRTC session with a hub: video in, the age of its pictures, and clips. Nothing is shown before the hub's signature
// over both descriptions has been verified with the key this app learned at pairing (S17): the service carries the
// descriptions and cannot put itself in between.

export type LiveState = "off" | "connecting" | "on" | "lost" | "refused";

interface AnswerJSON {
  sdp: string;
  hub_key: string;
  signature: string;
}

// Refused is a reason not to look at a picture, in one sentence. It does not heal by itself.
export class Refused extends Error {}

export async function verify(hub: string, offer: string, answer: AnswerJSON): Promise<void> {
  const key = hubKey(hub);
  if (key === null) throw new Refused("This phone does not know the hub's key yet. Pair it with the hub first.");
  const told = fromBase64(answer.hub_key);
  if (!equal(told, key)) {
    throw new Refused("The hub answered with another key than the one it was paired with. Somebody may stand in between: do not trust this picture. If you have replaced the hub, pair again.");
  }
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new Refused("This browser cannot check the hub's signature (Ed25519), so it shows no picture. Use a browser of 2025 or later.");
  }
  const text = new TextEncoder();
  const message = join(
    text.encode("eyebolt live v1\n"),
    await crypto.subtle.digest("SHA-256", text.encode(offer)),
    await crypto.subtle.digest("SHA-256", text.encode(answer.sdp)),
  );
  const good = await crypto.subtle.verify({ name: "Ed25519" }, imported, fromBase64(answer.signature), message);
  if (!good) throw new Refused("The hub's signature on this connection is wrong. Somebody may stand in between: no picture is shown.");
}

export class Live {
  readonly state = signal<LiveState>("off");
  readonly problem = signal("");
  readonly stream = signal<MediaStream | null>(null);
  readonly clock = new AgeClock();
  readonly shows = signal(""); // "second": pictures are of the camera's second stream, not of the one that is watched
  #peer: RTCPeerConnection | null = null;
  #clip: RTCDataChannel | null = null;
  #timer = 0;
  #wait = 1000;
  #wanted = false;
  #round = 0; // counts connections, so that a late answer to an old one is dropped
  readonly #hub: string;
  readonly #door: string;
  readonly #ice: () => Promise<RTCIceServer[]>;

  // ice gives the relays, anew for each connection: their credentials grow old.
  constructor(hub: string, door: string, ice: () => Promise<RTCIceServer[]>) {
    this.#hub = hub;
    this.#door = door;
    this.#ice = ice;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#wait = 1000;
    void this.#connect();
  }

  stop(): void {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#drop();
    this.state.value = "off";
  }

  #drop(): void {
    this.#round++;
    this.#peer?.close();
    this.#peer = null;
    this.#clip = null;
    this.clock.restart();
  }

  // again tries once more after a while; the last picture stays on the screen, marked as old.
  #again(sentence: string): void {
    if (!this.#wanted) return;
    this.#drop();
    this.state.value = "lost";
    this.problem.value = sentence;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, 10_000); // at most 10 s: somebody wants to see
  }

  async #connect(): Promise<void> {
    this.#drop();
    const round = this.#round;
    if (this.state.value !== "lost") this.state.value = "connecting";
    const iceServers = await this.#ice().catch(() => []); // who is in the home needs none
    if (round !== this.#round) return;
    const peer = new RTCPeerConnection({ iceServers });
    this.#peer = peer;
    peer.addTransceiver("video", { direction: "recvonly" });
    this.#bind(peer.createDataChannel("age", { ordered: true }), round);
    this.#bind(peer.createDataChannel("clip", { ordered: true }), round);
    peer.ondatachannel = (e) => this.#bind(e.channel, round);
    let verified = false;
    let waiting: MediaStream | null = null;
    peer.ontrack = (e) => {
      if (round !== this.#round) return;
      waiting = e.streams[0] ?? new MediaStream([e.track]);
      if (verified) this.stream.value = waiting;
    };
    peer.onconnectionstatechange = () => {
      if (round !== this.#round) return;
      if (peer.connectionState === "connected") {
        this.state.value = "on";
        this.problem.value = "";
        this.#wait = 1000;
      }
      if (["failed", "closed", "disconnected"].includes(peer.connectionState)) this.#again("The connection to the hub was lost.");
    };
    try {
      await peer.setLocalDescription(await peer.createOffer());
      await gathered(peer);
      const offer = peer.localDescription?.sdp ?? "";
      const viewer = toHex(crypto.getRandomValues(new Uint8Array(8)));
      const answer = await post<AnswerJSON>(`/api/doors/${encodeURIComponent(this.#hub)}/${encodeURIComponent(this.#door)}/live`, { sdp: offer, viewer });
      if (round !== this.#round) return;
      await verify(this.#hub, offer, answer);
      if (round !== this.#round) return;
      verified = true;
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      if (waiting !== null) this.stream.value = waiting;
      // A hub that answers and then never connects is as good as gone after 10 s.
      setTimeout(() => {
        if (round === this.#round && peer.connectionState !== "connected") this.#again("The hub answered, but no picture came through.");
      }, 10_000);
    } catch (e) {
      if (round !== this.#round) return;
      if (e instanceof Refused) {
        this.#drop();
        this.state.value = "refused";
        this.problem.value = e.message;
        return;
      }
      this.#again(e instanceof Problem ? e.message : "No connection to the hub.");
    }
  }

  #bind(channel: RTCDataChannel, round: number): void {
    channel.binaryType = "arraybuffer";
    if (channel.label === "age") {
      channel.onmessage = (e) => {
        if (round !== this.#round || typeof e.data !== "string") return;
        try {
          const a = JSON.parse(e.data) as { ms: number; watch: string; seq: number; ping: number; held: number; shows?: string };
          this.clock.says(a.ms, a.seq, a.watch, a.ping, a.held);
          this.shows.value = a.shows ?? "";
        } catch {
          // A message that cannot be read says nothing about the picture's age: it goes on growing.
        }
      };
    }
    if (channel.label === "age") {
      const ask = (): void => {
        if (round !== this.#round || channel.readyState !== "open") return;
        channel.send(JSON.stringify({ ping: this.clock.ask(performance.now()) }));
        setTimeout(ask, 500);
      };
      channel.onopen = ask;
    }
    if (channel.label === "clip" && (this.#clip === null || this.#clip.readyState !== "open")) this.#clip = channel;
  }

  // clip fetches one file of a visit's film from the hub and gives it only if its SHA-256 is the one on record. A connection that
  // breaks is waited for, and what has come is kept.
  async clip(visit: string, file: ClipFile, progress: (got: number, of: number) => void): Promise<{ blob: Blob; sha256: string }> {
    const want = digestHex(file.sha256);
    if (file.bytes > largest) throw new Error(`This part of the film is larger than a page can hold (${size(file.bytes)}). Copy it from your hub’s folder of clips.`);
    const have: Part = { bytes: new Uint8Array(file.bytes), got: 0, mime: "video/mp4" };
    for (let left = 3; ; left--) {
      await this.#until(() => this.#clip?.readyState === "open");
      const channel = this.#clip;
      if (channel === null) throw new Error("The hub cannot be reached for the clip.");
      try {
        await receive(channel, { get: visit, sha256: want, from: have.got }, have, progress);
        break;
      } catch (e) {
        if (!(e instanceof Broken) || left === 0) throw e;
      }
    }
    const got = toHex(await crypto.subtle.digest("SHA-256", have.bytes));
    if (want === "" || got !== want) throw new Refused("The clip that arrived is not the one on record. It is not shown.");
    return { blob: new Blob([have.bytes], { type: have.mime }), sha256: got };
  }

  // until waits at most 15 s: longer, and a person thinks that nothing happens.
  #until(ok: () => boolean): Promise<void> {
    return new Promise((yes, no) => {
      const began = performance.now();
      const look = (): void => {
        if (ok()) return yes();
        if (this.state.value === "refused") return no(new Refused(this.problem.value));
        if (performance.now() - began > 15_000) return no(new Error(this.problem.value || "The hub cannot be reached for the clip. It must be online: clips never pass through the service."));
        setTimeout(look, 50);
      };
      look();
    });
  }
}

// The largest file that is kept in memory: a visit's film is tens of megabytes.
const largest = 512 << 20;

// Broken is the end of a transfer that may be gone on with.
class Broken extends Error {}

// Part is what has come of a file.
interface Part {
  bytes: Uint8Array<ArrayBuffer>;
  got: number;
  mime: string;
}

function receive(channel: RTCDataChannel, ask: { get: string; sha256: string; from: number }, have: Part, progress: (got: number, of: number) => void): Promise<void> {
  return new Promise((yes, no) => {
    let told = false;
    let quiet = 0;
    const end = (f: () => void): void => {
      clearTimeout(quiet);
      channel.onmessage = null;
      channel.onclose = null;
      f();
    };
    const watch = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => end(() => no(new Error("The hub stopped sending the clip. Try again."))), 15_000);
    };
    watch();
    channel.onclose = () => end(() => no(new Broken("The connection to the hub was lost. Try again.")));
    channel.onmessage = (e) => {
      watch();
      if (typeof e.data === "string") {
        const head = JSON.parse(e.data) as { bytes?: number; from?: number; mime?: string; error?: string };
        if (head.error) return end(() => no(new Error(head.error)));
        if (head.bytes !== have.bytes.length || head.from !== ask.from) return end(() => no(new Refused("The hub’s clip is not of the length on record. It is not shown.")));
        told = true;
        have.mime = head.mime ?? have.mime;
        return;
      }
      const part = new Uint8Array(e.data as ArrayBuffer);
      if (!told || have.got + part.length > have.bytes.length) return end(() => no(new Error("The hub sent more than it said.")));
      have.bytes.set(part, have.got);
      have.got += part.length;
      progress(have.got, have.bytes.length);
      if (have.got === have.bytes.length) end(yes);
    };
    channel.send(JSON.stringify(ask));
  });
}

// gathered waits for all candidates, at most 2 s: what a relay has not answered by then is done without.
function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((yes) => {
    const timer = setTimeout(yes, 2000);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      yes();
    });
  });
}
