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

/** The box itself, hidden; what it says is read aloud elsewhere. */
export const tipBox = () => dom("div", { class: "sl-tip", "aria-hidden": "true", hidden: true });

/** Write lines into a box, and stand it beside a place, on the side where there is more room. */
export function showBeside(box, lines, x, width) {
  box.hidden = false;
  box.replaceChildren(...lines.map((line) => dom("div", {}, line)));
  const isLeft = x > width / 2;
  box.style.left = isLeft ? "" : `${x + TIP_APART}px`;
  box.style.right = isLeft ? `${width - x + TIP_APART}px` : "";
}

export function createTip() {
  const box = tipBox();
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
      showBeside(box, [KEYS_IN_WORDS], 0, 0);
      spoken.textContent = KEYS_IN_WORDS;
    },
    /** Say what is pointed at; with nothing, nothing. */
    show(film, { all, width }, hover) {
      if (hover === shown) return;
      if (!hover) return void hide();
      shown = hover;
      const lines = linesAt(film, all, hover);
      showBeside(box, lines, all[0].x.of(hover.t), width);
      spoken.textContent = hover.byKey ? lines.join("; ") : "";
    },
  };
}
