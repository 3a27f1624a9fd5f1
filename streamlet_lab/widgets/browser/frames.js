// The panels, each in a frame with its name and what can be done with it.

import { buttonOf } from "./buttons.js";
import { latencyPanel, pricesPanel, rejectionsPanel, vwapPanel } from "./charts.js";
import { dom, setText } from "./dom.js";
import { inspectorPanel } from "./inspector.js";
import { networkPanel } from "./network.js";
import { START } from "./store.js";
import { treePanel } from "./tree.js";

/** The numbers that go with panels, by what those show; see film_header.py. */
const OF_CHAIN = ["finalized_blocks", "median_latency_s", "refused_blocks", "convicted_nodes"];
const OF_PRICES = ["largest_displacement_bp", "epochs_without_price", "median_reference_age_s"];
const OF_ORDERS = [
  ...["fair_stopped_rate", "fair_refused_share", "orders_stopped", "unfair_trades", "halted_s"],
  "median_reference_age_s",
];

/**
 * In the order in which they stand, and in which the keys 1, 2, … choose them. What is observed is
 * the same whoever looks: the market and its numbers follow the observer alone.
 */
const PANEL_KINDS = {
  network: { title: "network", make: networkPanel, numbers: [...OF_CHAIN, "messages"] },
  tree: { title: "block tree", make: treePanel, numbers: OF_CHAIN },
  inspector: { title: "inspector", make: inspectorPanel, isBeside: true },
  prices: { title: "final prices", make: pricesPanel, isObserved: true, numbers: OF_PRICES },
  vwap: { title: "VWAP against consensus", make: vwapPanel, isObserved: true, numbers: OF_PRICES },
  latency: { title: "finality latency", make: latencyPanel, isObserved: true, numbers: OF_CHAIN },
  rejections: { title: "orders stopped", make: rejectionsPanel, isObserved: true, numbers: OF_ORDERS },
};

/** The names of those that have a picture. */
export const PICTURED = Object.keys(PANEL_KINDS).filter((name) => !PANEL_KINDS[name].isBeside);

/** Which panels are shown: those that are asked for and known, else all. */
export function chosenPanels(asked) {
  const known = Object.keys(PANEL_KINDS);
  const chosen = known.filter((name) => asked.includes(name));
  return chosen.length ? chosen : known;
}

/** Those of some numbers that go with the panels that are shown. */
export function numbersOf(numbers, panels = []) {
  const wanted = chosenPanels(panels).flatMap((name) => PANEL_KINDS[name].numbers ?? []);
  return numbers.filter(({ name }) => wanted.includes(name));
}

/** Show what the signs of a panel mean, or hide it. */
function explain({ currentTarget: button }) {
  const isShown = button.closest(".sl-frame").classList.toggle("sl-explained");
  button.setAttribute("aria-pressed", isShown);
}

export const titleOf = (name) => PANEL_KINDS[name]?.title ?? name;

/** The grid of panels. */
class Frames {
  /** @param {?(name: string) => void} drawFigure has the kernel draw the same, where there is one */
  constructor(store, drawFigure) {
    this.store = store;
    this.drawFigure = drawFigure;
    this.panels = new Map();
    this.frames = new Map();
    this.shown = "";
    this.element = dom("div", { class: "sl-panels" });
    this.off = store.on(["panels", "projector", "viewer"], (state) => this.draw(state));
    this.draw(store.get());
  }

  draw({ panels, projector, viewer }) {
    const names = chosenPanels(panels ?? []);
    if (names.join() !== this.shown) this.build(names);
    const whose = viewer === START.viewer ? "" : ", as the observer sees it";
    for (const [name, frame] of this.frames) {
      const title = frame.querySelector(".sl-frame-title");
      if (PANEL_KINDS[name].isObserved) setText(title, `${titleOf(name)}${whose}`);
      frame.hidden = projector !== null && name !== projector;
      frame.querySelector(".sl-enlarge")?.setAttribute("aria-pressed", name === projector);
    }
  }

  build(names) {
    this.shown = names.join();
    for (const panel of this.panels.values()) panel.destroy();
    this.panels.clear();
    this.frames.clear();
    for (const name of names) {
      this.panels.set(name, PANEL_KINDS[name].make(this.store));
      this.frames.set(name, this.frame(name));
    }
    this.element.dataset.count = names.filter((name) => PICTURED.includes(name)).length;
    this.element.classList.toggle("sl-inspecting", names.includes("inspector"));
    this.element.replaceChildren(...this.frames.values());
  }

  frame(name) {
    const { title, isBeside } = PANEL_KINDS[name];
    const panel = this.panels.get(name).element;
    const button = (words, kind, press) =>
      buttonOf(words, { class: `sl-small ${kind}`, "aria-label": `${words}: ${title}` }, press);
    const head = isBeside
      ? null
      : dom(
          "div",
          { class: "sl-frame-head" },
          dom("h3", { class: "sl-frame-title" }, title),
          this.drawFigure && button("matplotlib", "sl-figure", () => this.drawFigure(name)),
          panel.querySelector(".sl-legend") && button("signs", "sl-signs", explain),
          button("enlarge", "sl-enlarge", () => this.enlarge(name)),
        );
    return dom("div", { class: "sl-frame", "data-panel": name }, head, panel);
  }

  enlarge(name) {
    const { projector } = this.store.get();
    this.store.set({ projector: projector === name ? null : name });
  }

  /** The panels that are in sight and have a picture, by name. */
  inSight() {
    return [...this.panels].filter(
      ([name]) => PICTURED.includes(name) && !this.frames.get(name).hidden,
    );
  }

  destroy() {
    this.off();
    for (const panel of this.panels.values()) panel.destroy();
    this.element.remove();
  }
}

export const framesOf = (store, drawFigure = null) => new Frames(store, drawFigure);
