// The values of a chart at an instant, beside the pointer; read aloud where it is keys that point.

import { dom } from "./dom.js";
import { epochAt } from "./film.js";
import { readingsAt } from "./reading.js";
import { inSeconds } from "./words.js";

/** How far from the pointer they stand, in pixels. */
const TIP_APART = 12;

/** What there is to read, line by line. */
export function linesAt(film, all, { t, point }) {
  const lines = [`${inSeconds(t)}, epoch ${epochAt(film, t)}`];
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
  const spoken = dom("p", { class: "sl-spoken", "aria-live": "polite" });
  let shown = null;

  return {
    elements: [box, spoken],
    show(film, { all, width }, hover) {
      if (hover === shown) return;
      shown = hover;
      box.hidden = !hover;
      if (!hover) {
        spoken.textContent = "";
        return;
      }
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
