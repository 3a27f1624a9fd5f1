// What is written into the block tree: which three made the last block final, and what conflicts.

import { svg } from "./dom.js";

/** In the usual text size: between blocks and label, the arms of a bracket, half of a line. */
const LABEL_GAP = 7;
const ARM = 5;
const HALF_LINE = 10;
/** About how wide a letter is. A label is moved so far that it stays in sight. */
const LETTER_WIDTH = 6.2;

/** A bracket over blocks, or under them, with words at its middle. */
export function drawLabel({ kind, words, blocks, isAbove, lowest }, scene) {
  const { at, sizeOf, scale, column, width } = scene;
  const side = isAbove ? -1 : 1;
  const places = blocks.map(at);
  const size = sizeOf(blocks[0]);
  const half = (size.width / 2) * scale;
  const left = Math.min(...places.map(({ x }) => x)) - half;
  const right = Math.max(...places.map(({ x }) => x)) + half;
  const y = Math.max(...places.map((place) => side * place.y)) * side;
  const edge = y + side * (size.height / 2 + LABEL_GAP) * scale;
  const room = (words.length * LETTER_WIDTH * scale) / 2;
  const shown = [column * lowest + room, column * lowest + width - room];
  const middle = Math.max(Math.min((left + right) / 2, shown[1]), shown[0]);
  const arm = edge + side * ARM * scale;
  return svg(
    "g",
    { class: `sl-label sl-label-${kind}`, "aria-hidden": "true" },
    svg("path", { d: `M${left},${edge} V${arm} H${right} V${edge}`, "stroke-width": 2 * scale }),
    svg(
      "text",
      {
        x: middle,
        y: arm + side * HALF_LINE * scale,
        "font-size": 11 * scale,
        "dominant-baseline": "central",
      },
      words,
    ),
  );
}

/** The labels of what the viewer knows, see knowledge.js; `scene` is that of the tree. */
export function labelsOf(film, { known, lit, finalized, lowest }, scene) {
  const { epoch, height } = film.tables.blocks;
  const seen = lit.filter((block) => known.has(block));
  // On the chain in the first lane there is room above, on another one below.
  const isAbove = seen.every((block) => scene.tree.lane[block] === 0);
  const conflicting = [...known.keys()].filter((block) => known.get(block).conflict);
  const lowestPair = Math.min(...conflicting.map((block) => height[block]));
  const pair = conflicting.filter((block) => height[block] === lowestPair);
  const labels = [
    { kind: "lit", words: `in a row: ${epoch[finalized]} is final`, blocks: seen, isAbove },
    {
      ...{ kind: "conflict", words: `conflict: two are final at height ${lowestPair}` },
      ...{ blocks: pair, isAbove: !isAbove },
    },
  ];
  return labels.map((label) => ({ ...label, lowest })).filter(({ blocks }) => blocks.length);
}
