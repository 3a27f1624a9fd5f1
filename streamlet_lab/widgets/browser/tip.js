// The values of a chart at an instant, beside the pointer; read aloud where it is keys that point.

import { dom } from "./dom.js";
import { epochAt, isDuring } from "./film.js";
import { readingsAt } from "./reading.js";
import { inSeconds } from "./words.js";

/** How far from the pointer they stand, in pixels. */
const TIP_APART = 12;
const KEYS_IN_WORDS =
  "← → values; ↑ ↓ points of one instant; Enter selects, or moves the cursor; + − zoom; Escape";

/** When messages are held up, and why. */
export const spansOf = ({ header: { partitions, bad_times: bad } }) => [
  ...partitions.map((span) => ({ ...span, why: "the network is cut" })),
  ...bad.map((span) => ({ ...span, why: "messages may take longer than Δ" })),
];

/** What there is to read, line by line. */
export function linesAt(film, all, { t, point }) {
  const held = spansOf(film).filter((span) => isDuring(span, t));
  const lines = [`${inSeconds(t)}, epoch ${epochAt(film, t)}`, ...held.map(({ why }) => why)];
  if (point) {
    const { series, row, unit } = point;
    lines.push(series.tells ? series.tells(row, unit) : `${series.brief ?? series.label}: ${series.says(row)}`);
  }
  for (const { series, row, says } of readingsAt(all, t)) {
    const isTold = point && !series.tells && series === point.series && row === point.row;
    if (!isTold) lines.push(`${series.brief ?? series.label}: ${says}`);
  }
  return lines;
}

export function createTip() {
  const box = dom("div", { class: "sl-tip", "aria-hidden": "true", hidden: true });
  const spoken = dom("p", { class: "sl-unseen sl-spoken", "aria-live": "polite" });
  let shown = null;

  function hide() {
    shown = null;
    box.hidden = true;
    spoken.textContent = "";
  }

  return {
    elements: [box, spoken],
    hide,
    /** Say which keys there are, until something is pointed at. */
    hint() {
      shown = null;
      box.hidden = false;
      box.replaceChildren(KEYS_IN_WORDS);
      spoken.textContent = KEYS_IN_WORDS;
      box.style.left = `${TIP_APART}px`;
      box.style.right = "";
    },
    /** Say what is pointed at; with nothing, nothing. */
    show(film, { all, width }, hover) {
      if (hover === shown) return;
      if (!hover) return void hide();
      shown = hover;
      box.hidden = false;
      const lines = linesAt(film, all, hover);
      box.replaceChildren(...lines.map((line) => dom("div", {}, line)));
      spoken.textContent = hover.byKey ? lines.join("; ") : "";
      const at = all[0].x.of(hover.t);
      const isLeft = at > width / 2;
      box.style.left = isLeft ? "" : `${at + TIP_APART}px`;
      box.style.right = isLeft ? `${width - at + TIP_APART}px` : "";
    },
  };
}
