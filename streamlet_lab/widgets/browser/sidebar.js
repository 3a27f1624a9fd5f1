// The controls: those always in sight, the others in sections, and presets to begin with.

import { buttonOf, enable } from "./buttons.js";
import { makeControl } from "./controls.js";
import { dom, setAttributes, setText } from "./dom.js";
import { presetMenu } from "./presetmenu.js";
import { touchForm } from "./touchform.js";

/** These are no controls, but may be shown beside a few of them. */
const PRESETS = "presets";
const TOUCHES = "touches";

class Sidebar {
  constructor(store, desk) {
    this.store = store;
    this.desk = desk;
    this.controls = new Map();
    this.sections = new Map();
    this.made = "";
    this.presets = presetMenu(store, desk);
    this.touches = touchForm(store, desk);
    this.undo = buttonOf("undo", { title: "Ctrl+Z" }, () => desk.undo());
    this.redo = buttonOf("redo", { title: "Ctrl+Shift+Z" }, () => desk.redo());
    this.reset = buttonOf("reset all", { title: "all controls, and nothing done" }, () => desk.resetAll());
    this.body = dom("div", { class: "sl-controls" });
    this.element = dom(
      "section",
      { class: "sl-sidebar", "aria-label": "controls" },
      dom("div", { class: "sl-line sl-history" }, this.undo, this.redo, this.reset),
      this.presets.element,
      this.body,
      this.touches.element,
    );
    const heard = ["controls", "settings", "status", "shown", "touches", "canUndo", "canRedo"];
    this.off = store.on(heard, (state) => this.draw(state));
    this.draw(store.get());
  }

  draw(state) {
    const { controls, settings, touches, shown, status, canUndo, canRedo } = state;
    const isShown = ({ name }) => !shown.length || shown.includes(name);
    const listed = controls.filter(isShown);
    this.build(listed, shown);
    for (const about of listed) {
      const refusal = status.state === "refused" && status.field === about.name;
      const control = this.controls.get(about.name);
      control.show(about, settings[about.name], refusal ? status.sentence : "");
      // What is wrong must be in sight.
      if (refusal && about.section) this.sections.get(about.section).open = true;
    }
    this.count(listed, settings);
    enable(this.undo, canUndo);
    enable(this.redo, canRedo);
    enable(this.reset, Object.keys(settings).length > 0 || touches.length > 0);
    this.presets.element.hidden = shown.length > 0 && !shown.includes(PRESETS);
    this.touches.element.hidden = shown.length > 0 && !shown.includes(TOUCHES);
  }

  /** Make the controls, once; of a few there are no sections. */
  build(listed, shown) {
    const made = JSON.stringify([listed.map(({ name, kind }) => [name, kind]), shown.length > 0]);
    if (made === this.made) return;
    this.made = made;
    this.controls.clear();
    this.sections.clear();
    this.body.replaceChildren();
    for (const about of listed) {
      const control = makeControl(about, this.desk);
      this.controls.set(about.name, control);
      const home = shown.length ? this.body : this.sectionOf(about.section);
      home.append(control.element);
    }
  }

  sectionOf(name) {
    if (!name) return this.body;
    if (!this.sections.has(name)) {
      const section = dom(
        "details",
        { class: "sl-section", "data-section": name },
        dom("summary", {}, name, dom("span", { class: "sl-count" })),
      );
      this.sections.set(name, section);
      this.body.append(section);
    }
    return this.sections.get(name);
  }

  /** Say beside a section how many of its controls were changed: it may be closed. */
  count(listed, settings) {
    for (const [name, section] of this.sections) {
      const changed = listed.filter(
        (about) => about.section === name && about.name in settings && !isDefault(about, settings),
      );
      const says = changed.length ? ` · ${changed.length} changed` : "";
      setText(section.querySelector(".sl-count"), says);
      setAttributes(section, { "data-changed": changed.length });
    }
  }

  destroy() {
    this.off();
    this.presets.destroy();
    this.touches.destroy();
    this.element.remove();
  }
}

const isDefault = ({ name, default: usual }, settings) =>
  JSON.stringify(settings[name]) === JSON.stringify(usual);

/**
 * @param {object} store
 * @param {object} desk see desk.js
 */
export const sidebarOf = (store, desk) => new Sidebar(store, desk);
