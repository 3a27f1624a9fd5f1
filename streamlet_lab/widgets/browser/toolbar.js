// What can be done with a run as a whole: stop it, pin it, run many, copy, save, look.

import { buttonOf, enable } from "./buttons.js";
import { dom, setAttributes, setText } from "./dom.js";
import { PICTURED } from "./frames.js";
import { blobOf, download, pngOf, svgOfView } from "./shot.js";
import { isOfTouch } from "./touchform.js";

const THEMES = { auto: "dark", dark: "light", light: "auto" };

/** From so many seconds on it is said how long a run goes on. */
const LONG_S = 10;

function roughly(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${Math.round(minutes)} min` : `${Math.round(minutes / 60)} h`;
}

const makeButton = (name, words, title, press) =>
  buttonOf(words, { "data-do": name, title }, press);

class Toolbar {
  /** @param {?object} kernel `link` and `dialogs`, where there is a kernel */
  constructor(store, frames, kernel) {
    this.store = store;
    this.frames = frames;
    this.kernel = kernel;
    this.progress = dom("progress", { "aria-label": "epochs done" });
    this.says = dom("span", { class: "sl-says" });
    this.busy = dom("span", { class: "sl-busy" }, this.progress, this.says);
    this.notice = dom("p", { class: "sl-notice", role: "status" });
    this.alert = dom("p", { class: "sl-alert", role: "alert" });
    this.element = dom(
      "section",
      { class: "sl-toolbar", "aria-label": "bench" },
      ...(kernel ? this.kernelButtons() : []),
      makeButton("png", "PNG", "what is in sight, as a PNG", () => this.shoot("png")),
      makeButton("svg", "SVG", "what is in sight, as an SVG", () => this.shoot("svg")),
      makeButton("theme", "theme", "", () => this.nextTheme()),
      makeButton("projector", "projector", "F: large, one panel; 1, 2, …: which", () => this.project()),
      ...(kernel ? [this.busy] : []),
      this.notice,
      this.alert,
    );
    const heard = ["film", "pinned", "status", "busy", "due", "code", "trouble", "notice"];
    this.off = store.on([...heard, "themeChoice", "projector", "controls", "shown"], (state) =>
      this.draw(state),
    );
    this.draw(store.get());
  }

  kernelButtons() {
    const { link, dialogs } = this.kernel;
    return [
      makeButton("stop", "■ stop", "stop the run", () => link.send({ type: "stop" })),
      makeButton("pin", "pin", "keep this run as A, and see the next as B over it", () => this.pin()),
      makeButton("many", "many", "the same on 200 seeds", () => this.askMany()),
      makeButton("code", "copy as code", "the experiment", () => dialogs.copyCode()),
      makeButton("save", "save result", "to a file", () => link.send({ type: "save" })),
    ];
  }

  pin() {
    const { film, pinned } = this.store.get();
    this.store.set({ pinned: pinned ? null : film });
  }

  askMany() {
    this.store.set({ notice: "" });
    this.kernel.link.send({ type: "many" });
  }

  nextTheme() {
    this.store.set({ themeChoice: THEMES[this.store.get().themeChoice] });
  }

  project() {
    const { projector } = this.store.get();
    const [first] = this.frames.inSight();
    this.store.set({ projector: projector ? null : (first?.[0] ?? PICTURED[0]) });
  }

  async shoot(kind) {
    try {
      this.store.set({ shooting: true });
      const picture = await svgOfView(this.element.parentElement);
      download(`bench.${kind}`, await (kind === "png" ? pngOf(picture) : blobOf(picture)));
    } catch (error) {
      this.store.set({ notice: `No picture could be made: ${error.message}` });
    } finally {
      this.store.set({ shooting: false });
    }
  }

  draw(state) {
    const { film, pinned, code, themeChoice, projector, trouble, notice } = state;
    this.allow({ pin: film || pinned, many: film, save: film, code, png: film, svg: film });
    this.name("pin", pinned ? "unpin A" : "pin", { "aria-pressed": Boolean(pinned) });
    this.name("theme", `theme: ${themeChoice}`);
    this.name("projector", projector ? "leave projector" : "projector");
    if (this.kernel) this.drawStatus(state);
    const complaint = trouble || elsewhereRefused(state);
    setText(this.alert, complaint);
    setText(this.notice, notice === complaint ? "" : (notice ?? ""));
  }

  button(name) {
    return this.element.querySelector(`[data-do="${name}"]`);
  }

  allow(when) {
    for (const [name, isThere] of Object.entries(when)) {
      const button = this.button(name);
      if (button) enable(button, Boolean(isThere));
    }
  }

  name(name, words, attributes = {}) {
    const button = this.button(name);
    if (!button) return;
    setText(button, words);
    setAttributes(button, attributes);
  }

  drawStatus({ status, busy }) {
    const { state, epoch = 0, epochs = 0, unit, left_s: left = 0, sentence } = status;
    const isMany = unit === "runs";
    const isRunning = busy || (isMany && state === "running");
    this.allow({ stop: isRunning });
    this.busy.classList.toggle("sl-hushed", !isRunning && state !== "stopped");
    this.progress.hidden = !isRunning;
    if (isRunning && epochs) setAttributes(this.progress, { max: epochs, value: epoch });
    else this.progress.removeAttribute("value");
    const where = isMany ? `${epoch} of ${epochs} runs` : `epoch ${epoch} of ${epochs}`;
    const toGo = left < LONG_S ? "" : `, about ${roughly(left)} to go`;
    const running = state === "running" && epochs ? `${where}${toGo}` : "running…";
    const stopped = state === "stopped" ? sentence || "stopped" : "";
    setText(this.says, isRunning ? running : stopped);
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

/** What was refused but is no fault of a control in sight, where it would be said. */
export function elsewhereRefused({ status, controls, shown }) {
  if (status?.state !== "refused") return "";
  const field = `${status.field ?? ""}`;
  const isShown = (name) => !shown?.length || shown.includes(name);
  const atControl = controls?.some(({ name }) => name === field) && isShown(field);
  const atTouch = isOfTouch(field) && isShown("touches");
  return atControl || atTouch ? "" : (status.sentence ?? "");
}

export const toolbarOf = (store, frames, kernel = null) => new Toolbar(store, frames, kernel);
