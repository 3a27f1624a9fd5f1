// The network: nodes on a ring, and the messages that fly between them. Click a node to see the
// world as it sees it.

import { dom, setAttributes, setText, svg } from "./dom.js";
import { inFlight } from "./film.js";
import { flightTip } from "./flighttip.js";
import { drawArrivals, drawFlights, looksOf, makeSprites, nameFlights } from "./flights.js";
import { legendOf } from "./legend.js";
import { drawGround } from "./ground.js";
import { fitCanvases, followLook, penFor } from "./look.js";
import { drawNode } from "./nodes.js";
import { linkAt, placeNodes } from "./ring.js";
import { keysOf, nodesAt, sayNetwork, sayNode } from "./words.js";

const NETWORK_COLOURS = ["truth", "muted", "faint", "panel", "surface", "consensus", "rejected"];
const squareSign = () => [svg("path", { d: "M5,1 H15 V11 H5 Z" })];
const discSign = () => [svg("circle", { cx: 10, cy: 6, r: 4 })];
const cardSign = (...more) => [svg("rect", { x: 1, y: 1, width: 18, height: 10, rx: 3 }), ...more];
const NETWORK_LEGEND = [
  ["proposal", "sl-sign-message", squareSign],
  ["vote", "sl-sign-message", discSign],
  ["of an odd epoch", "sl-sign-message sl-sign-hollow", discSign],
  [
    "for a second block of one epoch",
    "sl-sign-message sl-sign-twin",
    () => [...squareSign(), svg("path", { d: "M5,11 L15,1" })],
  ],
  ["leader", "sl-sign-leader", cardSign],
  ["crashed", "sl-sign-down", () => cardSign(svg("path", { d: "M1,1 L19,11 M19,1 L1,11" }))],
  ["Byzantine", "sl-sign-faulty", cardSign],
  ["whose view is shown", "sl-sign-viewer", cardSign],
];
/** Of this many pictures the rate is taken. */
const PICTURES_PROBED = 120;
/** A click so near to a link is meant for it, in pixels. */
const CLICK_PX = 8;
const RING_MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** What a card may have around it: who looks, a fault, a side. */
const CARD_MARGIN = 14;

/**
 * The panel. What lies behind the messages and the cards before them are kept as pictures, drawn
 * when something is another; a frame copies them and draws the messages.
 */
class NetworkPanel {
  constructor(store) {
    this.store = store;
    this.scene = null;
    this.moving = false;
    this.probed = { frames: 0, times: [], drawMs: 0 };
    this.picture = dom("canvas", {
      class: "sl-ring",
      role: "img",
      "aria-label": "network",
      click: (event) => this.pick(event),
    });
    this.back = dom("canvas");
    this.cards = [];
    this.buttons = dom("div", {
      role: "group",
      "aria-label": "nodes: arrows go round, Enter sees with its eyes, Shift and arrows its links",
      keydown: (event) => this.moveFocus(event),
      focusin: ({ target }) => this.enter(target),
    });
    const tip = flightTip(this.picture, store, () => this.scene);
    this.stage = dom("div", { class: "sl-stage" }, this.picture, this.buttons, tip.element);
    this.note = dom("p", { class: "sl-note" });
    this.element = dom(
      "section",
      { class: "sl-panel sl-network", "aria-label": "network" },
      this.stage,
      this.note,
      legendOf("network", NETWORK_LEGEND),
    );
    // A benchmark finds the element, and not the panel.
    this.element.probe = () => this.probe();
    this.followed = followLook(store, this.stage, NETWORK_COLOURS, () => this.arrange());
    this.offs = [
      tip.end,
      store.on(["film", "time", "viewer", "selection", "playing", "reducedMotion"], (state) =>
        this.draw(state),
      ),
    ];
  }

  /** Lay everything out anew: another film, size or theme. */
  arrange() {
    const { film } = this.store.get();
    const { look } = this.followed;
    this.scene = null;
    this.shown = { ground: "", nodes: [] };
    if (!film || !look.width || !look.height) return;
    fitCanvases([this.picture, this.back], look);
    const laidOut = JSON.stringify([film.header.nodes.length, look]);
    if (laidOut !== this.laidOut) this.layOut(film.header.nodes.length, look);
    this.laidOut = laidOut;
    this.scene = { film, ...look, ...this.layout, looks: looksOf(film) };
    const missing = "Messages are not recorded for this run: only what the nodes know is shown.";
    setText(this.note, film.header.has_trace ? "" : missing);
    this.placeButtons();
    this.draw(this.store.get());
  }

  /** Place the cards of so many voters, and make the pictures of messages. */
  layOut(voters, { width, height, ratio, colours }) {
    const ring = placeNodes(voters, width, height);
    const { card, places } = ring;
    const room = { ratio, width: card.width + 2 * CARD_MARGIN, height: card.height + 2 * CARD_MARGIN };
    // At whole pixels, for letters that are as sharp in the copy.
    const whole = (length) => Math.round(length * ratio) / ratio;
    const corners = places.map(({ x, y }) => ({
      left: whole(x - room.width / 2),
      top: whole(y - room.height / 2),
    }));
    this.cards = places.map((_, index) => this.cards[index] ?? dom("canvas"));
    fitCanvases(this.cards, room);
    this.layout = { ...ring, corners, sprites: makeSprites(colours, ratio, card.font) };
  }

  /** The cards are drawn; what is clicked, and what has the focus, is a button over each. */
  placeButtons() {
    const { film, places, card } = this.scene;
    if (this.buttons.children.length !== film.names.length) {
      this.buttons.replaceChildren(...film.names.map((_, index) => this.buttonOf(index)));
    }
    const [halfWidth, halfHeight] = [card.width / 2, card.height / 2];
    film.names.forEach((name, index) => {
      const { style, dataset } = this.buttons.children[index];
      dataset.node = name;
      style.left = `${places[index].x - halfWidth}px`;
      style.top = `${places[index].y - halfHeight}px`;
      style.width = `${card.width}px`;
      style.height = `${card.height}px`;
    });
  }

  buttonOf(index) {
    const button = dom("button", {
      type: "button",
      class: "sl-node-button",
      tabindex: index ? -1 : 0,
      click: () => this.look(button.dataset.node),
    });
    return button;
  }

  /** See with the eyes of a node. */
  look(name) {
    this.store.set({ viewer: name, selection: { kind: "node", id: name } });
  }

  /** Select the link that was clicked, by the names of its ends; beside the links, nothing. */
  pick({ offsetX: x, offsetY: y }) {
    if (!this.scene) return;
    const { film, places } = this.scene;
    const ends = linkAt({ x, y }, places, film.header.nodes.length, CLICK_PX);
    if (ends) this.selectLink(ends);
    else this.store.set({ selection: null });
  }

  /** Arrows go round the ring, so that Tab passes it in one step. */
  moveFocus(event) {
    const step = RING_MOVES[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...this.buttons.children];
    const here = all.indexOf(event.target);
    if (event.shiftKey) this.turnLink(here, step);
    else all[(here + step + all.length) % all.length].focus();
  }

  /** Select the next link of a node, by the keyboard. */
  turnLink(here, step) {
    const { nodes } = this.store.get().film.header;
    if (here >= nodes.length || nodes.length < 2) return;
    const { selection } = this.store.get();
    const ends = selection?.kind === "link" ? selection.id.split("|") : [];
    const last = ends.includes(nodes[here])
      ? nodes.indexOf(ends.find((n) => n !== nodes[here]))
      : here;
    let other = (last + step + nodes.length) % nodes.length;
    if (other === here) other = (other + step + nodes.length) % nodes.length;
    this.selectLink([here, other].sort((a, b) => a - b));
  }

  selectLink(ends) {
    const id = ends.map((index) => this.scene.film.names[index]).join("|");
    this.store.set({ selection: { kind: "link", id } });
  }

  enter(button) {
    for (const each of this.buttons.children) each.tabIndex = each === button ? 0 : -1;
  }

  draw(state) {
    const { film, time, playing } = state;
    if (film !== (this.scene?.film ?? null)) return void this.arrange();
    if (!this.scene) return;
    const began = performance.now();
    const nodes = nodesAt(film, time);
    const flying = film.header.has_trace ? inFlight(film, time).length : 0;
    const isNew = this.drawStates(nodes, state);
    // Between two bursts of messages nothing moves.
    if (isNew || flying || this.moving || !playing) this.drawPicture(state);
    this.moving = flying > 0;
    if (!playing) {
      setAttributes(this.picture, { "aria-label": sayNetwork(film, time, nodes, flying) });
    }
    this.count(began);
  }

  /**
   * Draw what changes at some instants only: who knows what, who leads, who is cut off; and say
   * whether anything did.
   */
  drawStates(nodes, state) {
    const keys = keysOf(state.film, nodes, state);
    const hasGround = keys.ground !== this.shown.ground;
    if (hasGround) drawGround(penFor(this.back, this.scene), this.scene, state);
    const others = nodes.filter(({ index }) => keys.nodes[index] !== this.shown.nodes[index]);
    for (const node of others) this.drawCard(node, state);
    this.shown = keys;
    return hasGround || others.length > 0;
  }

  drawCard(node, state) {
    const card = this.cards[node.index];
    const { left, top } = this.scene.corners[node.index];
    const pen = penFor(card, this.scene);
    pen.clearRect(0, 0, card.width, card.height);
    pen.translate(-left, -top);
    drawNode(pen, this.scene, node, state);
    const says = sayNode(state.film, node);
    const pressed = node.name === state.viewer;
    const said = { "aria-pressed": pressed, "aria-label": says, title: says };
    setAttributes(this.buttons.children[node.index], said);
  }

  drawPicture(state) {
    const { width, height, ratio, corners } = this.scene;
    const pen = penFor(this.picture, this.scene);
    pen.drawImage(this.back, 0, 0, width, height);
    if (state.film.header.has_trace) this.drawMessages(pen, state);
    this.cards.forEach((card, index) => {
      const { left, top } = corners[index];
      pen.drawImage(card, left, top, card.width / ratio, card.height / ratio);
    });
  }

  /** Who wants less motion sees messages arrive, and not fly. */
  drawMessages(pen, { film, time, playing, reducedMotion }) {
    if (!reducedMotion) drawFlights(pen, film, time, this.scene);
    if (!playing || reducedMotion) drawArrivals(pen, film, time, this.scene);
    if (!playing && !reducedMotion) nameFlights(pen, film, time, this.scene);
  }

  count(began) {
    const { times } = this.probed;
    this.probed.frames += 1;
    this.probed.drawMs += performance.now() - began;
    times.push(began);
    if (times.length > PICTURES_PROBED) times.shift();
  }

  /** How many pictures there were, how many a second of late, and what one took on average. */
  probe() {
    const { frames, times, drawMs } = this.probed;
    const seconds = (times.at(-1) - times[0]) / 1000;
    return { frames, perSecond: (times.length - 1) / seconds, drawMs: drawMs / frames };
  }

  destroy() {
    this.followed.end();
    for (const off of this.offs) off();
    this.element.remove();
  }
}

/**
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void,
 *   probe: () => {frames: number, perSecond: number, drawMs: number}}}
 */
export const networkPanel = (store) => new NetworkPanel(store);
