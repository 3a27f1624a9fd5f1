// What the signs of a panel mean, below it.

import { dom } from "./dom.js";

/** Make the legend of a panel from what each sign, a class of the style sheet, means. */
export function legendOf(panel, meanings) {
  const items = Object.entries(meanings).map(([sign, meaning]) =>
    dom(
      "li",
      {},
      dom("span", { class: `sl-sign sl-sign-${sign}`, "aria-hidden": "true" }),
      meaning,
    ),
  );
  return dom("ul", { class: "sl-legend", "aria-label": `legend of the ${panel}` }, ...items);
}
