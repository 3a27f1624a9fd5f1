// What is on the screen, in words: for screen readers, tooltips and the inspector.

import { countUpTo, epochAt, isDuring, stateOf, textOf } from "./film.js";

export const inSeconds = (t) => `${t.toFixed(3)} s`;
export const inDollars = (value) => (Number.isFinite(value) ? `$${value.toFixed(2)}` : "none yet");
export const inPercent = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} %`;
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
export const spaced = (name) => name.replaceAll("_", " ");

/** The place of a node among the names; who is unknown in this film sees as the observer does. */
export function placeOf(film, name) {
  const place = film.names.indexOf(name);
  return place < 0 ? film.observer : place;
}

/** Who leads the epoch at an instant, by its place among the names; -1 is nobody known. */
export function leaderAt(film, t) {
  return film.tables.epochs.leader[epochAt(film, t)] ?? -1;
}

/** The partitions at an instant. */
export function cutsAt(film, t) {
  return film.header.partitions.filter((cut) => isDuring(cut, t));
}

/** In which group of a cut a node is; -1 is in none, and reached by all. */
export const groupOf = ({ groups }, name) => groups.findIndex((group) => group.includes(name));

/** Whether a cut leaves no voter on both sides. */
export const isWhole = (cut, voters) => voters.every((name) => groupOf(cut, name) >= 0);

/** The violations in the order of time; what has no instant is said at the end. */
export function violationsOf(film) {
  const { violations, end_s } = film.header;
  const timed = violations.map((each) => ({ ...each, time_s: each.time_s ?? end_s }));
  return timed.sort((one, other) => one.time_s - other.time_s);
}

/** What each node knows at an instant, with its name, heights and whether it leads. */
export function nodesAt(film, t) {
  const { height } = film.tables.blocks;
  const leader = leaderAt(film, t);
  return film.header.names.map((name, index) => {
    const state = stateOf(film, index, t);
    return {
      ...state,
      name,
      index,
      leads: index === leader,
      tipHeight: height[state.tip],
      finalHeight: height[state.finalized],
    };
  });
}

/**
 * What is drawn behind the messages, and of each node, depends on: where it is the same, nothing
 * has to be drawn again.
 */
export function keysOf(film, nodes, { time, viewer, selection }) {
  const cuts = film.header.partitions.map((cut) => isDuring(cut, time)).join();
  const link = selection?.kind === "link" ? selection.id : "";
  const ofNode = ({ name, epoch, tip, finalized, reference, down, fault, leads }) =>
    [cuts, name === viewer, epoch, tip, finalized, reference, down, fault, leads].join("|");
  return { ground: [cuts, link, epochAt(film, time)].join("|"), nodes: nodes.map(ofNode) };
}

/** Name a block by its epoch; a second one of an epoch also by its hash. */
export function nameBlock(film, block) {
  const { epoch } = film.tables.blocks;
  if (block <= 0) return "genesis";
  const alone = epoch.indexOf(epoch[block]) === epoch.lastIndexOf(epoch[block]);
  return alone
    ? `block of epoch ${epoch[block]}`
    : `block ${textOf(film.tables.blocks, "hash8", block)} of epoch ${epoch[block]}`;
}

/** Say what a node knows, and how it is. */
export function sayNode(film, node) {
  const parts = [
    `epoch ${node.epoch}`,
    `longest chain ends at height ${node.tipHeight}`,
    `final up to height ${node.finalHeight}`,
  ];
  if (film.header.has_market) parts.push(`reference ${inDollars(node.reference)}`);
  if (node.leads) parts.push("leads this epoch");
  if (node.down) parts.push("down");
  if (node.fault) parts.push(`faulty: ${spaced(node.fault)}`);
  return `${node.name}: ${parts.join(", ")}`;
}

/** Say from when to when something is there. */
export function sayPeriod({ start_s, stop_s }) {
  return `from ${inSeconds(start_s)} ${stop_s === null ? "on" : `to ${inSeconds(stop_s)}`}`;
}

/** Say who is cut off from whom. */
export function sayCut({ groups, one_way }) {
  const sides = groups.map((group) => group.join(", "));
  return one_way
    ? `what ${sides[0]} sends does not reach ${sides.slice(1).join(" and ")}`
    : `cut: ${sides.join(" | ")}`;
}

/** Say how the network is at an instant. */
export function sayNetwork(film, t, nodes, flying) {
  const leader = nodes.find(({ leads }) => leads);
  const down = nodes.filter((node) => node.down).map(({ name }) => name);
  const parts = [
    `${counted(film.header.nodes.length, "node")} at ${inSeconds(t)}, epoch ${epochAt(film, t)}`,
    leader ? `led by ${leader.name}` : "",
    down.length ? `${down.join(", ")} down` : "",
    ...cutsAt(film, t).map(sayCut),
    film.header.has_trace ? `${counted(flying, "message")} under way` : "",
  ];
  return `${parts.filter(Boolean).join("; ")}.`;
}

/** Say what a message is: whose, of which kind, and about which block. */
function sayMessage(film, row) {
  const { kind, block, author } = film.tables.arrivals;
  const what = kind[row] === 0 ? "proposal" : "vote";
  return `${what} of ${film.names[author[row]]} for the ${nameBlock(film, block[row])}`;
}

/** Say line by line what a message is, between whom it is under way, and when. */
export function sayFlight(film, row) {
  const { sender, receiver, sent_s, received_s } = film.tables.arrivals;
  return [
    sayMessage(film, row),
    `from ${film.names[sender[row]]} to ${film.names[receiver[row]]}`,
    `sent ${inSeconds(sent_s[row])}, arrives ${inSeconds(received_s[row])}`,
  ];
}

/** Say what arrived: who sent what about which block, to whom, and how long it took. */
function sayArrival(film, row) {
  const { names, tables } = film;
  const { author, sender, receiver, sent_s, received_s } = tables.arrivals;
  const by = sender[row] === author[row] ? "" : `, passed on by ${names[sender[row]]}`;
  const took = Math.round((received_s[row] - sent_s[row]) * 1000);
  return `${sayMessage(film, row)} reaches ${names[receiver[row]]}${by} after ${took} ms`;
}

/** The rows of what arrives at exactly that instant. */
export function arrivingAt(film, t) {
  const { received_s } = film.tables.arrivals;
  const rows = [];
  for (let row = countUpTo(received_s, t) - 1; row >= 0 && received_s[row] === t; row -= 1) {
    rows.unshift(row);
  }
  return rows;
}

/** Say what arrives at exactly that instant; nothing where nothing does. */
export function sayArrivals(film, t) {
  const [first, ...more] = film.header.has_trace ? arrivingAt(film, t) : [];
  if (first === undefined) return "";
  const others = more.length ? `, with ${counted(more.length, "more message")}` : "";
  return `${sayArrival(film, first)}${others}`;
}
