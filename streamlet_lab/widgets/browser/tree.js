// The block tree as the viewer knows it: heights from left to right, forks in lanes below.

import { blockParts, classOf, sayBlock } from "./blocks.js";
import { dom, setAttributes, svg } from "./dom.js";
import { blockState, decidingThree, stateOf, votesSeen } from "./film.js";
import { ancestorsOf, layOutTree } from "./lanes.js";
import { pictureOf } from "./picture.js";
import { counted, inSeconds, placeOf } from "./words.js";

/** So many heights are in sight. */
const HEIGHTS_SHOWN = 12;
const TREE_TOP = 14;
/** Lanes are this far apart, in pixels; more of them than have room are scrolled. */
const LEAST_LANE = 38;
const MOST_LANE = 92;
let hatchCount = 0;

const TREE_LEGEND = [
  ["proposed", "proposed"],
  ["notarized", "notarized"],
  ["final", "final"],
  ["lit", "in a row: make it final"],
  ["fork", "fork or conflict"],
  ["votes", "votes, line: quorum"],
];

/** The chain below a block; the last one asked for is kept, for it is the same in most frames. */
function chainOf(film, tree, tip) {
  if (tree.chain?.[0] !== tip) tree.chain = ancestorsOf(film, tip);
  return tree.chain;
}

/** What the viewer knows of the blocks in sight, by block. */
function knowledgeOf(film, tree, node, { time, selection }) {
  const { height, parent, epoch } = film.tables.blocks;
  const { tip, finalized } = stateOf(film, node, time);
  const known = new Map();
  const state = (block) => blockState(film, block, node, time);
  let top = height[tip];
  for (let level = top + HEIGHTS_SHOWN; level > top; level -= 1) {
    if (tree.byHeight[level]?.some((block) => state(block) !== "unknown")) top = level;
  }
  const lowest = Math.max(top - HEIGHTS_SHOWN + 1, 0);
  const trunk = new Set(chainOf(film, tree, tip));
  const lit = new Set(finalized > 0 ? decidingThree(film, finalized, node) : []);
  const epochs = new Map();
  for (let level = lowest; level <= top; level += 1) {
    for (const block of tree.byHeight[level] ?? []) {
      const now = block === 0 ? "finalized" : state(block);
      if (now === "unknown") continue;
      // What extends the longest chain is no fork, though it is not notarized yet.
      if (height[block] > height[tip] && trunk.has(parent[block])) trunk.add(block);
      known.set(block, {
        state: now,
        votes:
          block > 0 && film.header.has_trace ? votesSeen(film, block, node, time).length : null,
        off: !trunk.has(block),
        twin: false,
        conflict: tree.conflictSince[block] <= time,
        lit: lit.has(block),
        selected: selection?.kind === "block" && selection.id === block,
      });
      epochs.set(epoch[block], [...(epochs.get(epoch[block]) ?? []), block]);
    }
  }
  for (const same of epochs.values())
    if (same.length > 1) for (const block of same) known.get(block).twin = true;
  return { known, lowest, tip, finalized, lit };
}

function patternOf(id) {
  const line = svg("path", { class: "sl-hatch-line", d: "M0,6 L6,0" });
  return svg(
    "defs",
    {},
    svg("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, line),
  );
}

function sayTree(film, viewer, time, { known, tip, finalized }) {
  const { height } = film.tables.blocks;
  const forks = [...known.values()].filter(({ off }) => off).length;
  const parts = [
    `longest chain ends at height ${height[tip]}`,
    `final up to height ${height[finalized]}`,
  ];
  if (forks) parts.push(`${counted(forks, "block")} on forks`);
  return `Block tree as ${viewer} knows it at ${inSeconds(time)}: ${parts.join(", ")}.`;
}

function sayThree(film, viewer, { finalized, lit }) {
  if (!lit.size) return "Nothing is final yet.";
  const { epoch } = film.tables.blocks;
  const row = [...lit]
    .map((block) => epoch[block])
    .filter((each) => each >= 0)
    .sort((a, b) => a - b);
  return `Notarized in a row: epochs ${row.join(", ")}. So the block of epoch ${epoch[finalized]} and all below it are final for ${viewer}.`;
}

/**
 * The panel of the block tree.
 *
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void, toSVG: () => string}}
 */
export function treePanel(store) {
  const hatch = `sl-hatch-${(hatchCount += 1)}`;
  const moving = svg("g", { class: "sl-blocks" });
  const picture = svg(
    "svg",
    { class: "sl-tree-svg", role: "group", "aria-label": "block tree" },
    patternOf(hatch),
    moving,
  );
  const stage = dom("div", { class: "sl-stage sl-tree-stage" }, picture);
  const caption = dom("p", { class: "sl-note" });
  const legend = dom(
    "ul",
    { class: "sl-legend", "aria-label": "legend of the block tree" },
    ...TREE_LEGEND.map(([sign, text]) =>
      dom("li", {}, dom("span", { class: `sl-sign sl-sign-${sign}`, "aria-hidden": "true" }), text),
    ),
  );
  const element = dom(
    "section",
    { class: "sl-panel sl-tree", "aria-label": "block tree" },
    stage,
    caption,
    legend,
  );
  const groups = new Map();
  let scene = null;
  let shown = null;

  function arrange() {
    const { film } = store.get();
    const { clientWidth: width, clientHeight: height } = stage;
    scene = null;
    moving.replaceChildren();
    groups.clear();
    if (!film || !width || !height) return;
    const tree = layOutTree(film);
    const column = width / (HEIGHTS_SHOWN + 0.2);
    const lane = Math.min(Math.max((height - TREE_TOP) / tree.lanes, LEAST_LANE), MOST_LANE);
    const size = { width: Math.min(column * 0.76, 92), height: Math.min(lane * 0.8, 58) };
    const top = TREE_TOP + Math.max((height - TREE_TOP - lane * tree.lanes) / 2, 0) + lane / 2;
    const at = (block) => ({
      x: column * (film.tables.blocks.height[block] + 0.6),
      y: top + lane * tree.lane[block],
    });
    scene = { film, tree, size, column, at, width, height, newest: -1 };
    draw(store.get());
  }

  function select(block) {
    store.set({ selection: { kind: "block", id: block } });
  }

  /** The block that a key leads to: parent, child, or the next lane. */
  function neighbour(block, key) {
    const { height, parent } = scene.film.tables.blocks;
    const { lane } = scene.tree;
    const all = [...groups.keys()];
    if (key === "ArrowLeft") return all.find((each) => each === parent[block]);
    if (key === "ArrowRight") return all.find((each) => parent[each] === block);
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    const beside = all.filter(
      (each) => height[each] === height[block] && step * (lane[each] - lane[block]) > 0,
    );
    return beside.sort((one, other) => step * (lane[one] - lane[other]))[0];
  }

  function groupOf(block) {
    if (groups.has(block)) return groups.get(block);
    const { x, y } = scene.at(block);
    const group = svg("g", {
      class: "sl-block",
      transform: `translate(${x} ${y})`,
      role: "button",
      tabindex: -1,
      "data-block": block,
      click: () => select(block),
      focus: () => choose(block),
      keydown(event) {
        const wanted = ["Enter", " "].includes(event.key) ? block : undefined;
        const next =
          wanted ?? (event.key.startsWith("Arrow") ? neighbour(block, event.key) : undefined);
        if (wanted === undefined && !event.key.startsWith("Arrow")) return;
        event.preventDefault();
        event.stopPropagation();
        if (wanted !== undefined) select(block);
        else groups.get(next)?.focus();
      },
    });
    groups.set(block, group);
    moving.append(group);
    return group;
  }

  /** One block is where Tab comes in: the one that was last in focus, else the end of the chain. */
  function choose(block) {
    for (const [each, group] of groups) setAttributes(group, { tabindex: each === block ? 0 : -1 });
  }

  function drawBlock(block, known) {
    const { film, size, at } = scene;
    const group = groupOf(block);
    const key = JSON.stringify(known);
    if (group.dataset.key === key) return;
    group.dataset.key = key;
    const here = at(block);
    const up = film.tables.blocks.parent[block];
    const parent = up >= 0 ? { x: at(up).x - here.x, y: at(up).y - here.y } : null;
    group.replaceChildren(...blockParts(film, block, known, { size, hatch, parent }));
    const says = sayBlock(film, block, known);
    group.append(svg("title", {}, says));
    setAttributes(group, {
      class: classOf(known),
      "aria-label": says,
      "aria-pressed": known.selected,
    });
  }

  /** Give the picture the height of the lanes in sight, and scroll to the newest block. */
  function fit(blocks) {
    const { width, height, size, at, newest } = scene;
    const latest = Math.max(...blocks);
    if (latest === newest) return;
    scene.newest = latest;
    const lowest = Math.max(...blocks.map((block) => at(block).y)) + size.height / 2 + 8;
    const tall = Math.max(height, Math.ceil(lowest));
    setAttributes(picture, { viewBox: `0 0 ${width} ${tall}`, width, height: tall });
    stage.scrollTop = Math.max(at(latest).y + size.height / 2 + 8 - height, 0);
  }

  function draw(state) {
    const { film, viewer, time, playing } = state;
    if (film !== (scene?.film ?? null)) return void arrange();
    if (!scene) return;
    const node = placeOf(film, viewer);
    const seen = knowledgeOf(film, scene.tree, node, state);
    for (const [block, group] of groups) {
      if (seen.known.has(block)) continue;
      group.remove();
      groups.delete(block);
    }
    for (const [block, known] of seen.known) drawBlock(block, known);
    if (![...groups.values()].some((group) => group.getAttribute("tabindex") === "0"))
      choose(groups.has(seen.tip) ? seen.tip : [...groups.keys()].at(-1));
    fit([...seen.known.keys()]);
    moving.style.transform = `translate(${-seen.lowest * scene.column}px, 0)`;
    const three = sayThree(film, viewer, seen);
    if (three !== shown) caption.textContent = shown = three;
    if (!playing) setAttributes(picture, { "aria-label": sayTree(film, viewer, time, seen) });
  }

  const sizes = new ResizeObserver(arrange);
  sizes.observe(stage);
  const offs = [
    store.on(["film", "time", "viewer", "selection", "playing"], draw),
    store.on(["projector"], arrange),
  ];
  return {
    element,
    toSVG: () => pictureOf(picture),
    destroy() {
      sizes.disconnect();
      for (const off of offs) off();
      element.remove();
    },
  };
}
