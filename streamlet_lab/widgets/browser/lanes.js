// In which lane of the block tree a block is drawn: the same one at every instant.

/** The blocks from one down to genesis, or so many of them. */
export function ancestorsOf(film, block, most = Infinity) {
  const { parent } = film.tables.blocks;
  const chain = [];
  for (let each = block; each >= 0 && chain.length < most; each = parent[each]) chain.push(each);
  return chain;
}

/** When a block was first final for any node; infinite if it never was. */
function firstFinal(film) {
  const { block, finalized_s } = film.tables.known;
  const first = new Float64Array(film.tables.blocks.rows).fill(Infinity);
  block.forEach((each, row) => {
    if (finalized_s[row] < first[each]) first[each] = finalized_s[row];
  });
  return first;
}

/** From when on a block is final for somebody while another one of its height is too. */
function conflictsOf(film) {
  const { height, rows } = film.tables.blocks;
  const first = firstFinal(film);
  const since = new Float64Array(rows).fill(Infinity);
  const byHeight = new Map();
  for (let block = 0; block < rows; block += 1) {
    if (first[block] === Infinity) continue;
    for (const other of byHeight.get(height[block]) ?? []) {
      const both = Math.max(first[block], first[other]);
      since[block] = Math.min(since[block], both);
      since[other] = Math.min(since[other], both);
    }
    byHeight.set(height[block], [...(byHeight.get(height[block]) ?? []), block]);
  }
  return since;
}

/**
 * The end of the chain that gets the first lane: the highest block that is final for anybody, the
 * highest notarized one above it, and what was proposed last on that.
 */
function mainTip(film) {
  const { height, parent } = film.tables.blocks;
  const { block, finalized_s } = film.tables.known;
  const final = block.reduce(
    (best, each, row) => (finalized_s[row] >= 0 && height[each] > height[best] ? each : best),
    0,
  );
  const notarized = [...new Set(block)].filter((each) => each >= 0);
  notarized.sort((one, other) => height[other] - height[one]);
  const tip = notarized.find((each) => ancestorsOf(film, each).includes(final)) ?? final;
  const child = parent.lastIndexOf(tip);
  return child < 0 ? tip : child;
}

/**
 * Lay out the tree: a lane for each block, so that none lies on another.
 *
 * @returns {{lane: Uint16Array, lanes: number, byHeight: number[][], conflictSince: Float64Array}}
 */
export function layOutTree(film) {
  const { height, parent, rows } = film.tables.blocks;
  const lane = new Uint16Array(rows);
  const taken = new Set();
  const place = (block, wanted) => {
    let free = wanted;
    while (taken.has(`${height[block]}/${free}`)) free += 1;
    taken.add(`${height[block]}/${free}`);
    lane[block] = free;
  };
  const main = new Set(ancestorsOf(film, mainTip(film)));
  for (const block of main) place(block, 0);
  const byHeight = [];
  for (let block = 0; block < rows; block += 1) (byHeight[height[block]] ??= []).push(block);
  for (const level of byHeight) {
    for (const block of level ?? [])
      if (!main.has(block)) place(block, Math.max(lane[parent[block]] ?? 0, 1));
  }
  const lanes = lane.reduce((most, each) => Math.max(most, each), 0) + 1;
  return { lane, lanes, byHeight, conflictSince: conflictsOf(film) };
}

/** Heights of lanes in the usual text size: of a block in full, and of a fork that is one line. */
const LEAST_LANE = 32;
const MOST_LANE = 80;
const LINE_LANE = 17;
/** Where there is no room for lines, forks lie on one another like cards, so far apart. */
const LEAST_CARD = 4;
const BLOCK_SHARE = 0.72;
const LINE_SHARE = 0.84;

/**
 * Spread lanes over the room: all alike, or the first one in full and compact forks below it.
 *
 * @returns {{middleOf: (lane: number) => number, heightOf: (lane: number) => number,
 *   total: number, isStacked: boolean}} where the middle of a block is, how high it is, how high
 *   all lanes are, and whether forks lie on one another
 */
export function spreadLanes(lanes, room, scale) {
  const even = Math.min(room / lanes, MOST_LANE * scale);
  if (even >= LEAST_LANE * scale) {
    const middleOf = (lane) => even * (lane + 0.5);
    return { middleOf, heightOf: () => even * BLOCK_SHARE, total: even * lanes, isStacked: false };
  }
  const first = LEAST_LANE * scale;
  const line = LINE_LANE * scale;
  const free = (room - first - line) / Math.max(lanes - 2, 1);
  const apart = Math.max(Math.min(free, line), LEAST_CARD * scale);
  return {
    middleOf: (lane) => (lane ? first + apart * (lane - 1) + line / 2 : first / 2),
    heightOf: (lane) => (lane ? line * LINE_SHARE : first * BLOCK_SHARE),
    total: first + line + apart * (lanes - 2),
    isStacked: apart < line * LINE_SHARE,
  };
}
