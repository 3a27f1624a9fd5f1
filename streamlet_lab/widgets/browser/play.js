// The time cursor: play, pause, steps, speed, scrub; it stops where the protocol is violated.

import { countUpTo, firstViolation } from "./film.js";

/** A tab that was out of sight goes on where it was, and does not leap. */
const LONGEST_FRAME_S = 0.1;
/** With reduced motion, an epoch stays at least this long. */
const SHORTEST_STAY_S = 0.5;

/** The instants at which a message arrives or, in a film without messages, a node knows more. */
function instantsOf(film) {
  const { arrivals, known, votes } = film.tables;
  const times = film.header.has_trace
    ? [arrivals.received_s]
    : [known.notarized_s, known.finalized_s, votes.sent_s];
  const all = Float64Array.from(times.flatMap((column) => [...column]).filter((t) => t >= 0));
  return all.sort().filter((t, index, sorted) => t !== sorted[index - 1]);
}

/**
 * Move the time of a store.
 *
 * @param {object} store
 * @returns what a person can do: play, pause, toggle, seek(t), stepMessage(1 | -1),
 *   stepEpoch(1 | -1), toStart, toEnd; and destroy
 */
export function createPlayer(store) {
  let frame = 0;
  let last = 0;
  let stay = 0;
  let instants = { film: null, times: new Float64Array() };

  const header = () => store.get().film?.header;

  function seek(time) {
    const end = header()?.end_s ?? 0;
    store.set({ time: Math.min(Math.max(time, 0), end) });
  }

  /** Go on to a time, but not past the first violation nor the end. */
  function goOn(time) {
    const { film, time: before } = store.get();
    const violated = firstViolation(film)?.time_s ?? NaN;
    if (before < violated && time >= violated) store.set({ time: violated, playing: false });
    else if (time >= film.header.end_s) store.set({ time: film.header.end_s, playing: false });
    else store.set({ time });
  }

  function advance(now) {
    const { film, playing, speed, time, reducedMotion } = store.get();
    frame = playing && film ? requestAnimationFrame(advance) : 0;
    if (!frame) return;
    const passed = Math.min((now - last) / 1000, LONGEST_FRAME_S);
    last = now;
    if (!reducedMotion) return goOn(time + passed * speed);
    stay += passed;
    const { epoch_s } = film.header;
    if (stay < Math.max(epoch_s / speed, SHORTEST_STAY_S)) return undefined;
    stay = 0;
    return goOn(epochAfter(time, epoch_s));
  }

  // A frame may come before the listeners hear of `playing`; whoever is first starts the clock.
  const off = store.on(["playing", "film"], ({ film, playing }) => {
    if (film && store.get().time > film.header.end_s) seek(film.header.end_s);
    if (!playing || !film || frame) return;
    last = performance.now();
    stay = 0;
    frame = requestAnimationFrame(advance);
  });

  function times() {
    const { film } = store.get();
    if (instants.film !== film) instants = { film, times: film ? instantsOf(film) : [] };
    return instants.times;
  }

  const player = {
    seek,
    pause: () => store.set({ playing: false }),
    play() {
      const { film, time } = store.get();
      if (!film) return;
      store.set({ playing: true, time: time >= film.header.end_s ? 0 : time });
    },
    toggle: () => (store.get().playing ? player.pause() : player.play()),
    stepMessage(direction) {
      const { time } = store.get();
      const all = times();
      const upTo = countUpTo(all, time);
      const here = upTo && all[upTo - 1] === time;
      player.pause();
      if (direction > 0) seek(all[upTo] ?? header()?.end_s ?? 0);
      else seek(all[upTo - (here ? 2 : 1)] ?? 0);
    },
    stepEpoch(direction) {
      const { time } = store.get();
      const length = header()?.epoch_s ?? 1;
      player.pause();
      seek(direction > 0 ? epochAfter(time, length) : epochBefore(time, length));
    },
    toStart: () => store.set({ playing: false, time: 0 }),
    toEnd: () => store.set({ playing: false, time: header()?.end_s ?? 0 }),
    destroy() {
      off();
      cancelAnimationFrame(frame);
    },
  };
  return player;
}

// Multiples of an epoch are floats: what is within a microsecond of a start is at it.
const epochAfter = (time, length) => (Math.floor(time / length + 1e-6) + 1) * length;
const epochBefore = (time, length) => (Math.ceil(time / length - 1e-6) - 1) * length;
