// What the viewer knows of the blocks in sight, at an instant.

import { blockState, decidingThree, stateOf, votesSeen } from "./film.js";
import { ancestorsOf } from "./lanes.js";
import { counted, inSeconds, placeOf } from "./words.js";

/** A viewer may have blocks so far above the chain that it has notarized. */
const FURTHEST = 12;

/** The highest block that the viewer has, notarized or not. */
function topOf(film, tree, node, tip, time) {
  const height = film.tables.blocks.height[tip];
  for (let level = height + FURTHEST; level > height; level -= 1) {
    const blocks = tree.byHeight[level] ?? [];
    if (blocks.some((block) => blockState(film, block, node, time) !== "unknown")) return level;
  }
  return height;
}

/** Mark the blocks that share their epoch with another: its leader proposed both. */
function markTwins(film, known) {
  const byEpoch = new Map();
  for (const [block, what] of known) {
    const epoch = film.tables.blocks.epoch[block];
    byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), what]);
  }
  for (const same of byEpoch.values()) for (const what of same) what.twin = same.length > 1;
}

/** Say of forks that lie on one another which are covered, and how many the uppermost covers. */
export function markStacks({ tables: { blocks } }, tree, known) {
  const forks = new Map();
  for (const block of known.keys()) {
    const height = blocks.height[block];
    if (tree.lane[block] > 0) forks.set(height, [...(forks.get(height) ?? []), block]);
  }
  for (const stack of forks.values()) {
    const [top, ...covered] = stack.sort((one, other) => tree.lane[other] - tree.lane[one]);
    known.get(top).covers = covered.length;
    for (const block of covered) known.get(block).covered = true;
  }
}

/**
 * Say what the viewer knows of the blocks of the highest heights, so many of them.
 *
 * @returns {{known: Map<number, object>, lowest: number, tip: number, finalized: number,
 *   lit: number[]}} known by block; `lit` are those in a row that made the last one final
 */
export function knowledgeAt(film, tree, heights, { viewer, time, selection }) {
  const { height, parent } = film.tables.blocks;
  const node = placeOf(film, viewer);
  const { tip, finalized } = stateOf(film, node, time);
  const lit = (finalized > 0 && decidingThree(film, finalized, node)) || [];
  const trunk = new Set(ancestorsOf(film, tip, heights));
  const known = new Map();
  const describe = (block, state) => {
    // What extends the longest chain is no fork, though it is not notarized yet.
    if (height[block] > height[tip] && trunk.has(parent[block])) trunk.add(block);
    const counts = block > 0 && film.header.has_trace;
    return {
      state,
      votes: counts ? votesSeen(film, block, node, time).length : null,
      off: !trunk.has(block),
      twin: false,
      conflict: tree.conflictSince[block] <= time,
      lit: lit.includes(block),
      selected: selection?.kind === "block" && selection.id === block,
    };
  };
  const top = topOf(film, tree, node, tip, time);
  const lowest = Math.max(top - heights + 1, 0);
  for (const block of tree.byHeight.slice(lowest, top + 1).flat()) {
    const state = blockState(film, block, node, time);
    if (state !== "unknown") known.set(block, describe(block, state));
  }
  markTwins(film, known);
  return { known, lowest, tip, finalized, lit };
}

/** Say the whole tree in one sentence. */
export function sayTree(film, { viewer, time }, { known, tip, finalized }) {
  const { height } = film.tables.blocks;
  const forks = [...known.values()].filter(({ off }) => off).length;
  const parts = [
    `longest chain ends at height ${height[tip]}`,
    `final up to height ${height[finalized]}`,
    ...(forks ? [`${counted(forks, "block")} on forks`] : []),
  ];
  return `Block tree as ${viewer} knows it at ${inSeconds(time)}: ${parts.join(", ")}.`;
}

/** Say what made the last block final. */
export function sayThree(film, { viewer }, { finalized, lit }) {
  if (!lit.length) return "Nothing is final yet.";
  const { epoch } = film.tables.blocks;
  const row = lit.map((block) => epoch[block]).join(", ");
  const final = `the block of epoch ${epoch[finalized]} and all below it are final for ${viewer}`;
  return `Notarized in a row: epochs ${row}. So ${final}.`;
}
