// The time cursor: play, pause, steps; it stops where the protocol is violated.

import { countUpTo } from "./film.js";
import { violationsOf } from "./words.js";

/** A tab that was out of sight goes on where it was, and does not leap. */
const LONGEST_FRAME_S = 0.1;
/** With reduced motion an epoch stays at least this long. */
const SHORTEST_STAY_S = 0.5;

/** The instants at which a message arrives or, in a film without messages, a node knows more. */
function instantsOf(film) {
  const { arrivals, known } = film.tables;
  const times = film.header.has_trace
    ? [arrivals.received_s]
    : [known.notarized_s, known.finalized_s];
  const all = Float64Array.from(times.flatMap((column) => [...column]).filter((t) => t >= 0));
  return all.sort().filter((t, index, sorted) => t !== sorted[index - 1]);
}

// Multiples of an epoch are floats: what is within a microsecond of a start is at it.
const epochAfter = (time, length) => (Math.floor(time / length + 1e-6) + 1) * length;
const epochBefore = (time, length) => (Math.ceil(time / length - 1e-6) - 1) * length;

/** What moves the time of a store, once a frame, while it says that it is playing. */
class Player {
  constructor(store) {
    this.store = store;
    this.frame = 0;
    this.last = 0;
    this.stay = 0;
    this.instants = { film: null, times: [] };
    this.off = store.on(["playing", "film"], (state) => this.listen(state));
  }

  get end() {
    return this.store.get().film?.header.end_s ?? 0;
  }

  play() {
    const { film, time } = this.store.get();
    if (film) this.store.set({ playing: true, time: time >= this.end ? 0 : time });
  }

  pause() {
    this.store.set({ playing: false });
  }

  toggle() {
    if (this.store.get().playing) this.pause();
    else this.play();
  }

  /** Stand at an instant of the film. */
  seek(time) {
    this.store.set({ time: Math.min(Math.max(time, 0), this.end) });
  }

  /** Stand there, and stay. */
  scrub(time) {
    this.pause();
    this.seek(time);
  }

  /** Go to when the next message arrives, or to the one before (-1). */
  stepMessage(direction) {
    const { time } = this.store.get();
    const times = this.times();
    const upTo = countUpTo(times, time);
    const isAtOne = upTo > 0 && times[upTo - 1] === time;
    if (direction > 0) this.scrub(times[upTo] ?? this.end);
    else this.scrub(times[upTo - (isAtOne ? 2 : 1)] ?? 0);
  }

  /** Go to the start of the next epoch, or back to a start (-1). */
  stepEpoch(direction) {
    const { time, film } = this.store.get();
    const length = film?.header.epoch_s ?? 1;
    this.scrub(direction > 0 ? epochAfter(time, length) : epochBefore(time, length));
  }

  times() {
    const { film } = this.store.get();
    if (film && this.instants.film !== film) this.instants = { film, times: instantsOf(film) };
    return this.instants.times;
  }

  listen({ film, playing, time }) {
    if (film && time > this.end) this.seek(time);
    if (!film || !playing || this.frame) return;
    this.last = performance.now();
    this.stay = 0;
    this.frame = requestAnimationFrame((now) => this.advance(now));
  }

  advance(now) {
    const { film, playing, speed, time, reducedMotion } = this.store.get();
    this.frame = 0;
    if (!playing || !film) return;
    this.frame = requestAnimationFrame((next) => this.advance(next));
    const passed = Math.min(Math.max(now - this.last, 0) / 1000, LONGEST_FRAME_S);
    this.last = now;
    if (reducedMotion) this.leap(passed);
    else this.goOn(time + passed * speed);
  }

  /** With reduced motion: from epoch to epoch, with time to look. */
  leap(passed) {
    const { film, speed, time } = this.store.get();
    const length = film.header.epoch_s;
    this.stay += passed;
    if (this.stay < Math.max(length / speed, SHORTEST_STAY_S)) return;
    this.stay = 0;
    this.goOn(epochAfter(time, length));
  }

  /** Go on to a time, but not past the next violation nor the end. */
  goOn(time) {
    const { film, time: before } = this.store.get();
    const next = violationsOf(film).find(({ time_s }) => time_s > before);
    const stop = Math.min(next?.time_s ?? this.end, this.end);
    if (time < stop) this.store.set({ time });
    else this.store.set({ time: stop, playing: false });
  }

  destroy() {
    this.off();
    cancelAnimationFrame(this.frame);
  }
}

/** Make what a person plays the film of a store with: see the methods of `Player`. */
export const createPlayer = (store) => new Player(store);
