// How old the picture on the screen is (S15). Pure: times are handed in, in milliseconds of one monotonic clock.

export const notLiveAfter = 1000; // live.NotLiveAfter

export interface Age {
  ms: number; // age of the newest picture that can be on the screen; Infinity before the first
  live: boolean;
  text: string;
  watch: string;
}

// AgeClock takes what the hub says about its newest picture and when the screen showed a new one, and never lets an old
// picture look young: between messages the local clock goes on, and a screen that shows nothing new grows old whatever
// the hub says.
export class AgeClock {
  #said = Number.POSITIVE_INFINITY;
  #saidAt = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #seq = -1;
  #watch = "";

  // says takes one message of the channel "age". One with an older picture than known is out of order and ignored.
  says(ms: number, seq: number, watch: string, now: number): void {
    if (!(ms >= 0) || seq < this.#seq) return;
    this.#said = ms;
    this.#saidAt = now;
    this.#seq = seq;
    this.#watch = watch;
  }

  // shown says that the screen has just got a new picture.
  shown(now: number): void {
    this.#shownAt = now;
  }

  // lost says that the connection is gone: nothing more will be shown until a new one begins.
  restart(): void {
    this.#seq = -1;
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
