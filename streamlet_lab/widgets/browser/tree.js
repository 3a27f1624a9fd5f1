// The block tree as the viewer knows it: heights from left to right, forks in lanes below.

import { blockParts, classOf, pathOfVotes, sayBlock } from "./blocks.js";
import { dom, setAttributes, setText, svg } from "./dom.js";
import { knowledgeAt, markStacks, sayThree, sayTree } from "./knowledge.js";
import { drawLabel, labelsOf } from "./labels.js";
import { layOutTree, spreadLanes } from "./lanes.js";
import { legendOf } from "./legend.js";
import { followLook } from "./look.js";

/** So many heights are in sight, or fewer where columns would be narrower than a block. */
const MOST_HEIGHTS = 12;
const LEAST_HEIGHTS = 4;
const LEAST_COLUMN = 50;
const TREE_MARGIN = 8;
/** The room for a label, in the usual text size. */
const LABEL_ROOM = 26;

const SIGN_BOX = { x: 3, y: 1, width: 14, height: 10, rx: 2 };
const blockSign = (...more) => [svg("rect", { class: "sl-body", ...SIGN_BOX }), ...more];
const hatchSign = (kind) =>
  svg("path", { class: `sl-hatch-${kind}`, d: "M3,6 L8,1 M4,11 L14,1 M10,11 L17,4" });
const votesSign = () => [
  svg("path", { class: "sl-tick sl-tick-seen", d: "M0,3 h4 v6 h-4 z M5,3 h4 v6 h-4 z" }),
  svg("path", { class: "sl-tick", d: "M10,3 h4 v6 h-4 z M15,3 h4 v6 h-4 z" }),
  svg("path", { class: "sl-quorum", d: "M14.5,1 V11" }),
];
const TREE_LEGEND = [
  ["proposed", "sl-proposed", blockSign],
  ["notarized", "sl-notarized", blockSign],
  ["final", "sl-finalized", blockSign],
  ["in a row: make it final", "sl-lit", () => [svg("rect", { class: "sl-halo", ...SIGN_BOX })]],
  ["fork", "sl-off", () => blockSign(hatchSign("fork"))],
  ["conflict", "sl-conflict", () => blockSign(hatchSign("conflict"))],
  ["votes, line: quorum", "", votesSign],
];

/** The patterns of forks and of conflicts, which are filled. */
function hatchingOf(id) {
  const patterns = ["fork", "conflict"].map((kind) => {
    const tile = { id: `${id}-${kind}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" };
    return svg("pattern", tile, svg("path", { class: `sl-hatch-${kind}`, d: "M0,6 L6,0" }));
  });
  return svg("defs", {}, ...patterns);
}

/** The height of the usual text, in pixels; where the page's is larger, blocks are too. */
const USUAL_LETTER = 13;
/** What a block needs of its column, at least, for its text. */
const LEAST_BLOCK = 48;
/** On a wide screen and a projector everything is larger. */
const scaleOf = (column, grown) =>
  Math.max(Math.min(Math.max(column / 100, grown), column / LEAST_BLOCK, 2.6), 1);

/** The panel. Each block is a group that is made once and filled anew when it is another. */
class TreePanel {
  constructor(store) {
    this.store = store;
    this.scene = null;
    this.groups = new Map();
    this.drawn = new Map();
    // A pattern goes by an id of the whole page, where other views may be of other modules.
    this.hatch = `sl-hatch-${Math.random().toString(36).slice(2)}`;
    this.blocks = svg("g", { class: "sl-blocks" });
    this.labels = svg("g", {});
    this.moving = svg("g", {}, this.blocks, this.labels);
    const named = { class: "sl-tree-svg", role: "group", "aria-label": "block tree" };
    this.picture = svg("svg", named, hatchingOf(this.hatch), this.moving);
    this.scrolled = dom("div", { class: "sl-scrolled" }, this.picture);
    this.stage = dom("div", { class: "sl-stage" }, this.scrolled);
    this.caption = dom("p", { class: "sl-note" });
    this.element = dom(
      "section",
      { class: "sl-panel sl-tree", "aria-label": "block tree" },
      this.stage,
      this.caption,
      legendOf("block tree", TREE_LEGEND),
    );
    this.followed = followLook(store, this.stage, null, () => this.arrange());
    this.offs = [
      store.on(["film", "time", "viewer", "selection", "playing"], (state) => this.draw(state)),
    ];
  }

  /** Lay everything out anew: another film or size. */
  arrange() {
    const { film } = this.store.get();
    const { width, height, letter } = this.followed.look;
    const grown = letter / USUAL_LETTER;
    this.scene = null;
    this.blocks.replaceChildren();
    this.labels.replaceChildren();
    this.groups.clear();
    this.drawn.clear();
    if (!film || !width || !height) return;
    const tree = layOutTree(film);
    const fitting = Math.max(Math.floor(width / (LEAST_COLUMN * grown)), LEAST_HEIGHTS);
    const heights = Math.min(fitting, MOST_HEIGHTS);
    const column = width / (heights + 0.2);
    // A block is drawn at the size of the usual text, and scaled.
    const scale = scaleOf(column, grown);
    const label = LABEL_ROOM * scale;
    const isConflicting = tree.conflictSince.some((time) => time < Infinity);
    const room = height - label - (isConflicting ? label : TREE_MARGIN);
    const lanes = spreadLanes(tree.lanes, room, scale);
    const top = label + Math.max((room - lanes.total) / 2, 0);
    const sizeOf = (block) => ({
      width: (column * 0.76) / scale,
      height: lanes.heightOf(tree.lane[block]) / scale,
    });
    const at = (block) => ({
      x: column * (film.tables.blocks.height[block] + 0.6),
      y: top + lanes.middleOf(tree.lane[block]),
    });
    const below = isConflicting ? LABEL_ROOM : TREE_MARGIN;
    const { isStacked } = lanes;
    this.scene = { film, tree, heights, sizeOf, scale, column, at, width, height, below, isStacked };
    this.newest = this.lowest = -1;
    this.labelled = "";
    this.draw(this.store.get());
  }

  draw(state) {
    const { film, playing } = state;
    // Of what a hand moves through nothing lags behind.
    this.moving.classList.toggle("sl-live", playing);
    if (film !== (this.scene?.film ?? null)) return void this.arrange();
    if (!this.scene) return;
    const { tree, heights, column, isStacked } = this.scene;
    const seen = knowledgeAt(film, tree, heights, state);
    if (isStacked) markStacks(film, tree, seen.known);
    const gone = [...this.groups.keys()].filter((block) => !seen.known.has(block));
    for (const block of gone) this.forget(block);
    for (const [block, known] of seen.known) this.drawBlock(block, known);
    if (!this.blocks.querySelector("[tabindex='0']")) this.enter(seen.tip);
    const labels = labelsOf(film, seen, this.scene);
    const labelled = JSON.stringify(labels);
    if (labelled !== this.labelled) {
      this.labelled = labelled;
      this.labels.replaceChildren(...labels.map((label) => drawLabel(label, this.scene)));
    }
    this.fit([...seen.known.keys()]);
    if (seen.lowest !== this.lowest) {
      this.lowest = seen.lowest;
      this.moving.style.transform = `translate(${-seen.lowest * column}px, 0)`;
    }
    const caption = sayThree(film, state, seen);
    setText(this.caption, caption);
    if (!playing) {
      setAttributes(this.picture, { "aria-label": `${sayTree(film, state, seen)} ${caption}` });
    }
  }

  /** Draw a block that is another than before; where votes alone came, these. */
  drawBlock(block, known) {
    const { film, sizeOf, at, scale } = this.scene;
    const group = this.groups.get(block) ?? this.addGroup(block);
    const { votes } = known;
    const key = JSON.stringify({ ...known, votes: 0 });
    const before = this.drawn.get(block);
    const isSame = before?.key === key;
    if (isSame && before.votes === votes) return;
    this.drawn.set(block, { key, votes });
    const says = sayBlock(film, block, known);
    setAttributes(group, { "aria-label": says });
    if (isSame) {
      setText(group.firstChild, says);
      const ticks = group.querySelector(".sl-tick-seen"); // none where forks lie on one another
      if (ticks) setAttributes(ticks, { d: pathOfVotes(film, votes, sizeOf(block)) });
      return;
    }
    const here = at(block);
    const up = film.tables.blocks.parent[block];
    const parent =
      up < 0 ? null : { x: (at(up).x - here.x) / scale, y: (at(up).y - here.y) / scale };
    const drawing = { size: sizeOf(block), hatch: this.hatch, parent };
    group.replaceChildren(svg("title", {}, says), ...blockParts(film, block, known, drawing));
    setAttributes(group, { class: classOf(known), "aria-pressed": known.selected });
  }

  addGroup(block) {
    const { x, y } = this.scene.at(block);
    const { scale } = this.scene;
    const group = svg("g", {
      transform: `translate(${x} ${y}) scale(${scale})`,
      role: "button",
      tabindex: -1,
      "data-block": block,
      click: () => this.select(block),
      focus: () => this.enter(block),
      keydown: (event) => this.press(event, block),
    });
    this.groups.set(block, group);
    this.blocks.append(group);
    return group;
  }

  forget(block) {
    this.groups.get(block).remove();
    this.groups.delete(block);
    this.drawn.delete(block);
  }

  select(block) {
    this.store.set({ selection: { kind: "block", id: block } });
  }

  /** Tab comes in at one block: that which was last in focus, else the end of the chain. */
  enter(block) {
    for (const [each, group] of this.groups) {
      setAttributes(group, { tabindex: each === block ? 0 : -1 });
    }
  }

  press(event, block) {
    const isArrow = event.key.startsWith("Arrow");
    if (!isArrow && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (isArrow) this.groups.get(this.neighbour(block, event.key))?.focus();
    else this.select(block);
  }

  /** The block that an arrow leads to: parent, child, or one of the same height. */
  neighbour(block, key) {
    const { height, parent } = this.scene.film.tables.blocks;
    const { lane } = this.scene.tree;
    const all = [...this.groups.keys()];
    if (key === "ArrowLeft") return parent[block];
    if (key === "ArrowRight") return all.find((each) => parent[each] === block);
    const step = key === "ArrowDown" ? 1 : -1;
    const distance = (each) => step * (lane[each] - lane[block]);
    const beside = all.filter((each) => height[each] === height[block] && distance(each) > 0);
    return beside.sort((one, other) => distance(one) - distance(other))[0];
  }

  /** Give the picture the height of the lanes in sight, and scroll to the newest block. */
  fit(blocks) {
    const { width, height, sizeOf, scale, at, below } = this.scene;
    const latest = Math.max(...blocks);
    if (latest === this.newest) return;
    this.newest = latest;
    const end = (block) => at(block).y + (sizeOf(block).height / 2 + below) * scale;
    const tall = Math.max(height, Math.ceil(Math.max(...blocks.map(end))));
    const wasTall = this.picture.getAttribute("height") > height;
    setAttributes(this.picture, { viewBox: `0 0 ${width} ${tall}`, width, height: tall });
    // To scroll is to lay the page out: only where there is something to scroll.
    if (tall > height || wasTall) this.scrolled.scrollTop = Math.max(end(latest) - height, 0);
  }

  destroy() {
    this.followed.end();
    for (const off of this.offs) off();
    this.element.remove();
  }
}

/**
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void}}
 */
export const treePanel = (store) => new TreePanel(store);
