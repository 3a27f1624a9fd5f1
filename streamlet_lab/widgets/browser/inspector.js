// What was clicked, in full: a block, a node, an order, or the world as the viewer sees it.

import { dom, setText } from "./dom.js";
import { factsOf } from "./facts.js";

function listOf(facts) {
  const pairs = facts.flatMap(([name, text]) => [dom("dt", {}, name), dom("dd", {}, text)]);
  return dom("dl", { class: "sl-facts" }, ...pairs);
}

function tableOf({ caption, heads, rows }) {
  const row = (tag, cells, scope) =>
    dom("tr", {}, ...cells.map((cell) => dom(tag, { scope }, cell)));
  return dom(
    "table",
    { class: "sl-votes" },
    dom("caption", {}, caption),
    dom("thead", {}, row("th", heads, "col")),
    dom("tbody", {}, ...rows.map((cells) => row("td", cells))),
  );
}

/** The panel; it is written anew only where it says something else. */
class InspectorPanel {
  constructor(store) {
    this.shown = "";
    this.title = dom("h3", { class: "sl-title" });
    this.close = dom("button", {
      type: "button",
      class: "sl-close",
      "aria-label": "back to the viewer",
      title: "back to the viewer",
      click: () => store.set({ selection: null }),
    });
    this.close.append("✕");
    // It scrolls, so the keyboard has to reach it.
    this.body = dom("div", { tabindex: 0, role: "group" });
    this.element = dom(
      "section",
      { class: "sl-panel sl-inspector", "aria-label": "inspector" },
      dom("div", { class: "sl-heading" }, this.title, this.close),
      dom("div", { class: "sl-inspected" }, this.body),
    );
    this.off = store.on(["film", "time", "viewer", "selection"], (state) => this.draw(state));
    this.draw(store.get());
  }

  draw(state) {
    this.close.hidden = !state.selection;
    const said = state.film ? factsOf(state) : { title: "Nothing has been run yet", facts: [] };
    const key = JSON.stringify(said);
    if (key === this.shown) return;
    this.shown = key;
    setText(this.title, said.title);
    this.body.setAttribute("aria-label", said.title);
    this.body.replaceChildren(listOf(said.facts));
    if (said.table?.rows.length) this.body.append(tableOf(said.table));
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

/**
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void}}
 */
export const inspectorPanel = (store) => new InspectorPanel(store);
