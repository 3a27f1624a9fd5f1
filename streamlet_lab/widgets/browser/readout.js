// The numbers of the run; beside them those of the pinned one, and the intervals of many.

import { dom, setText } from "./dom.js";

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

/** Say the interval that many runs give, in the unit of the number. */
export function sayInterval({ low, high }, unit) {
  const factor = unit === "share" ? 100 : 1;
  const [from, to] = [low, high].map((end) =>
    Number((factor * end).toPrecision(DIFFERENCE_DIGITS)).toLocaleString("en"),
  );
  return `${from} to ${to}${unit === "share" ? " %" : ""}`;
}

/** What there is to say of safety and of the model. */
function verdictOf({ safe, violations, outside_model: outside, convicted }) {
  const said = [safe ? "✓ safe" : "✗ not safe"];
  for (const { sentence } of violations) said.push(sentence);
  if (outside.length) said.push(`outside the model: ${outside.join(", ")}`);
  if (convicted.length) said.push(`convicted: ${convicted.join(", ")}`);
  return said.join(" · ");
}

const byName = (numbers = []) => new Map(numbers.map((each) => [each.name, each]));

class Readout {
  constructor(store) {
    this.shown = "";
    this.title = dom("p", { class: "sl-run" });
    this.verdict = dom("p", { class: "sl-verdict" });
    this.numbers = dom("dl", { class: "sl-numbers" });
    this.element = dom(
      "section",
      { class: "sl-readout", "aria-label": "numbers" },
      dom("div", { class: "sl-line sl-said" }, this.title, this.verdict),
      this.numbers,
    );
    this.off = store.on(["film", "pinned", "many"], (state) => this.draw(state));
    this.draw(store.get());
  }

  draw({ film, pinned, many }) {
    this.element.hidden = !film;
    if (!film) return;
    const { header } = film;
    setText(this.title, pinned ? `B: ${header.title} — A: ${pinned.header.title}` : header.title);
    setText(this.verdict, verdictOf(header));
    this.verdict.classList.toggle("sl-unsafe", !header.safe);
    const [others, ranges] = [byName(pinned?.header.numbers), byName(many?.numbers)];
    const rows = header.numbers.map((number) =>
      this.row(number, others.get(number.name), ranges.get(number.name)),
    );
    this.numbers.replaceChildren(...rows);
  }

  row({ name, label, value, text, unit }, other, range) {
    const compared = other && [
      dom("dd", { class: "sl-pinned-number" }, `A ${other.text}`),
      dom("dd", { class: "sl-difference" }, sayDifference(value, other.value, unit)),
    ];
    const hasRange = range && Number.isFinite(range.low) && Number.isFinite(range.high);
    return dom(
      "div",
      { class: "sl-number", "data-number": name },
      dom("dt", {}, label),
      dom("dd", { class: "sl-value" }, text),
      ...(compared ?? []),
      hasRange ? dom("dd", { class: "sl-interval" }, sayInterval(range, unit)) : null,
    );
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

export const readoutOf = (store) => new Readout(store);
