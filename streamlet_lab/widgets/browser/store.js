// The state of one view. Panels listen to the names they draw, and hear of changes once a frame.

/** What all panels share, and how it starts. */
export const START = {
  film: null,
  time: 0,
  playing: false,
  speed: 0.5,
  viewer: "observer",
  selection: null,
  pinned: null,
  many: null,
  series: {},
  zoom: null,
  status: { state: "idle", epoch: 0, epochs: 0, sentence: "" },
  theme: "light",
  projector: null,
  reducedMotion: false,
};

/**
 * Make a store.
 *
 * `set` takes what changes; who listens to one of these names is called before the next picture,
 * once, however often they changed. An error of one listener is reported and spares the others.
 *
 * @param {object} [initial] what differs from START
 * @returns {{get: () => object, set: (patch: object) => void,
 *   on: (names: string[], callback: (state: object) => void) => () => void}}
 */
export function createStore(initial = {}) {
  let state = { ...START, ...initial };
  let changed = new Set();
  let frame = 0;
  const listeners = new Set();

  function tell() {
    // Ready for the next picture too: who sets something in each is heard in each.
    frame = changed.size ? requestAnimationFrame(tell) : 0;
    const names = changed;
    changed = new Set();
    for (const listener of [...listeners]) {
      if (!listeners.has(listener) || !listener.names.some((name) => names.has(name))) continue;
      try {
        listener.callback(state);
      } catch (error) {
        reportError(error);
      }
    }
  }

  return {
    get: () => state,
    set(patch) {
      const news = Object.keys(patch).filter((name) => !Object.is(patch[name], state[name]));
      if (!news.length) return;
      state = { ...state, ...patch };
      for (const name of news) changed.add(name);
      if (!frame) frame = requestAnimationFrame(tell);
    },
    on(names, callback) {
      const listener = { names, callback };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
