// What is known of a block, a node or an order: a title, facts as pairs of words, maybe a table.

import { blockState, decidingThree, textOf, votesSeen } from "./film.js";
import {
  counted,
  cutsAt,
  groupOf,
  inDollars,
  inPercent,
  inSeconds,
  nameBlock,
  nodesAt,
  placeOf,
  sayCut,
  sayPeriod,
  spaced,
} from "./words.js";

const STATE_WORDS = {
  unknown: "not known yet",
  proposed: "proposed",
  notarized: "notarized",
  finalized: "final",
};
const ORDER_SIDES = ["buy", "sell"];

/** An instant that has come, else other words. */
const since = (t, now, otherwise) => (t <= now ? inSeconds(t) : otherwise);

/** Each vote for a block that was sent by an instant: who, when, and when a node had it. */
function voteRows(film, block, node, time) {
  const { votes } = film.tables;
  const seen = new Map(votesSeen(film, block, node, time).map((vote) => [vote.voter, vote.time]));
  const rows = [];
  votes.block.forEach((each, row) => {
    const [voter, sent] = [votes.voter[row], votes.sent_s[row]];
    if (each !== block || sent > time) return;
    rows.push([film.names[voter], inSeconds(sent), since(seen.get(voter), time, "not yet")]);
  });
  return { rows, count: seen.size };
}

/** When a node saw a block notarized, and final. */
function knownTimes(film, block, node) {
  const { known } = film.tables;
  const row = known.block.findIndex((each, at) => each === block && known.node[at] === node);
  return row < 0 ? {} : { notarized: known.notarized_s[row], final: known.finalized_s[row] };
}

function payloadOf(film, block) {
  const { blocks } = film.tables;
  if (!film.header.has_market) return [];
  const facts = [["claim", spaced(textOf(blocks, "claim", block)) || "none"]];
  if (Number.isFinite(blocks.price[block])) {
    facts.push(
      ["consensus price", inDollars(blocks.price[block])],
      ["VWAP", inDollars(blocks.vwap[block])],
    );
  }
  const sources = blocks.price_count[block];
  if (sources >= 0) facts.push(["sources counted", `${sources}`]);
  const why = textOf(blocks, "reason", block);
  return why ? [...facts, ["reason", spaced(why)]] : facts;
}

function factsOfBlock(film, block, { viewer, time }) {
  if (block === 0) return { title: "Genesis", facts: [["state", "final from the start"]] };
  const { height, parent, proposer, proposed_s } = film.tables.blocks;
  const node = placeOf(film, viewer);
  const state = blockState(film, block, node, time);
  const { notarized, final } = knownTimes(film, block, node);
  const deciding = state === "finalized" ? decidingThree(film, block, node) : null;
  const votes = voteRows(film, block, node, time);
  const { has_trace, quorum } = film.header;
  const facts = [
    ["hash", `${textOf(film.tables.blocks, "hash8", block)}…`],
    ["height", `${height[block]}`],
    ["proposer", film.names[proposer[block]] ?? "nobody"],
    ["proposed", inSeconds(proposed_s[block])],
    ["parent", nameBlock(film, parent[block])],
    ...payloadOf(film, block),
    [`for ${viewer}`, STATE_WORDS[state]],
    ["notarized", since(notarized, time, "not yet")],
    ["final", since(final, time, "not yet")],
    ...(deciding
      ? [["made final by", deciding.map((each) => nameBlock(film, each)).join(", ")]]
      : []),
    ...(has_trace ? [] : [["votes", "not recorded for this run"]]),
  ];
  const table = {
    caption: `Votes: ${viewer} has ${votes.count}, and ${quorum} are needed`,
    heads: ["signer", "sent", `seen by ${viewer}`],
    rows: votes.rows,
  };
  const name = nameBlock(film, block);
  return { title: name[0].toUpperCase() + name.slice(1), facts, table: has_trace ? table : null };
}

function factsOfNode(film, name, { time }) {
  const node = nodesAt(film, time)[placeOf(film, name)];
  const faults = film.header.faults.filter((fault) => fault.name === name);
  const facts = [
    ["epoch", `${node.epoch}${node.leads ? ", which it leads" : ""}`],
    ["longest chain", `${nameBlock(film, node.tip)}, height ${node.tipHeight}`],
    ["final up to", `${nameBlock(film, node.finalized)}, height ${node.finalHeight}`],
  ];
  if (film.header.has_market) facts.push(["reference price", inDollars(node.reference)]);
  facts.push(["state", node.down ? "down" : "up"]);
  for (const fault of faults) facts.push(["fault", `${spaced(fault.kind)} ${sayPeriod(fault)}`]);
  for (const cut of cutsAt(film, time)) facts.push(["network", sayCut(cut)]);
  if (film.header.convicted.includes(name)) facts.push(["evidence", "its own votes convict it"]);
  return { title: `The world as ${node.name} sees it`, facts };
}

/** What became of an order, in words. */
function fateOf(film, order) {
  const { rejections, orders } = film.tables;
  const row = rejections.order.indexOf(order);
  if (row < 0) {
    const why = textOf(orders, "reason", order);
    return [["became", textOf(orders, "status", order)], ...(why ? [["reason", spaced(why)]] : [])];
  }
  const verdict = textOf(rejections, "verdict", row);
  const away = rejections.deviation_percent[row];
  const judged = `${inDollars(rejections.price[row])}, ${inPercent(away)} from the reference then`;
  return [
    ["became", `${textOf(rejections, "action", row)} at ${inSeconds(rejections.time_s[row])}`],
    ["reason", spaced(textOf(rejections, "reason", row))],
    ["verdict", verdict ? `${spaced(verdict)} rejection` : "not stopped by the band"],
    ...(Number.isFinite(away) ? [["judged", judged]] : []),
  ];
}

function factsOfOrder(film, order) {
  const { orders } = film.tables;
  const { symbol, band_percent: band } = film.header;
  const [limit, reference] = [orders.price[order], orders.reference[order]];
  const block = orders.reference_block[order];
  const away = (100 * (limit - reference)) / reference;
  const side = ORDER_SIDES[orders.side[order]];
  const at = Number.isFinite(limit) ? inDollars(limit) : "the market's price";
  const within = Math.abs(away) <= band ? "inside" : "outside";
  const facts = [
    ["sent", `${inSeconds(orders.time_s[order])} by ${textOf(orders, "trader", order)}`],
    ["order", `${side} ${orders.quantity[order]} ${symbol} at ${at}`],
    ["reference", `${inDollars(reference)}${block < 0 ? "" : ` of the ${nameBlock(film, block)}`}`],
    ["its age", since(orders.reference_age_s[order], Infinity, "none")],
    ["true price", inDollars(orders.true_price[order])],
    ["fair", orders.fair[order] ? "yes" : "no"],
  ];
  if (Number.isFinite(away)) {
    facts.push(["deviation", `${inPercent(away)}, ${within} ±${band} % of the reference`]);
  }
  return {
    title: `Order ${textOf(orders, "order_id", order)}`,
    facts: [...facts, ...fateOf(film, order)],
  };
}

/** What is known of the link between two nodes, for both directions. */
function factsOfLink(film, [one, other], { time }) {
  const ends = [one, other].map((name) => film.names.indexOf(name));
  const { sender, receiver, sent_s, received_s } = film.tables.arrivals;
  const [delays, counts] = [[], [0, 0]];
  let flying = 0;
  for (let row = 0; row < sender.length; row += 1) {
    const way = ends.indexOf(sender[row]);
    if (way < 0 || receiver[row] !== ends[1 - way] || sent_s[row] > time) continue;
    if (received_s[row] > time) flying += 1;
    else {
      counts[way] += 1;
      delays.push(received_s[row] - sent_s[row]);
    }
  }
  const cut = cutsAt(film, time).find((each) => {
    const [here, there] = [groupOf(each, one), groupOf(each, other)];
    return here >= 0 && there >= 0 && here !== there;
  });
  delays.sort((a, b) => a - b);
  const median = delays.length ? inSeconds(delays[delays.length >> 1]) : "none yet";
  const facts = [["state", cut ? `cut ${sayPeriod(cut)}` : "open"]];
  if (film.header.has_trace) {
    facts.push(
      ["under way", counted(flying, "message")],
      [`first at ${other}`, counted(counts[0], "message")],
      [`first at ${one}`, counted(counts[1], "message")],
      ["median delay", median],
    );
  }
  return { title: `Link between ${one} and ${other}`, facts };
}

/**
 * What is selected, as the viewer knows it; the viewer itself where nothing is, or what another
 * film does not have.
 *
 * @returns {{title: string, facts: [string, string][],
 *   table?: {caption: string, heads: string[], rows: string[][]}}}
 */
export function factsOf(state) {
  const { film, viewer, selection } = state;
  const { kind, id } = selection ?? {};
  const ends = kind === "link" ? id.split("|") : [];
  const has = (table) => id >= 0 && id < (film.tables[table]?.rows ?? 0);
  if (kind === "block" && has("blocks")) return factsOfBlock(film, id, state);
  if (kind === "order" && has("orders")) return factsOfOrder(film, id);
  if (ends.length === 2 && ends.every((name) => film.names.includes(name))) {
    return factsOfLink(film, ends, state);
  }
  return factsOfNode(film, kind === "node" && film.names.includes(id) ? id : viewer, state);
}
