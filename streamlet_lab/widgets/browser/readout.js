// The numbers of the run; beside them those of the pinned one, and the intervals of many.

import { dom, setText } from "./dom.js";
import { numbersOf } from "./frames.js";
import { START } from "./store.js";
import { inSeconds, spaced } from "./words.js";

const DIFFERENCE_DIGITS = 3;

/** Say by how much a number differs, with its sign; shares differ by percentage points. */
export function sayDifference(value, pinned, unit) {
  if (!Number.isFinite(value) || !Number.isFinite(pinned)) return value === pinned ? "=" : "";
  const difference = unit === "share" ? 100 * (value - pinned) : value - pinned;
  const size = Number(Math.abs(difference).toPrecision(DIFFERENCE_DIGITS));
  if (!size) return "=";
  const words = { share: " points", "": "" }[unit] ?? ` ${unit}`;
  return `${difference < 0 ? "−" : "+"}${size.toLocaleString("en")}${words}`;
}

/** What there is to say of safety and of the model; the bar of play says how it was violated. */
function verdictOf({ safe, violations, outside_model: outside, convicted }, viewer) {
  const violated = violations.map(({ check, time_s: time }) =>
    time === null ? spaced(check) : `${spaced(check)} at ${inSeconds(time)}`,
  );
  const said = [safe ? "✓ safe" : "✗ not safe"];
  if (violated.length) said.push(`violated: ${violated.join(", ")}`);
  if (outside.length) said.push(`outside the model: ${outside.join(", ")}`);
  if (convicted.length) said.push(`convicted: ${convicted.join(", ")}`);
  if (viewer !== START.viewer) said.push("numbers as the observer sees them");
  return said.join(" · ");
}

const byName = (numbers = []) => new Map(numbers.map((each) => [each.name, each]));

class Readout {
  constructor(store) {
    this.shown = "";
    this.title = dom("p", { class: "sl-run" });
    this.other = dom("p", { class: "sl-run" });
    this.verdict = dom("p", { class: "sl-verdict" });
    this.numbers = dom("dl", { class: "sl-numbers" });
    this.element = dom(
      "section",
      { class: "sl-readout", "aria-label": "numbers" },
      dom("div", { class: "sl-line sl-said" }, this.title, this.other, this.verdict),
      this.numbers,
    );
    this.off = store.on(["film", "pinned", "many", "viewer", "panels"], (state) => this.draw(state));
    this.draw(store.get());
  }

  draw({ film, pinned, many, viewer, panels }) {
    this.element.hidden = !film;
    if (!film) return;
    const { header } = film;
    setText(this.title, pinned ? `B: ${header.title}` : header.title);
    setText(this.other, pinned ? `A: ${pinned.header.title}` : "");
    setText(this.verdict, verdictOf(header, viewer));
    for (const line of [this.title, this.other, this.verdict]) line.title = line.textContent;
    this.verdict.classList.toggle("sl-unsafe", !header.safe);
    const shown = numbersOf(header.numbers, panels);
    const others = byName(pinned?.header.numbers);
    const ranges = byName(numbersOf(many?.numbers ?? [], panels));
    const rows = shown.map((number) =>
      this.row(number, others.get(number.name), ranges.get(number.name)),
    );
    const known = byName(shown);
    const more = [...ranges.values()].filter(({ name }) => !known.has(name));
    this.numbers.replaceChildren(...rows, ...more.map((range) => this.row(range, null, range)));
  }

  row({ name, label, value, text, unit }, other, range) {
    const compared = other && [
      dom("dd", { class: "sl-pinned-number" }, `A ${other.text}`),
      dom("dd", { class: "sl-difference" }, sayDifference(value, other.value, unit)),
    ];
    return dom(
      "div",
      { class: "sl-number", "data-number": name },
      dom("dt", {}, label),
      text === range?.text ? null : dom("dd", { class: "sl-value" }, text),
      ...(compared ?? []),
      range ? dom("dd", {}, "× many: ", dom("span", { class: "sl-interval" }, range.text)) : null,
    );
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

export const readoutOf = (store) => new Readout(store);
