// One control, made from what the kernel says of it; see `describe` in knobs.py.

import { buttonOf } from "./buttons.js";
import { dom, setAttributes, setText } from "./dom.js";
import { pairEntry, trackEntry } from "./entries.js";
import { readTyped } from "./values.js";

const OTHER = "other…";
/** An id is of the whole page, where other benches may be of other copies of this module. */
const CONTROLS_HERE = Math.random().toString(36).slice(2);
let controlCount = 0;

function numberEntry(control) {
  const { desk, name, id } = control;
  const box = dom("input", {
    id,
    type: "text",
    class: "sl-box sl-box-wide",
    inputmode: "decimal",
    autocomplete: "off",
    change: () => desk.change(name, readTyped(box.value)),
  });
  const says = `next ${control.about.label}`;
  const next = buttonOf("+1", { class: "sl-small", title: says, "aria-label": says }, () => {
    const value = readTyped(box.value);
    if (typeof value === "number") desk.change(name, value + 1);
  });
  return {
    beside: [box, next],
    inputs: [box],
    show: (value) => {
      if (box !== box.getRootNode().activeElement) box.value = value;
    },
  };
}

function switchEntry({ desk, name, id }) {
  const box = dom("input", { id, type: "checkbox", change: () => desk.change(name, box.checked) });
  return {
    beside: [box],
    inputs: [box],
    show: (value) => {
      box.checked = value === true;
    },
  };
}

/** A menu, with a box for what is not on it. */
function choiceEntry({ desk, name, id, about }) {
  const menu = dom("select", {
    id,
    class: "sl-menu",
    change: () => {
      typed.hidden = menu.value !== OTHER;
      if (typed.hidden) desk.change(name, JSON.parse(menu.value));
      else typed.focus();
    },
  });
  const typed = dom("input", {
    type: "text",
    class: "sl-box sl-box-full",
    hidden: true,
    autocomplete: "off",
    "aria-label": `${about.label}, other`,
    placeholder: "type it",
    change: () => desk.change(name, readTyped(typed.value)),
  });
  let listed = "";
  const list = (choices) => {
    const key = JSON.stringify(choices);
    if (key === listed) return;
    listed = key;
    menu.replaceChildren(
      ...choices.map(([value, label]) => dom("option", { value: JSON.stringify(value) }, label)),
      dom("option", { value: OTHER }, OTHER),
    );
  };
  const has = (value) => [...menu.options].some((option) => option.value === value);
  return {
    beside: [menu],
    below: [typed],
    inputs: [menu],
    show: (value, { choices, value: read }) => {
      list(choices);
      if (typed === typed.getRootNode().activeElement) return;
      // What was typed may be known by another name, and be refused if it is not known at all.
      const known = [value, read].map((each) => JSON.stringify(each)).find(has);
      const isRead = has(JSON.stringify(value)) || JSON.stringify(value) === undefined;
      menu.value = isRead || known ? known : OTHER;
      typed.hidden = menu.value !== OTHER;
    },
  };
}

const ENTRIES = {
  slider: trackEntry,
  range: pairEntry,
  number: numberEntry,
  choice: choiceEntry,
  switch: switchEntry,
};

/** A control: its label, what is entered, and what there is to say about it. */
class Control {
  constructor(about, desk) {
    this.name = about.name;
    this.about = about;
    this.desk = desk;
    this.id = `sl-control-${CONTROLS_HERE}-${(controlCount += 1)}`;
    this.entry = ENTRIES[about.kind](this);
    this.help = dom("span", { id: `${this.id}-help`, class: "sl-unseen" });
    this.reason = dom("p", { id: `${this.id}-idle`, class: "sl-reason" });
    this.wrong = dom("p", { id: `${this.id}-wrong`, class: "sl-wrong" });
    this.label = dom("label", { for: this.id, class: "sl-label" });
    this.shown = "";
    this.back = buttonOf("↺", { class: "sl-small sl-back" }, () => desk.reset(this.name));
    this.element = dom(
      "div",
      { class: `sl-control sl-control-${about.kind}`, "data-control": about.name },
      dom("div", { class: "sl-line" }, this.label, this.back, ...(this.entry.beside ?? [])),
      ...(this.entry.below ?? []),
      this.help,
      this.reason,
      this.wrong,
    );
    // What a person did to it may have to be put right, though nothing else is new.
    for (const type of ["input", "change", "focusout"]) {
      this.element.addEventListener(type, () => {
        this.shown = "";
      });
    }
    for (const input of this.entry.inputs) {
      const described = [this.help, this.reason, this.wrong].map(({ id }) => id).join(" ");
      setAttributes(input, { "aria-describedby": described });
    }
  }

  /**
   * Show what a control is now, with the sentence by which the kernel refused it.
   *
   * @param {object} about as the kernel says it
   * @param {*} value as it was entered; undefined where nothing was
   * @param {string} refusal
   */
  show(about, value, refusal) {
    const shown = JSON.stringify([about, value, refusal]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.about = about;
    const entered = value === undefined ? about.default : value;
    this.entry.show(entered, about);
    const isChanged = JSON.stringify(entered) !== JSON.stringify(about.default);
    const back = `reset ${about.label} to ${sayValue(about.default, about)}`;
    setAttributes(this.back, { "aria-label": back, title: back });
    this.back.hidden = !isChanged;
    this.element.classList.toggle("sl-changed", isChanged);
    this.element.classList.toggle("sl-idle", Boolean(about.idle));
    this.element.classList.toggle("sl-refused", Boolean(refusal));
    this.element.title = about.help;
    setText(this.label, about.unit ? `${about.label} (${about.unit})` : about.label);
    setText(this.help, about.help);
    setText(this.reason, about.idle ? `No effect: ${about.idle}.` : "");
    setText(this.wrong, refusal);
    for (const input of this.entry.inputs) {
      setAttributes(input, { "aria-invalid": Boolean(refusal) });
    }
  }
}

/** Say a value as the control shows it. */
function sayValue(value, { choices, unit }) {
  const key = JSON.stringify(value);
  const chosen = choices.find(([each]) => JSON.stringify(each) === key);
  if (chosen) return chosen[1];
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return `${value[0]} to ${value[1] ?? "the end"}`;
  return unit ? `${value} ${unit}` : `${value}`;
}

/**
 * @param {object} about what the kernel says of the control
 * @param {object} desk what changes it; see desk.js
 */
export const makeControl = (about, desk) => new Control(about, desk);
