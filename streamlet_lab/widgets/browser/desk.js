// What a person does at the bench, each of which can be undone.

const MOST_UNDONE = 200;

/** A number is one instant of the protocol: microseconds. */
const toInstant = (time) => Number(time.toFixed(6));

class Desk {
  constructor(store, link) {
    this.store = store;
    this.link = link;
    this.past = [];
    this.future = [];
    this.now = this.snapshot();
    this.gesture = null;
    this.off = store.on(["settings", "touches"], () => this.record("elsewhere"));
    this.tell();
  }

  snapshot() {
    const { settings, touches } = this.store.get();
    return { settings, touches };
  }

  /** Keep what was before; of one gesture, such as the drag of a slider, only its beginning. */
  record(gesture) {
    const now = this.snapshot();
    if (JSON.stringify(now) === JSON.stringify(this.now)) return;
    if (gesture === null || gesture !== this.gesture) {
      this.past.push(this.now);
      if (this.past.length > MOST_UNDONE) this.past.shift();
    }
    this.now = now;
    this.gesture = gesture;
    this.future = [];
    this.tell();
  }

  ask(patch, gesture = null) {
    this.link.ask(patch);
    this.record(gesture);
  }

  /** Give a control a value. Changes of one control are one gesture until it is let go. */
  change(name, value, isHeld = false) {
    this.ask({ settings: { ...this.store.get().settings, [name]: value } }, isHeld ? name : null);
  }

  /** The gesture is over: what comes next is undone by itself. */
  letGo() {
    this.gesture = null;
  }

  reset(name) {
    const { [name]: _, ...settings } = this.store.get().settings;
    this.ask({ settings });
  }

  resetAll() {
    this.ask({ settings: {}, touches: [] });
  }

  choose(preset) {
    this.ask({ settings: { ...preset.settings }, touches: [] });
  }

  /** Do something to the run at the instant where it stands. */
  touch(touch) {
    const { touches, time } = this.store.get();
    this.store.set({ playing: false });
    this.ask({ touches: [...touches, { at: toInstant(time), ...touch }] });
  }

  untouch(place) {
    this.ask({ touches: this.store.get().touches.filter((_, index) => index !== place) });
  }

  undo() {
    this.go(this.past, this.future);
  }

  redo() {
    this.go(this.future, this.past);
  }

  go(from, to) {
    if (!from.length) return;
    to.push(this.now);
    this.now = from.pop();
    this.gesture = null;
    this.link.ask(this.now);
    this.tell();
  }

  tell() {
    this.store.set({ canUndo: this.past.length > 0, canRedo: this.future.length > 0 });
  }

  destroy() {
    this.off();
  }
}

/**
 * @param {object} store
 * @param {object} link see link.js
 */
export const createDesk = (store, link) => new Desk(store, link);
