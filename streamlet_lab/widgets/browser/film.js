/**
 * A recorded run, and pure questions about it: who knows what at an instant.
 *
 * A node is its place in `film.names`, a block its row in `film.tables.blocks`, where 0 is genesis;
 * -1 is none. Times are seconds of protocol time. What happens at an instant is known at it.
 *
 * @typedef {object} Film
 * @property {object} header         what was run and its numbers; see film.py
 * @property {string[]} names        the voters, and the observer last
 * @property {number} observer       the observer's place among them
 * @property {Object<string, Object>} tables
 *     By name: `rows`, each column as a typed array under its name, and under `texts` the texts that
 *     the values of a column are places in. Those of the market are missing without one.
 * @property {Map<string, any>} kept  what earlier questions worked out
 */

const FILM_VERSION = 1;

const COLUMN_TYPES = { f64: Float64Array, i32: Int32Array, u16: Uint16Array, u8: Uint8Array };

/**
 * Read a film as the kernel, or a saved page, has it.
 * @returns {Film}
 */
export function readFilm(header, buffers) {
  if (header.version !== FILM_VERSION) {
    throw new Error(`This film is of version ${header.version}; this page plays ${FILM_VERSION}.`);
  }
  const tables = {};
  for (const [name, { rows, columns }] of Object.entries(header.tables)) {
    const table = { rows, texts: {} };
    for (const [column, { type, buffer, texts }] of Object.entries(columns)) {
      table[column] = readColumn(COLUMN_TYPES[type], buffers[buffer], rows);
      if (texts) table.texts[column] = texts;
    }
    tables[name] = table;
  }
  const observer = header.names.length - 1;
  return { header, names: header.names, observer, tables, kept: new Map() };
}

/** Return a column; of a view a copy, as its bytes need not begin where numbers may. */
function readColumn(Type, buffer, rows) {
  const { byteOffset: start, byteLength: length } = buffer;
  const isView = ArrayBuffer.isView(buffer);
  return new Type(isView ? buffer.buffer.slice(start, start + length) : buffer, 0, rows);
}

/** The text of a cell, such as `textOf(film.tables.orders, "status", 3)`. */
export function textOf(table, column, row) {
  return table.texts[column][table[column][row]];
}

/** How many values of a sorted column are at most `value`: the first row after it. */
export function countUpTo(sorted, value, low = 0, high = sorted.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Answer from what was kept, or work it out and keep it. */
function keptOr(film, key, work) {
  if (!film.kept.has(key)) film.kept.set(key, work());
  return film.kept.get(key);
}

/** The epoch of an instant; the last one goes on to the end. */
export function epochAt(film, t) {
  const { epochs, epoch_s: length } = film.header;
  // A start such as 0.3 s is no exact multiple of its length: half a microsecond is nothing.
  return Math.max(0, Math.min(epochs - 1, Math.floor((t + 5e-7) / length)));
}

/**
 * What a node knows, and how it is, at an instant.
 * @returns {{epoch: number, tip: number, finalized: number, reference: number, down: boolean,
 *     fault: string|null}} `tip` ends its longest notarized chain, the first of several;
 *     `reference` is the price of the newest priced block that is final to it, or NaN
 */
export function stateOf(film, node, t) {
  const { tips, finals } = historyOf(film, node);
  const final = finals.at(t);
  const faults = film.header.faults.filter(
    (one) => one.name === film.names[node] && isDuring(one, t),
  );
  return {
    epoch: epochAt(film, t),
    tip: tips.at(t),
    finalized: final.block,
    reference: final.reference,
    down: faults.some((one) => one.down),
    fault: faults.length ? faults[0].kind : null,
  };
}

/** Whether what has a start and maybe a stop is there at an instant. */
export function isDuring({ start_s: start, stop_s: stop }, t) {
  return start <= t && (stop === null || t < stop);
}

/** What becomes of something over time: each value holds from its instant on. */
class Steps {
  constructor(first) {
    this.times = [-Infinity];
    this.values = [first];
  }

  get last() {
    return this.values[this.values.length - 1];
  }

  add(time, value) {
    this.times.push(time);
    this.values.push(value);
  }

  at(t) {
    return this.values[countUpTo(this.times, t) - 1];
  }
}

/** When each block became notarized and final to a node, and its tips and final blocks since then. */
function historyOf(film, node) {
  return keptOr(film, "histories", () => {
    const { blocks, known } = film.tables;
    const fresh = () => new Float64Array(blocks.rows).fill(NaN).fill(0, 0, 1);
    const one = () => ({ notarized: fresh(), finalized: fresh(), tips: new Steps(0), final: [] });
    const all = film.names.map(one);
    for (let row = 0; row < known.rows; row += 1) {
      const { notarized, finalized, tips, final } = all[known.node[row]];
      const block = known.block[row];
      notarized[block] = known.notarized_s[row];
      finalized[block] = known.finalized_s[row];
      if (finalized[block] >= 0) final.push(block);
      if (blocks.height[block] > blocks.height[tips.last]) tips.add(notarized[block], block);
    }
    for (const each of all) each.finals = finalsOf(blocks, each);
    return all;
  })[node];
}

/** The newest final block over time, and the price of the newest priced one. */
function finalsOf(blocks, { final, finalized }) {
  final.sort((a, b) => finalized[a] - finalized[b] || blocks.height[a] - blocks.height[b]);
  const finals = new Steps({ block: 0, reference: blocks.price[0] });
  for (const block of final) {
    const price = blocks.price[block];
    const reference = Number.isNaN(price) ? finals.last.reference : price;
    finals.add(finalized[block], { block, reference });
  }
  return finals;
}

/**
 * When a node had each block: its own from when it proposed it. Where arrivals were not recorded,
 * everyone has a block from when it was proposed.
 */
function arrivedAt(film, node) {
  return keptOr(film, `arrived ${node}`, () => {
    const { blocks, arrivals } = film.tables;
    const times = new Float64Array(blocks.rows).fill(Infinity);
    blocks.proposer.forEach((proposer, block) => {
      const isThere = proposer === node || block === 0 || !film.header.has_trace;
      if (isThere) times[block] = blocks.proposed_s[block];
    });
    arrivals.block.forEach((block, row) => {
      if (arrivals.receiver[row] === node && arrivals.kind[row] === 0 && block >= 0) {
        times[block] = Math.min(times[block], arrivals.received_s[row]);
      }
    });
    return times;
  });
}

/** What a block is to a node: "unknown", "proposed", "notarized" or "finalized". */
export function blockState(film, block, node, t) {
  const { notarized, finalized } = historyOf(film, node);
  if (finalized[block] <= t) return "finalized";
  if (notarized[block] <= t) return "notarized";
  return arrivedAt(film, node)[block] <= t ? "proposed" : "unknown";
}

/**
 * When each vote came to its receiver, by block and receiver: rows of a block's votes at a receiver
 * are `rows[starts[key]]` up to `rows[starts[key + 1]]`, with the key block × names + receiver.
 */
function ballots(film) {
  return keptOr(film, "ballots", () => {
    const { blocks, arrivals, votes } = film.tables;
    const width = film.names.length;
    const keys = new Int32Array(arrivals.rows).fill(-1);
    const starts = new Int32Array(blocks.rows * width + 1);
    for (let row = 0; row < arrivals.rows; row += 1) {
      if (arrivals.kind[row] === 0 || arrivals.block[row] < 0) continue;
      keys[row] = arrivals.block[row] * width + arrivals.receiver[row];
      starts[keys[row] + 1] += 1;
    }
    for (let key = 1; key < starts.length; key += 1) starts[key] += starts[key - 1];
    const next = starts.slice();
    const rows = new Int32Array(starts[starts.length - 1]);
    for (let row = 0; row < keys.length; row += 1) {
      if (keys[row] >= 0) rows[next[keys[row]]++] = row;
    }
    const own = new Map();
    votes.voter.forEach((voter, row) => own.set(votes.block[row] * width + voter, votes.sent_s[row]));
    return { starts, rows, own };
  });
}

/**
 * The votes for a block that a node has at an instant, in the order in which they came; its own is
 * there when it sends it. None where arrivals were not recorded.
 * @returns {{voter: number, time: number}[]}
 */
export function votesSeen(film, block, node, t) {
  const { arrivals } = film.tables;
  const { starts, rows, own } = ballots(film);
  const key = block * film.names.length + node;
  const seen = [];
  if (own.get(key) <= t) seen.push({ voter: node, time: own.get(key) });
  for (const row of rows.subarray(starts[key], starts[key + 1])) {
    if (arrivals.received_s[row] > t) break;
    seen.push({ voter: arrivals.author[row], time: arrivals.received_s[row] });
  }
  seen.sort((a, b) => a.time - b.time);
  // Accomplices send it their votes back, and a liar sends two for one block.
  return seen.filter(({ voter }, place) => seen.findIndex((it) => it.voter === voter) === place);
}

/**
 * The rows of `arrivals` that are on their way at an instant, in the order in which they arrive.
 * @returns {number[]}
 */
export function inFlight(film, t) {
  const { sent_s: sent, received_s: received } = film.tables.arrivals;
  // The earliest sending of what arrives from a row on: beyond an instant, all the rest is too.
  const earliest = keptOr(film, "earliest", () => {
    const times = sent.slice();
    for (let row = times.length - 2; row >= 0; row -= 1) {
      times[row] = Math.min(times[row], times[row + 1]);
    }
    return times;
  });
  const rows = [];
  for (let row = countUpTo(received, t); row < sent.length && earliest[row] <= t; row += 1) {
    if (sent[row] <= t) rows.push(row);
  }
  return rows;
}

/**
 * The blocks of consecutive epochs that made a block final to a node, from the lowest up: three, in
 * the synchronous model six.
 * @returns {number[]|null} null if it is not final to that node
 */
export function decidingThree(film, block, node = film.observer) {
  const head = headsOf(film, node)[block];
  return head < 0 ? null : rowBelow(film, head);
}

/** The blocks of consecutive epochs that end with a block; null if they are too few. */
function rowBelow(film, head) {
  const { blocks } = film.tables;
  const row = [head];
  while (row.length < film.header.finality.consecutive) {
    const parent = blocks.parent[row[0]];
    if (parent < 0 || blocks.epoch[parent] + 1 !== blocks.epoch[row[0]]) return null;
    row.unshift(parent);
  }
  return row;
}

/** Of each block the last of those in a row that made it final to a node; -1 if it is not. */
function headsOf(film, node) {
  return keptOr(film, `heads ${node}`, () => {
    const { blocks, known } = film.tables;
    const { finalized } = historyOf(film, node);
    const { consecutive, chopped } = film.header.finality;
    const heads = new Int32Array(blocks.rows).fill(-1);
    // In the order in which the node saw them notarized.
    for (let row = 0; row < known.rows; row += 1) {
      const head = known.block[row];
      const inRow = known.node[row] === node && head >= 0 ? rowBelow(film, head) : null;
      let block = inRow ? inRow[consecutive - 1 - chopped] : 0;
      for (; block > 0 && heads[block] < 0; block = blocks.parent[block]) {
        if (finalized[block] === known.notarized_s[row]) heads[block] = head;
      }
    }
    return heads;
  });
}

/** The first violation whose instant is known, or null. */
export function firstViolation(film) {
  const timed = film.header.violations.filter((one) => one.time_s !== null);
  return timed.sort((a, b) => a.time_s - b.time_s)[0] ?? null;
}
