// Drawing the nodes as cards.

import { drawOutlined } from "./ground.js";
import { cutsAt, groupOf, inDollars, isWhole, spaced } from "./words.js";

/** The side of a node in a network that is cut in parts: A, B, …; of two cuts, two letters. */
function sideOf(film, t, name) {
  const cuts = cutsAt(film, t).filter((cut) => isWhole(cut, film.header.nodes));
  const groups = cuts.map((cut) => groupOf(cut, name)).filter((group) => group >= 0);
  return groups.map((group) => String.fromCharCode(65 + group)).join("");
}

/** What a card says, line by line. */
function linesOf(film, node, card) {
  if (card.lines === 0) return [];
  const name = `${node.leads ? "★ " : ""}${node.name}`;
  // The number of `node_12`, where there is room for no more.
  if (card.short) return [node.name.replace(/^.*_/, "").slice(0, 3)];
  if (card.lines === 1) return [name];
  if (node.down) return [name, spaced(node.fault ?? "down")];
  const worth = film.header.has_market ? [inDollars(node.reference)] : [];
  if (card.lines === 2) return [name, worth[0] ?? `final ${node.finalHeight}`];
  if (card.lines === 3) return [name, `tip ${node.tipHeight} ✓ ${node.finalHeight}`, ...worth];
  const epoch = card.width > 90 ? "epoch" : "ep";
  return [
    name,
    `${epoch} ${node.epoch} · tip ${node.tipHeight}`,
    `final ${node.finalHeight}`,
    ...worth,
  ];
}

/** Draw the card of a node. */
export function drawNode(pen, scene, node, { film, time, viewer }) {
  const { card, colours, places, font } = scene;
  const { x, y } = places[node.index];
  const [left, top] = [x - card.width / 2, y - card.height / 2];
  const faulty = Boolean(node.fault) && !node.down;
  pen.beginPath();
  pen.roundRect(left, top, card.width, card.height, Math.min(8, card.height / 4));
  const isInverse = node.leads && !node.down;
  pen.fillStyle = node.down ? colours.faint : isInverse ? colours.truth : colours.surface;
  pen.fill();
  pen.strokeStyle = faulty ? colours.rejected : node.leads ? colours.truth : colours.muted;
  pen.lineWidth = node.leads || faulty ? 2.5 : 1.25;
  pen.setLineDash(faulty ? [5, 3] : []);
  pen.stroke();
  pen.setLineDash([]);
  if (node.name === viewer) drawViewer(pen, left, top, card, colours);
  if (node.down) drawCross(pen, left, top, card, colours);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const lines = linesOf(film, node, card);
  const step = card.height / (lines.length + 0.5);
  lines.forEach((line, index) => {
    pen.font = `${index === 0 ? 700 : 400} ${card.font}px ${font}`;
    pen.fillStyle = node.down ? colours.muted : isInverse ? colours.panel : colours.truth;
    if (node.down) drawOutlined(pen, line, x, top + step * (index + 0.75), colours.faint);
    else pen.fillText(line, x, top + step * (index + 0.75), card.width - 6);
  });
  if (faulty && card.lines && !card.short)
    drawTag(pen, scene, spaced(node.fault), x, top - card.font * 0.3, colours.rejected);
  const letter = sideOf(film, time, node.name);
  if (letter && card.lines && !card.short)
    drawTag(pen, scene, `side ${letter}`, x, top + card.height + card.font * 0.3, colours.rejected);
}

function drawViewer(pen, left, top, card, colours) {
  pen.beginPath();
  pen.roundRect(left - 4, top - 4, card.width + 8, card.height + 8, 11);
  pen.strokeStyle = colours.consensus;
  pen.lineWidth = 2.5;
  pen.stroke();
}

function drawCross(pen, left, top, card, colours) {
  pen.beginPath();
  pen.moveTo(left, top);
  pen.lineTo(left + card.width, top + card.height);
  pen.moveTo(left + card.width, top);
  pen.lineTo(left, top + card.height);
  pen.strokeStyle = colours.muted;
  pen.lineWidth = 1.5;
  pen.stroke();
}

/** A small label on the border of a card. */
function drawTag(pen, { card, colours, font }, text, x, y, ink) {
  pen.font = `600 ${card.font * 0.85}px ${font}`;
  const width = Math.min(pen.measureText(text).width + 6, card.width);
  const height = card.font * 1.1;
  pen.fillStyle = colours.panel;
  pen.beginPath();
  pen.roundRect(x - width / 2, y - height / 2, width, height, 3);
  pen.fill();
  pen.fillStyle = ink;
  pen.fillText(text, x, y, card.width - 6);
}
