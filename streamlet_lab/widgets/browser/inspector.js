// What was clicked, in full: a block, a node, an order, or the world as the viewer sees it.

import { dom } from "./dom.js";
import { blockState, decidingThree, textOf, votesSeen } from "./film.js";
import {
  cutsAt,
  inDollars,
  inSeconds,
  nameBlock,
  nodesAt,
  placeOf,
  sayCut,
  spaced,
} from "./words.js";

const STATE_WORDS = {
  unknown: "not known yet",
  proposed: "proposed",
  notarized: "notarized",
  finalized: "final",
};
const ORDER_SIDES = ["buy", "sell"];

const whenever = (t, none) => (t >= 0 ? inSeconds(t) : none);

/** When each vote for a block was sent and, by an instant, seen by a node, in the order of sending. */
function voteRows(film, block, node, time) {
  const { votes } = film.tables;
  const seen = new Map(votesSeen(film, block, node, time).map((vote) => [vote.voter, vote.time]));
  const rows = [];
  votes.block.forEach((each, row) => {
    if (each !== block || votes.sent_s[row] > time) return;
    const voter = votes.voter[row];
    rows.push([
      film.names[voter],
      inSeconds(votes.sent_s[row]),
      whenever(seen.get(voter), "not yet"),
    ]);
  });
  return { rows, count: seen.size };
}

/** When a node saw a block notarized, and final. */
function knownTimes(film, block, node) {
  const { known } = film.tables;
  const row = known.block.findIndex((each, index) => each === block && known.node[index] === node);
  return row < 0 ? {} : { notarized: known.notarized_s[row], finalized: known.finalized_s[row] };
}

function payloadRows(film, block) {
  const { price: prices, vwap, price_count, claim, reason } = film.tables.blocks;
  if (!film.header.has_market) return [];
  const said = [["claim", spaced(textOf(film.tables.blocks, "claim", block)) || "none"]];
  if (Number.isFinite(prices[block])) {
    said.push(
      ["consensus price", inDollars(prices[block])],
      ["VWAP", inDollars(vwap[block])],
      ["sources counted", `${price_count[block]}`],
    );
  }
  const why = textOf(film.tables.blocks, "reason", block);
  return why ? [...said, ["reason", spaced(why)]] : said;
}

function describeBlock(film, block, { viewer, node, time }) {
  const { height, parent, proposer, proposed_s } = film.tables.blocks;
  if (block === 0)
    return {
      title: "Genesis",
      rows: [
        ["height", "0"],
        ["state", "final from the start"],
      ],
    };
  const state = blockState(film, block, node, time);
  const times = knownTimes(film, block, node);
  const rows = [
    ["hash", `${textOf(film.tables.blocks, "hash8", block)}…`],
    ["height", `${height[block]}`],
    ["proposer", film.header.names[proposer[block]] ?? "nobody"],
    ["proposed", inSeconds(proposed_s[block])],
    ["parent", nameBlock(film, parent[block])],
    ...payloadRows(film, block),
    [`for ${viewer}`, STATE_WORDS[state]],
    ["notarized", whenever(times.notarized <= time ? times.notarized : NaN, "not yet")],
    ["final", whenever(times.finalized <= time ? times.finalized : NaN, "not yet")],
  ];
  if (state === "finalized")
    rows.push([
      "made final by",
      (decidingThree(film, block, node) ?? []).map((each) => nameBlock(film, each)).join(", "),
    ]);
  if (!film.header.has_trace) rows.push(["votes", "not recorded at this size"]);
  const votes = voteRows(film, block, node, time);
  return {
    title: nameBlock(film, block).replace(/^b/, "B"),
    rows,
    table: {
      caption: `Votes: ${viewer} has seen ${votes.count} of ${film.header.quorum} needed`,
      heads: ["signer", "sent", `seen by ${viewer}`],
      rows: votes.rows,
    },
  };
}

function describeNode(film, name, { time }) {
  const index = film.header.names.indexOf(name);
  const node = nodesAt(film, time)[index];
  if (!node) return null;
  const faults = film.header.faults
    .filter((fault) => fault.name === name)
    .map(
      ({ kind, start_s, stop_s }) =>
        `${spaced(kind)} from ${inSeconds(start_s)} ${stop_s == null ? "on" : `to ${inSeconds(stop_s)}`}`,
    );
  const cuts = cutsAt(film, time).map(sayCut);
  const rows = [
    ["epoch", `${node.epoch}${node.leads ? ", which it leads" : ""}`],
    ["longest chain", `ends with the ${nameBlock(film, node.tip)}, height ${node.tipHeight}`],
    ["final", `up to the ${nameBlock(film, node.finalized)}, height ${node.finalHeight}`],
  ];
  if (film.header.has_market) rows.push(["reference price", inDollars(node.reference)]);
  rows.push(["state", node.down ? "down" : "up"]);
  if (faults.length) rows.push(["faults", faults.join("; ")]);
  if (cuts.length) rows.push(["network", cuts.join("; ")]);
  if (film.header.convicted.includes(name)) rows.push(["evidence", "convicted by its own votes"]);
  return { title: `The world as ${name} sees it`, rows };
}

/** What became of an order at the door, in words. */
function verdictOf(film, order) {
  const { rejections, orders } = film.tables;
  const row = rejections.order.indexOf(order);
  if (row < 0) return [["became", textOf(orders, "status", order)]];
  const verdict = textOf(rejections, "verdict", row);
  const deviation = rejections.deviation_percent[row];
  return [
    [
      "became",
      `${textOf(rejections, "action", row)} at ${inSeconds(rejections.time_s[row])}: ${spaced(textOf(rejections, "reason", row))}`,
    ],
    ["verdict", verdict ? `${spaced(verdict)} rejection` : "not stopped by the band"],
    ...(Number.isFinite(deviation)
      ? [
          [
            "judged",
            `${inDollars(rejections.price[row])}, ${deviation.toFixed(2)} % from the reference then`,
          ],
        ]
      : []),
  ];
}

function describeOrder(film, order) {
  const { orders } = film.tables;
  if (!(order >= 0 && order < (orders?.rows ?? 0))) return null;
  const [limit, reference] = [orders.price[order], orders.reference[order]];
  const away = (100 * (limit - reference)) / reference;
  const inside = Math.abs(away) <= film.header.band_percent;
  const block = orders.reference_block[order];
  const rows = [
    ["sent", `${inSeconds(orders.time_s[order])} by ${spaced(textOf(orders, "trader", order))}`],
    [
      "order",
      `${ORDER_SIDES[orders.side[order]]} ${orders.quantity[order]} ${film.header.symbol} at ${Number.isFinite(limit) ? inDollars(limit) : "the market's price"}`,
    ],
    ["reference", inDollars(reference) + (block >= 0 ? ` of the ${nameBlock(film, block)}` : "")],
    ["its age", whenever(orders.reference_age_s[order], "none")],
    ["true price", inDollars(orders.true_price[order])],
    ...(Number.isFinite(away)
      ? [
          [
            "deviation",
            `${away > 0 ? "+" : ""}${away.toFixed(2)} %, ${inside ? "inside" : "outside"} the band of ±${film.header.band_percent} %`,
          ],
        ]
      : []),
    ["fair", orders.fair[order] === 1 ? "yes" : "no"],
    ...verdictOf(film, order),
  ];
  const why = textOf(orders, "reason", order);
  if (why) rows.push(["reason", spaced(why)]);
  return { title: `Order ${textOf(orders, "order_id", order) || order}`, rows };
}

function describeSelected(state) {
  const { film, viewer, selection, time } = state;
  const node = placeOf(film, viewer);
  const seen = { viewer, node, time };
  const { kind, id } = selection ?? { kind: "node", id: viewer };
  if (kind === "block" && id >= 0 && id < film.tables.blocks.rows)
    return describeBlock(film, id, seen);
  if (kind === "order") return describeOrder(film, id) ?? describeNode(film, viewer, seen);
  return (
    describeNode(film, kind === "node" ? id : viewer, seen) ?? describeNode(film, "observer", seen)
  );
}

function listOf(rows) {
  return dom(
    "dl",
    { class: "sl-facts" },
    ...rows.flatMap(([name, text]) => [dom("dt", {}, name), dom("dd", {}, text)]),
  );
}

function tableOf({ caption, heads, rows }) {
  const row = (tag, cells, scope) =>
    dom("tr", {}, ...cells.map((cell) => dom(tag, { scope }, cell)));
  return dom(
    "table",
    { class: "sl-votes" },
    dom("caption", {}, caption),
    dom("thead", {}, row("th", heads, "col")),
    dom("tbody", {}, ...rows.map((cells) => row("td", cells))),
  );
}

/**
 * The panel of what is selected.
 *
 * @param {object} store
 * @returns {{element: HTMLElement, destroy: () => void}}
 */
export function inspectorPanel(store) {
  const title = dom("h3", { class: "sl-title" });
  const close = dom(
    "button",
    {
      type: "button",
      class: "sl-close",
      "aria-label": "back to the viewer",
      title: "back to the viewer",
      click: () => store.set({ selection: null }),
    },
    "✕",
  );
  const body = dom("div", { class: "sl-inspected" });
  const element = dom(
    "section",
    { class: "sl-panel sl-inspector", "aria-label": "inspector" },
    dom("div", { class: "sl-heading" }, title, close),
    body,
  );
  let shown = "";

  function draw(state) {
    close.hidden = !state.selection;
    const said = state.film
      ? describeSelected(state)
      : { title: "Nothing to inspect yet", rows: [] };
    const key = JSON.stringify(said);
    if (key === shown) return;
    shown = key;
    title.textContent = said.title;
    body.replaceChildren(
      listOf(said.rows),
      ...(said.table?.rows.length ? [tableOf(said.table)] : []),
    );
  }

  const off = store.on(["film", "time", "viewer", "selection"], draw);
  draw(store.get());
  return {
    element,
    destroy() {
      off();
      element.remove();
    },
  };
}
