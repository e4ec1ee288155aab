// How old the picture on the screen is (S15). Pure: times are handed in, in milliseconds of one monotonic clock.

export const notLiveAfter = 1000; // live.NotLiveAfter

// How many questions are remembered: 30 s of them. An answer that is older says that the picture is.
const remembered = 60;

export interface Age {
  ms: number; // age of the newest picture that can be on the screen; Infinity before the first
  live: boolean;
  text: string;
  watch: string;
}

// AgeClock takes what the hub says about its newest picture and when the screen showed a new one, and never lets an old
// picture look young: between messages the local clock goes on, a screen that shows nothing new grows old whatever the hub says,
// and a message counts as made when it can first have been made, not when it came: what waits in a full uplink, picture and
// message alike, is old.
export class AgeClock {
  #said = Number.POSITIVE_INFINITY;
  #saidAt = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #seq = -1;
  #watch = "";
  #asked = new Map<number, number>(); // when each question of the last seconds was sent
  #asks = 0;

  // ask numbers a question that is sent to the hub now.
  ask(now: number): number {
    this.#asked.set(++this.#asks, now);
    this.#asked.delete(this.#asks - remembered);
    return this.#asks;
  }

  // says takes one message of the channel "age". It names the newest question that the hub had heard, held milliseconds before:
  // without one that is remembered nobody knows how old the message is. One with an older picture than known is out of
  // order and ignored.
  says(ms: number, seq: number, watch: string, ping: number, held: number): void {
    const sent = this.#asked.get(ping);
    if (!(ms >= 0) || !(held >= 0) || sent === undefined || seq < this.#seq) return;
    this.#said = ms;
    this.#saidAt = sent + held;
    this.#seq = seq;
    this.#watch = watch;
  }

  // shown says that the screen has just got a new picture.
  shown(now: number): void {
    this.#shownAt = now;
  }

  // restart says that the connection is gone: nothing more will be shown until a new one begins.
  restart(): void {
    this.#seq = -1;
    this.#asked.clear();
  }

  age(now: number): Age {
    const said = this.#said + (now - this.#saidAt);
    const ms = Math.max(said, now - this.#shownAt, 0);
    const live = ms <= notLiveAfter;
    return { ms, live, watch: this.#watch, text: ageText(ms) };
  }
}

export function ageText(ms: number): string {
  if (!Number.isFinite(ms)) return "no picture yet";
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const s = Math.floor(ms / 1000);
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
