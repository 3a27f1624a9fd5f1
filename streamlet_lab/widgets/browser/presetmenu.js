// The presets: a menu, what the chosen one shows, and the lesson that explains it.

import { buttonOf } from "./buttons.js";
import { dom, setText } from "./dom.js";

const OWN = "";
/** Where JupyterLab or Voilà shows a notebook, the address says in which folder it is. */
const NOTEBOOK_ADDRESS = /^(.*\/(?:lab|doc|notebooks|voila\/render)(?:\/workspaces\/[^/]+)?(?:\/tree)?\/)(.*)$/;

/** Where a lesson is beside this notebook; null where that is not known. */
export function lessonAddress(lesson, path) {
  const [, start, notebook] = NOTEBOOK_ADDRESS.exec(path) ?? [];
  if (!notebook?.endsWith(".ipynb")) return null;
  return `${start}${notebook.replace(/[^/]*$/, "")}${lesson}.ipynb`;
}

/** Settings as text, without what says no more than the default. */
function essence(settings, controls) {
  const usual = new Map(controls.map(({ name, default: value }) => [name, JSON.stringify(value)]));
  const told = Object.entries(settings).filter(
    ([name, value]) => usual.get(name) !== JSON.stringify(value),
  );
  return JSON.stringify(told.sort(([one], [other]) => (one < other ? -1 : 1)));
}

class PresetMenu {
  constructor(store, desk) {
    this.store = store;
    this.desk = desk;
    this.listed = null;
    this.menu = dom("select", {
      class: "sl-menu",
      "aria-label": "preset",
      change: () => this.choose(this.menu.value),
    });
    this.sentence = dom("p", { class: "sl-sentence" });
    this.element = dom(
      "div",
      { class: "sl-presets" },
      dom("label", { class: "sl-line" }, dom("span", { class: "sl-label" }, "preset"), this.menu),
      this.sentence,
    );
    const heard = ["presets", "settings", "controls", "touches", "film"];
    this.off = store.on(heard, (state) => this.draw(state));
    this.draw(store.get());
  }

  find(name) {
    return this.store.get().presets.find((preset) => preset.name === name);
  }

  choose(name) {
    const preset = this.find(name);
    if (preset) this.desk.choose(preset);
  }

  draw({ presets, settings, controls, touches }) {
    if (presets !== this.listed) {
      this.listed = presets;
      this.menu.replaceChildren(
        dom("option", { value: OWN }, "settings of one’s own"),
        ...presets.map(({ name, label }) => dom("option", { value: name }, label)),
      );
    }
    const now = essence(settings, controls);
    const chosen = touches.length
      ? undefined
      : presets.find((preset) => essence(preset.settings, controls) === now);
    this.menu.value = chosen?.name ?? OWN;
    const key = chosen?.name ?? OWN;
    if (this.sentence.dataset.preset === key) return;
    this.sentence.dataset.preset = key;
    this.say(chosen);
  }

  say(preset) {
    if (!preset) return setText(this.sentence, "");
    const { sentence, lesson, against } = preset;
    const address = lessonAddress(lesson, location.pathname);
    const named = address
      ? dom("a", { href: address, target: "_blank", rel: "noopener" }, `Lesson ${lesson}`)
      : `Lesson ${lesson}, which “python3 lab.py lab” opens`;
    this.sentence.replaceChildren(`${sentence} `, named, ".");
    const other = this.find(against);
    if (!other) return undefined;
    const compare = buttonOf(`compare with ${other.label}`, { class: "sl-small" }, () =>
      this.compare(preset, other),
    );
    return this.sentence.append(" ", compare);
  }

  /** Run the other one, pin it, and come back. */
  compare(preset, other) {
    const { film: before } = this.store.get();
    this.desk.choose(other);
    const off = this.store.on(["film", "due"], ({ film, due }) => {
      if (due || film === before) return;
      off();
      if (this.menu.value !== other.name) return;
      this.store.set({ pinned: film });
      this.desk.choose(preset);
    });
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

export const presetMenu = (store, desk) => new PresetMenu(store, desk);
