// The signs of legends, drawn as what they stand for, and the legend of a panel.

import { dom, svg } from "./dom.js";

const SIGN_WIDTH = 20;
const SIGN_HEIGHT = 12;

/** The picture of a sign, made of what is drawn in 20 × 12. */
export function signOf(parts, attributes = {}) {
  const size = { width: SIGN_WIDTH, height: SIGN_HEIGHT, viewBox: `0 0 ${SIGN_WIDTH} ${SIGN_HEIGHT}` };
  return svg("svg", { class: "sl-sign", ...size, ...attributes, "aria-hidden": "true" }, ...parts);
}

/** Make the legend of a panel from what each sign means: `[meaning, classes, parts]`. */
export function legendOf(panel, entries) {
  const items = entries.map(([meaning, classes, parts]) =>
    dom("li", {}, signOf([svg("g", { class: classes }, ...parts())]), meaning),
  );
  return dom("ul", { class: "sl-legend", "aria-label": `legend of the ${panel}` }, ...items);
}
