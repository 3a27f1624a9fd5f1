// One sentence for who cannot see the picture: what came of the run, at most once a second.

import { dom } from "./dom.js";
import { numbersOf } from "./frames.js";
import { elsewhereRefused } from "./toolbar.js";
import { spaced } from "./words.js";

const LEAST_MS = 1000;
const SPOKEN = ["finalized_blocks", "median_latency_s", "fair_stopped_rate"];

/** Say what came of a run, or why it was refused. */
function summaryOf(state) {
  const { film, status, trouble, panels } = state;
  if (trouble || elsewhereRefused(state)) return ""; // the toolbar has it as an alert
  if (status?.state === "refused" || status?.state === "stopped") return status.sentence ?? "";
  if (!film) return "";
  const { header } = film;
  const told = numbersOf(header.numbers, panels)
    .filter(({ name, value }) => SPOKEN.includes(name) && value !== null)
    .map(({ label, text }) => `${label} ${text}`);
  // The bar of play says how it was violated.
  const violated = header.violations.map(({ check }) => `violated ${spaced(check)}`);
  return `${[header.safe ? "safe" : "not safe", ...violated, ...told].join(", ")}.`;
}

/** The live region. */
class Spoken {
  constructor(store) {
    this.timer = 0;
    this.last = -Infinity;
    this.element = dom("p", { class: "sl-unseen sl-summary", "aria-live": "polite" });
    this.off = store.on(["film", "status", "trouble", "panels"], () => this.plan(store));
    this.plan(store);
  }

  plan(store) {
    if (this.timer) return;
    const wait = Math.max(this.last + LEAST_MS - performance.now(), 0);
    this.timer = setTimeout(() => {
      this.timer = 0;
      const sentence = summaryOf(store.get());
      if (sentence === this.element.textContent) return;
      this.last = performance.now();
      this.element.textContent = sentence;
    }, wait);
  }

  destroy() {
    this.off();
    clearTimeout(this.timer);
    this.element.remove();
  }
}

export const spokenOf = (store) => new Spoken(store);
