// What joins a view to the kernel: what the model says becomes part of the view's state.
//
// From the kernel come `controls`, `presets` (see knobs.py, presets.py), `status`, `film`, `many`,
// `code` (a text), `panels` and `shown` (names); to it go `settings`, `touches` and `asked`, the
// number of the newest question. A film and a status say in `asked` which question they answer.

import { readFilm } from "./film.js";

const MESSAGE_VERSION = 1;
const BUSY_AFTER_MS = 150;
const SILENT_AFTER_MS = 6000;

/** What is in the state as the model has it. */
const COPIED = {
  controls: [],
  presets: [],
  settings: {},
  touches: [],
  code: "",
  status: {},
  many: null,
  panels: [],
  shown: [],
};
const SILENT =
  "The kernel does not answer: it is busy with another cell, or gone. " +
  "What is recorded can still be played.";
const LOST =
  "The kernel of this bench is gone: run its cell again. What is recorded can still be played.";

const isEmpty = (value) => !value || !Object.keys(value).length;

class Link {
  constructor(model, store) {
    this.model = model;
    this.store = store;
    this.answered = -1;
    this.isLost = false;
    this.timers = [];
    this.replies = new Map();
    this.heard = [
      ...Object.keys(COPIED).map((name) => [`change:${name}`, () => this.copy(name)]),
      ["change:film", () => this.read()],
      ["change:asked", () => this.wait()],
      // Of Jupyter's widget manager: another kernel knows nothing of this model.
      ["comm_live_update", () => this.lose()],
      ["msg:custom", (message, buffers) => this.receive(message, buffers)],
    ];
    for (const [name, callback] of this.heard) model.on(name, callback);
    for (const name of Object.keys(COPIED)) this.copy(name);
    this.read();
    this.wait();
  }

  get asked() {
    return this.model.get("asked") ?? 0;
  }

  /** Ask for the run of other settings or touches. Jupyter keeps back all but the newest. */
  ask(patch) {
    const { model, store } = this;
    for (const [name, value] of Object.entries(patch)) model.set(name, value);
    model.set("asked", this.asked + 1);
    model.save_changes();
    store.set({ ...patch, notice: "" });
  }

  /** Send a message of its own, such as `{ type: "stop" }`. */
  send(message) {
    try {
      if (!this.isLost) return this.model.send({ version: MESSAGE_VERSION, ...message });
    } catch {
      this.lose(); // where the kernel was shut down nobody has said so
    }
    return this.receive({ type: "refused", sentence: LOST });
  }

  /** From now on nobody answers. */
  lose() {
    this.isLost = true;
    const { status } = this.store.get();
    this.store.set({ trouble: LOST, status: { ...status, state: "idle" } });
    this.wait();
  }

  /** Let a function have each message of a type, with its buffers. */
  on(type, callback) {
    this.replies.set(type, callback);
  }

  copy(name) {
    const value = this.model.get(name) ?? COPIED[name];
    this.store.set({ [name]: name === "many" && isEmpty(value) ? null : value });
    if (name !== "status") return;
    this.silence(false);
    const { state, asked } = value;
    if (state === "refused" || state === "stopped") this.answer(asked ?? this.asked);
  }

  read() {
    const { header, buffers, asked } = this.model.get("film") ?? {};
    if (!header) return;
    try {
      this.show(readFilm(header, buffers));
    } catch (error) {
      this.store.set({ trouble: error.message });
    }
    this.answer(asked ?? this.asked);
  }

  /** Who stands at the end stays there; else the instant stays. */
  show(film) {
    const { film: before, time } = this.store.get();
    const atEnd = !before || time >= before.header.end_s;
    this.store.set({ film, trouble: "", time: atEnd ? film.header.end_s : time });
  }

  answer(asked) {
    this.answered = Math.max(this.answered, asked);
    this.wait();
  }

  /** Say that it is busy once an answer is due for a while; it may be there at once. */
  wait() {
    const isDue = !this.isLost && this.answered < this.asked;
    this.store.set({ due: isDue });
    if (isDue && this.timers.length) return;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
    if (isDue) {
      this.timers = [
        setTimeout(() => this.store.set({ busy: true }), BUSY_AFTER_MS),
        setTimeout(() => this.silence(true), SILENT_AFTER_MS),
      ];
    } else {
      this.store.set({ busy: false });
      this.silence(false);
    }
  }

  silence(isSilent) {
    const { status, trouble } = this.store.get();
    if (!isSilent) {
      if (trouble === SILENT) this.store.set({ trouble: "" });
      clearTimeout(this.timers[1]);
    } else if (status.state !== "running") this.store.set({ trouble: SILENT });
  }

  receive(message, buffers) {
    if (message?.version !== undefined && message.version !== MESSAGE_VERSION) {
      const trouble = `The kernel speaks version ${message.version}, this page ${MESSAGE_VERSION}.`;
      this.store.set({ trouble: `${trouble} Reload the page.` });
      return;
    }
    this.replies.get(message?.type)?.(message, buffers ?? []);
  }

  destroy() {
    for (const [name, callback] of this.heard) this.model.off(name, callback);
    for (const timer of this.timers) clearTimeout(timer);
  }
}

/**
 * @param {object} model anywidget's
 * @param {object} store
 */
export const connect = (model, store) => new Link(model, store);
