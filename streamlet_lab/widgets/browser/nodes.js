// Drawing the nodes as cards, and what lies behind the messages: the ring, the links, the cuts.

import { epochAt } from "./film.js";
import { cutsAt, inDollars, leaderAt, spaced } from "./words.js";

const LINKS_UP_TO = 16;

function sideOf(film, t, name) {
  const letters = cutsAt(film, t).map(({ groups }) =>
    groups.findIndex((group) => group.includes(name)),
  );
  return letters
    .filter((group) => group >= 0)
    .map((group) => String.fromCharCode(65 + group))
    .join("");
}

function isCut(cuts, one, other) {
  return cuts.some(({ groups }) => {
    const [here, there] = [one, other].map((name) =>
      groups.findIndex((group) => group.includes(name)),
    );
    return here >= 0 && there >= 0 && here !== there;
  });
}

/** Draw the ring, the links that carry messages, the cuts, and the epoch in the middle. */
export function drawBack(pen, scene, nodes, { film, time }) {
  const { colour, centre, radius, places, font } = scene;
  const voters = film.header.nodes;
  const cuts = cutsAt(film, time);
  pen.strokeStyle = colour.faint;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.ellipse(centre.x, centre.y, radius.x, radius.y, 0, 0, 2 * Math.PI);
  pen.stroke();
  if (voters.length <= LINKS_UP_TO) {
    pen.globalAlpha = 0.5;
    pen.beginPath();
    for (const [one, name] of voters.entries()) {
      for (let other = 0; other < one; other += 1) {
        if (isCut(cuts, name, voters[other])) continue;
        pen.moveTo(places[one].x, places[one].y);
        pen.lineTo(places[other].x, places[other].y);
      }
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }
  for (const cut of cuts) drawCut(pen, scene, voters, cut);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = colour.muted;
  const size = Math.max(Math.min(scene.width, scene.height) / 16, 12);
  pen.font = `600 ${size}px ${font}`;
  drawOutlined(pen, `epoch ${epochAt(film, time)}`, centre.x, centre.y - size * 0.6, colour.panel);
  const leader = film.header.names[leaderAt(film, time)];
  pen.font = `${size * 0.6}px ${font}`;
  if (leader) drawOutlined(pen, `★ ${leader} leads`, centre.x, centre.y + size * 0.5, colour.panel);
}

function drawOutlined(pen, text, x, y, ground) {
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

/** A cut goes outwards, between neighbours on the ring that it parts. */
function drawCut(pen, { centre, radius, places, colour }, voters, cut) {
  const groupOf = (name) => cut.groups.findIndex((group) => group.includes(name));
  pen.beginPath();
  voters.forEach((name, index) => {
    const next = (index + 1) % voters.length;
    if (groupOf(name) === groupOf(voters[next])) return;
    const x = (places[index].x + places[next].x) / 2 - centre.x;
    const y = (places[index].y + places[next].y) / 2 - centre.y;
    // Of two nodes that face each other the middle is the middle of the ring: across, then.
    const [dx, dy] =
      Math.hypot(x, y) > 1 ? [x, y] : [places[next].y - centre.y, centre.x - places[next].x];
    const scale = 1 / Math.hypot(dx / radius.x, dy / radius.y);
    pen.moveTo(centre.x + dx * scale * 0.3, centre.y + dy * scale * 0.3);
    pen.lineTo(centre.x + dx * scale * 1.15, centre.y + dy * scale * 1.15);
  });
  pen.strokeStyle = colour.rejected;
  pen.lineWidth = 4;
  pen.setLineDash(cut.one_way ? [3, 9] : [14, 7]);
  pen.stroke();
  pen.setLineDash([]);
}

/** What a card says, line by line. */
function linesOf(film, node, card) {
  if (card.lines === 0) return [];
  const name = `${node.leads ? "★ " : ""}${node.name}`;
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

/** Draw the cards of the nodes. */
export function drawNodes(pen, scene, nodes, state) {
  for (const node of nodes) drawNode(pen, scene, node, state);
}

function drawNode(pen, scene, node, { film, time, viewer }) {
  const { card, colour, places, font } = scene;
  const { x, y } = places[node.index];
  const [left, top] = [x - card.width / 2, y - card.height / 2];
  const faulty = Boolean(node.fault) && !node.down;
  pen.beginPath();
  pen.roundRect(left, top, card.width, card.height, Math.min(8, card.height / 4));
  pen.fillStyle = node.down ? colour.faint : colour.surface;
  pen.fill();
  pen.strokeStyle = faulty ? colour.rejected : node.leads ? colour.truth : colour.muted;
  pen.lineWidth = node.leads || faulty ? 2.5 : 1.25;
  pen.setLineDash(faulty ? [5, 3] : []);
  pen.stroke();
  pen.setLineDash([]);
  if (node.name === viewer) drawViewer(pen, left, top, card, colour);
  if (node.down) drawCross(pen, left, top, card, colour);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const lines = linesOf(film, node, card);
  const step = card.height / (lines.length + 0.5);
  lines.forEach((line, index) => {
    pen.font = `${index === 0 ? 700 : 400} ${card.font}px ${font}`;
    pen.fillStyle = node.down ? colour.muted : colour.truth;
    if (node.down) drawOutlined(pen, line, x, top + step * (index + 0.75), colour.faint);
    else pen.fillText(line, x, top + step * (index + 0.75), card.width - 6);
  });
  if (faulty && card.lines)
    drawTag(pen, scene, spaced(node.fault), x, top - card.font * 0.3, colour.rejected);
  const letter = sideOf(film, time, node.name);
  if (letter && card.lines)
    drawTag(pen, scene, `side ${letter}`, x, top + card.height + card.font * 0.3, colour.rejected);
}

function drawViewer(pen, left, top, card, colour) {
  pen.beginPath();
  pen.roundRect(left - 4, top - 4, card.width + 8, card.height + 8, 11);
  pen.strokeStyle = colour.consensus;
  pen.lineWidth = 2.5;
  pen.stroke();
}

function drawCross(pen, left, top, card, colour) {
  pen.beginPath();
  pen.moveTo(left, top);
  pen.lineTo(left + card.width, top + card.height);
  pen.moveTo(left + card.width, top);
  pen.lineTo(left, top + card.height);
  pen.strokeStyle = colour.muted;
  pen.lineWidth = 1.5;
  pen.stroke();
}

/** A small label on the border of a card. */
function drawTag(pen, { card, colour, font }, text, x, y, ink) {
  pen.font = `600 ${card.font * 0.85}px ${font}`;
  const width = Math.min(pen.measureText(text).width + 6, card.width);
  const height = card.font * 1.1;
  pen.fillStyle = colour.panel;
  pen.beginPath();
  pen.roundRect(x - width / 2, y - height / 2, width, height, 3);
  pen.fill();
  pen.fillStyle = ink;
  pen.fillText(text, x, y, card.width - 6);
}
