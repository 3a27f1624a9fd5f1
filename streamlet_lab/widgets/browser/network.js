// The network: nodes on a ring, and the messages that fly between them. Click a node to see the
// world as it sees it.

import { coloursOf, dom, setAttributes } from "./dom.js";
import { inFlight } from "./film.js";
import { drawArrivals, drawFlights, looksOf, makeSprites } from "./flights.js";
import { drawBack, drawNodes } from "./nodes.js";
import { placeNodes } from "./ring.js";
import { nodesAt, sayNetwork, sayNode, stateKey } from "./words.js";

const NETWORK_COLOURS = [
  "truth",
  "muted",
  "faint",
  "panel",
  "surface",
  "consensus",
  "rejected",
  "lit",
  "accepted",
];
/** Of this many pictures the rate is taken. */
const PROBED = 120;
const RING_MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const NETWORK_LEGEND = [
  ["square", "proposal"],
  ["disc", "vote"],
  ["solid", "even epoch"],
  ["hollow", "odd epoch"],
  ["twin", "second block of one epoch"],
  ["star", "leader"],
];

function makeLayer(name) {
  return dom("canvas", { class: `sl-layer sl-layer-${name}`, "aria-hidden": "true" });
}

/**
 * The panel of the network.
 *
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void, toPNG: () => Promise<Blob>,
 *   probe: () => {frames: number, perSecond: number, drawMs: number}}}
 */
export function networkPanel(store) {
  const [back, middle, front] = ["back", "flights", "nodes"].map(makeLayer);
  const picture = dom(
    "div",
    { class: "sl-layers", role: "img", "aria-label": "network" },
    back,
    middle,
    front,
  );
  const buttons = dom("div", { class: "sl-node-buttons", role: "group", "aria-label": "nodes" });
  const note = dom("p", { class: "sl-note" });
  const stage = dom("div", { class: "sl-stage" }, picture, buttons);
  const legend = dom(
    "ul",
    { class: "sl-legend", "aria-label": "legend of the network" },
    ...NETWORK_LEGEND.map(([sign, text]) =>
      dom("li", {}, dom("span", { class: `sl-sign sl-sign-${sign}`, "aria-hidden": "true" }), text),
    ),
  );
  const element = dom(
    "section",
    { class: "sl-panel sl-network", "aria-label": "network" },
    stage,
    note,
    legend,
  );

  const probed = { frames: 0, times: [], drawMs: 0 };
  let scene = null;
  let keyShown = "";

  function viewNode(name) {
    store.set({ viewer: name, selection: { kind: "node", id: name } });
  }

  function moveFocus(event) {
    const all = [...buttons.children];
    const step = RING_MOVES[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const here = all.indexOf(event.target);
    all[(here + step + all.length) % all.length].focus();
  }
  buttons.addEventListener("keydown", moveFocus);
  buttons.addEventListener("focusin", ({ target }) => {
    for (const each of buttons.children) each.tabIndex = each === target ? 0 : -1;
  });

  /** Lay everything out anew: another film, size or theme. */
  function arrange() {
    const { film } = store.get();
    const { clientWidth: width, clientHeight: height } = stage;
    scene = null;
    if (!film || !width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [back, middle, front]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const { nodes, names } = film.header;
    const colour = coloursOf(element, NETWORK_COLOURS);
    scene = {
      film,
      width,
      height,
      ratio,
      colour,
      ...placeNodes(nodes.length, names.length - nodes.length, width, height),
      looks: looksOf(film),
      sprites: makeSprites(colour, ratio, nodes.length > 8),
      font: getComputedStyle(element).fontFamily,
    };
    note.textContent = film.header.has_trace ? "" : "Messages are not recorded at this size.";
    keyShown = "";
    placeButtons();
    draw(store.get());
  }

  function placeButtons() {
    const { film, places, card } = scene;
    const { names } = film.header;
    if (buttons.children.length !== names.length) {
      buttons.replaceChildren(
        ...names.map((name, index) =>
          dom("button", {
            type: "button",
            class: "sl-node-button",
            "data-node": name,
            tabindex: index ? -1 : 0,
            click: () => viewNode(name),
          }),
        ),
      );
    }
    names.forEach((name, index) => {
      const { x, y } = places[index];
      const button = buttons.children[index];
      button.dataset.node = name;
      button.style.cssText = `left: ${x - card.width / 2}px; top: ${y - card.height / 2}px; width: ${card.width}px; height: ${card.height}px`;
    });
  }

  function pen(canvas) {
    const drawn = canvas.getContext("2d");
    drawn.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    drawn.clearRect(0, 0, scene.width, scene.height);
    return drawn;
  }

  /** What changes at some instants only: who knows what, who leads, who is cut off. */
  function drawStates(nodes, state) {
    drawBack(pen(back), scene, nodes, state);
    drawNodes(pen(front), scene, nodes, state);
    nodes.forEach((node, index) => {
      const pressed = node.name === state.viewer;
      const says = {
        "aria-pressed": pressed,
        "aria-label": sayNode(state.film, node),
        title: sayNode(state.film, node),
      };
      setAttributes(buttons.children[index], says);
    });
  }

  function draw(state) {
    const { film, time, playing, reducedMotion } = state;
    if (film !== scene?.film) return void arrange();
    if (!scene) return;
    const began = performance.now();
    const nodes = nodesAt(film, time);
    const key = stateKey(film, nodes, state);
    if (key !== keyShown) drawStates(nodes, state);
    keyShown = key;
    const flights = pen(middle);
    if (film.header.has_trace) {
      if (!reducedMotion) drawFlights(flights, film, time, scene);
      if (!playing || reducedMotion) drawArrivals(flights, film, time, scene);
    }
    if (!playing)
      setAttributes(picture, {
        "aria-label": sayNetwork(film, time, nodes, inFlight(film, time).length),
      });
    probed.frames += 1;
    probed.times.push(began);
    if (probed.times.length > PROBED) probed.times.shift();
    probed.drawMs += performance.now() - began;
  }

  const sizes = new ResizeObserver(arrange);
  sizes.observe(stage);
  const offs = [
    store.on(["film", "time", "viewer", "selection", "playing", "reducedMotion"], draw),
    store.on(["theme", "projector"], arrange),
  ];
  return {
    element,
    probe() {
      const { frames, times, drawMs } = probed;
      const seconds = (times.at(-1) - times[0]) / 1000;
      return { frames, perSecond: (times.length - 1) / seconds, drawMs: drawMs / frames };
    },
    async toPNG() {
      const canvas = dom("canvas", { width: back.width, height: back.height });
      const whole = canvas.getContext("2d");
      whole.fillStyle = scene.colour.panel;
      whole.fillRect(0, 0, canvas.width, canvas.height);
      for (const each of [back, middle, front]) whole.drawImage(each, 0, 0);
      return new Promise((done) => canvas.toBlob(done, "image/png"));
    },
    destroy() {
      sizes.disconnect();
      for (const off of offs) off();
      element.remove();
    },
  };
}
