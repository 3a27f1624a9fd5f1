// The panel of a chart: panes of series over time, on the cursor and the zoom that all share.

import { layOut } from "./axes.js";
import { dom, setAttributes, setText } from "./dom.js";
import { drawInstant, drawPast, drawPointed, drawRings } from "./layers.js";
import { fitCanvases, followLook, penFor } from "./look.js";
import { Pointing } from "./pointing.js";
import { placesOf } from "./reading.js";
import { createSwitches, isShown } from "./switches.js";
import { createTip, spansOf } from "./tip.js";
import { inSeconds } from "./words.js";

const CHART_COLOURS = [
  ...["truth", "text", "muted", "faint", "panel", "surface"],
  ...["consensus", "vwap", "accepted", "rejected", "justified", "pinned"],
];
/** The size of a chart's text, of the page's. */
const LETTER = 0.88;
const OTHER_RUNS = ["many", "pinned"];
const PINNED_DASH = [5, 3];

/** A series as the pinned run has it: in the pin's colour, dashed, and with nothing to click. */
const asPinned = (series) => ({
  ...series,
  name: "pinned",
  label: "pinned (A)",
  means: "the pinned run",
  colour: "pinned",
  dash: PINNED_DASH,
  shape: series.shape && "gem",
  hidden: false,
  selects: null,
  since: null,
  brief: `A, ${series.brief ?? series.label}`,
});

/**
 * @typedef {object} Kind  what a chart shows
 * @property {string} name
 * @property {string} title
 * @property {(film) => string} missing  why there is nothing to show, or nothing
 * @property {(film, view) => object[]} panes  each with its title and series, see marks.js;
 *     `view` has the seconds shown, the width in pixels, and what many runs gave
 * @property {(film) => string} says  the chart in words
 */

/**
 * The panel. Frame and series are kept as pictures, drawn when something is another; a frame of the
 * play copies them.
 */
class Chart {
  constructor(store, kind) {
    this.store = store;
    this.kind = kind;
    this.scene = null;
    this.layers = { series: dom("canvas"), past: dom("canvas"), future: dom("canvas") };
    this.plot = dom("canvas", {
      class: "sl-plot",
      role: "img",
      tabindex: 0,
      "aria-label": kind.title,
      "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown Enter + - Escape",
    });
    this.tip = createTip();
    this.switches = createSwitches(kind.title, (name, on) => this.turn(name, on));
    const unzoom = () => store.set({ zoom: null });
    this.whole = dom(
      "button",
      { type: "button", class: "sl-switch sl-whole", hidden: true, click: unzoom },
      "whole run",
    );
    this.stage = dom("div", { class: "sl-stage" }, this.plot, this.whole, ...this.tip.elements);
    this.note = dom("p", { class: "sl-note" });
    this.element = dom(
      "section",
      { class: `sl-panel sl-chart sl-chart-${kind.name}`, "aria-label": kind.title },
      ...[this.switches.element, this.stage, this.note],
    );
    this.pointing = new Pointing(store, this.plot, this);
    this.followed = followLook(store, this.stage, CHART_COLOURS, () => this.arrange());
    this.offs = [
      store.on(["film", "pinned", "many", "series", "zoom"], () => this.arrange()),
      store.on(["time", "playing"], (state) => this.follow(state)),
      store.on(["selection"], () => this.choose()),
    ];
  }

  /** Switch a series on or off. */
  turn(name, on) {
    const { series } = this.store.get();
    this.store.set({ series: { ...series, [`${this.kind.name}.${name}`]: on } });
  }

  /** The part of the run that is shown; a zoom beyond this run's end is none. */
  windowOf({ film, zoom }) {
    const end = film.header.end_s;
    return zoom && zoom[0] < end ? [zoom[0], Math.min(zoom[1], end)] : [0, end];
  }

  /** Lay everything out anew. */
  arrange() {
    const state = this.store.get();
    const { film, zoom } = state;
    const why = film ? this.kind.missing(film) : "";
    this.scene = null;
    this.pointing.hover = this.pointing.drag = null;
    this.stage.hidden = Boolean(why);
    this.whole.hidden = !film || Boolean(why) || !zoom;
    setText(this.note, why);
    if (!film || why) {
      this.plot.width = 0;
      this.switches.show([], () => false);
      return;
    }
    const { look } = this.followed;
    if (!look.width || !look.height) return;
    fitCanvases([this.plot], look);
    this.scene = this.sceneOf(state, { ...look, letter: look.letter * LETTER });
    drawPast(this.layers, this.scene);
    this.choose();
  }

  sceneOf(state, look) {
    const shown = this.windowOf(state);
    setAttributes(this.plot, { "aria-label": this.sayAll(state, shown) });
    return {
      ...look,
      window: shown,
      spans: spansOf(state.film),
      all: layOut(this.panesOf(state, shown, look.width), look, shown),
    };
  }

  /** The panes, each with the series that are switched on, those of the pinned run first. */
  panesOf({ film, pinned, many, series: switches }, shown, width) {
    const view = { window: shown, width, many };
    const hasPin = pinned && pinned !== film && !this.kind.missing(pinned);
    const before = hasPin ? this.kind.panes(pinned, { ...view, many: null }) : [];
    const all = this.kind.panes(film, view).map((pane, index) => {
      const under = (before[index]?.series ?? []).filter(({ pins }) => pins).map(asPinned);
      const over = pane.series.filter(({ pins }) => pins !== "only");
      return { ...pane, series: [...under, ...over] };
    });
    const isOn = (series) => isShown(switches, this.kind.name, series);
    const entries = all.flatMap(({ series }) => series);
    // In the legend other runs come last.
    const rank = ({ name }) => OTHER_RUNS.indexOf(name);
    this.switches.show(entries.sort((one, other) => rank(one) - rank(other)), isOn);
    return all.map((pane) => ({ ...pane, series: pane.series.filter(isOn) }));
  }

  sayAll({ film, pinned, zoom }, [from, to]) {
    const parts = [this.kind.says(film)];
    for (const { start_s, stop_s, why } of spansOf(film)) {
      parts.push(`From ${inSeconds(start_s)} to ${inSeconds(stop_s)} ${why}.`);
    }
    if (zoom) parts.push(`Shown from ${inSeconds(from)} to ${inSeconds(to)}.`);
    if (pinned && pinned !== film) parts.push("The pinned run is drawn below it.");
    return parts.join(" ");
  }

  /** Find what is selected, where it is in this chart. */
  choose() {
    if (!this.scene) return;
    const { selection } = this.store.get();
    this.scene.chosen = selection ? placesOf(this.scene.all, selection) : [];
    this.draw();
  }

  /** Move the cursor; while it plays, a step of less than a pixel shows nothing new. */
  follow({ time, playing }) {
    if (!this.scene) return;
    const { all, ratio } = this.scene;
    const at = Math.round(all[0].x.of(time) * ratio);
    if (!playing || at !== this.at) this.draw();
    this.at = at;
  }

  draw() {
    if (!this.scene) return;
    const { time, film } = this.store.get();
    const pen = penFor(this.plot, this.scene);
    drawInstant(pen, this.layers, this.scene, time, film.header.end_s);
    drawRings(pen, this.scene, this.scene.chosen);
    drawPointed(pen, this.scene, this.pointing);
    this.tip.show(film, this.scene, this.pointing.hover);
  }

  destroy() {
    this.followed.end();
    for (const off of this.offs) off();
    this.element.remove();
  }
}

/**
 * @param {object} store
 * @param {Kind} kind
 * @returns {{element: HTMLElement, destroy: () => void}}
 */
export const chartPanel = (store, kind) => new Chart(store, kind);
