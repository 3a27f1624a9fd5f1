// Drawing one block of the tree: its state, its votes, the way to its parent.

import { svg } from "./dom.js";
import { textOf } from "./film.js";
import { counted, inDollars, nameBlock, spaced } from "./words.js";

/** With more voters than this the votes are a bar, not ticks. */
const MOST_TICKS = 24;
/** A block that is lower has one line: its name, and the votes beside it. */
const TWO_LINES = 20;
const NAME_SHARE = 0.56;
const isLine = ({ height }) => height < TWO_LINES;

/** Where the ticks of the voters are in a block, and how wide and how far apart. */
function ticksIn({ header: { nodes } }, size) {
  const { width, height } = size;
  const right = width / 2 - 4;
  const left = isLine(size) ? width * (NAME_SHARE - 0.5) : -right;
  const y = isLine(size) ? -2.5 : height / 2 - 9;
  const step = (right - left) / nodes.length;
  const gap = nodes.length > MOST_TICKS ? 0 : Math.min(step * 0.25, 2);
  return { left, y, step, gap };
}

/** The ticks of so many votes, as one path. */
export function pathOfVotes(film, count, size) {
  const { left, y, step, gap } = ticksIn(film, size);
  const ticks = Array.from({ length: count }, (_, index) => left + step * index);
  return ticks.map((x) => `M${x},${y}h${step - gap}v5h${gap - step}z`).join("");
}

/** One tick for each voter, filled where its vote is seen; a line at the quorum. */
function votesOf(film, { votes }, size) {
  const { nodes, quorum } = film.header;
  const { left, y, step } = ticksIn(film, size);
  const x = left + step * quorum;
  return [
    svg("path", { class: "sl-tick", d: pathOfVotes(film, nodes.length, size) }),
    svg("path", { class: "sl-tick sl-tick-seen", d: pathOfVotes(film, votes, size) }),
    svg("line", { class: "sl-quorum", x1: x, x2: x, y1: y - 2, y2: y + 7 }),
  ];
}

/** How the edge to the parent runs, between the sides of the two blocks. */
function edgeTo({ x, y }, size) {
  const [start, stop] = [-size.width / 2, x + size.width / 2];
  const middle = (start + stop) / 2;
  return svg("path", {
    class: "sl-edge",
    d: `M${start},0 C${middle},0 ${middle},${y} ${stop},${y}`,
  });
}

function textsOf(film, block, size, known) {
  const { epoch, price: prices } = film.tables.blocks;
  const sign = known.state === "finalized" ? "✓ " : "";
  const name = size.width < 56 && sign ? `${sign}${epoch[block]}` : `${sign}e ${epoch[block]}`;
  const line = (words, y, kind, x = 0) => svg("text", { class: `sl-block-${kind}`, x, y }, words);
  if (known.covers) return [line(`${epoch[block]} +${known.covers}`, 2.5, "line")];
  if (isLine(size)) return [line(epoch[block], 2.5, "line", (size.width * (NAME_SHARE - 1)) / 2 + 1)];
  if (block === 0) return [line("genesis", 4, "root")];
  const worth = size.width >= 46 && size.height >= 38 && Number.isFinite(prices[block]);
  if (!worth) return [line(name, -size.height / 2 + (size.height - 12) / 2 + 5, "name")];
  return [
    line(name, -size.height / 2 + 15, "name"),
    line(prices[block].toFixed(2), -size.height / 2 + 28, "price"),
  ];
}

/** The classes by which the style sheet draws a block. */
export function classOf(known) {
  const flags = ["off", "twin", "conflict", "lit", "selected"].filter((flag) => known[flag]);
  return ["sl-block", `sl-${known.state}`, ...flags.map((flag) => `sl-${flag}`)].join(" ");
}

/**
 * Make what a block shows, around its middle.
 *
 * @param {object} film
 * @param {number} block
 * @param {object} known what the viewer knows: state, votes, off, twin, conflict, lit, selected
 * @param {object} drawing size of a block; hatch, how the ids of patterns begin; parent, where
 *   it is from here
 */
export function blockParts(film, block, known, { size, hatch, parent }) {
  const box = {
    x: -size.width / 2,
    y: -size.height / 2,
    width: size.width,
    height: size.height,
    rx: 6,
  };
  const pattern = known.conflict ? "conflict" : "fork";
  const hatched = known.off || known.twin || known.conflict;
  const grown = (by) => ({
    x: box.x - by,
    y: box.y - by,
    width: box.width + 2 * by,
    height: box.height + 2 * by,
    rx: 6 + by,
  });
  // Of forks that lie on one another there is room for one line.
  const isInStack = known.covered || known.covers > 0;
  return [
    parent && edgeTo(parent, size),
    known.lit && svg("rect", { class: "sl-halo", ...grown(4) }),
    known.selected && svg("rect", { class: "sl-chosen", ...grown(7) }),
    svg("rect", { class: "sl-body", ...box }),
    hatched && svg("rect", { class: "sl-hatched", ...box, fill: `url(#${hatch}-${pattern})` }),
    ...(known.covered ? [] : textsOf(film, block, size, known)),
    ...(known.votes === null || isInStack ? [] : votesOf(film, known, size)),
  ].filter(Boolean);
}

const BLOCK_STATES = { proposed: "proposed", notarized: "notarized", finalized: "final" };

/** Say what is known of a block. */
export function sayBlock(film, block, known) {
  if (block === 0) return "genesis";
  const { height, price: prices } = film.tables.blocks;
  const claim = textOf(film.tables.blocks, "claim", block);
  const parts = [`${nameBlock(film, block)}, height ${height[block]}`, BLOCK_STATES[known.state]];
  if (known.votes !== null)
    parts.push(`${counted(known.votes, "vote")} of ${film.header.quorum} needed`);
  if (Number.isFinite(prices[block])) parts.push(inDollars(prices[block]));
  else if (claim) parts.push(spaced(claim));
  if (known.off) parts.push("on a fork");
  if (known.twin) parts.push("one of two blocks of this epoch");
  if (known.conflict) parts.push("conflicts with a final block of the same height");
  if (known.covers) parts.push(`on top of ${counted(known.covers, "more fork")}`);
  if (known.lit) parts.push("one of those in a row that make a block final");
  return parts.join(", ");
}
