// Messages on their way: where each of them is at an instant, and how it looks.

import { inFlight } from "./film.js";
import { drawOutlined } from "./ground.js";
import { edgeOf } from "./ring.js";
import { arrivingAt } from "./words.js";

/** A pointer so near to a message means it, in pixels. */
const NEAR_FLIGHT_PX = 9;

/** A message that a partition holds waits here, as a share of the way. */
const HELD_AT = 0.36;
/** How long a held message is under way to the cut, and from it, seconds at most. */
const APPROACH_S = 0.2;
const TAIL_SHARE = 0.12;
/** With more than three times as many messages as these their tails would hide everything. */
const CROWD = 900;
const MESSAGE_SIZE = { large: 13, small: 8 };
/** They have it where the text of a node is this high, in pixels. */
const USUAL_FONT = 11.5;

/** The look of a block's messages: even epoch, odd epoch, or a second block of one epoch. */
export const EVEN_EPOCH = 0;
export const ODD_EPOCH = 1;
export const TWIN_BLOCK = 2;

/** Say for each block how its messages look. */
export function looksOf(film) {
  const { epoch } = film.tables.blocks;
  const seen = new Set();
  return Uint8Array.from(epoch, (number) => {
    if (number >= 0 && seen.has(number)) return TWIN_BLOCK;
    seen.add(number);
    return number % 2 ? ODD_EPOCH : EVEN_EPOCH;
  });
}

/** Draw a message: a proposal is a square, a vote a disc; odd epochs hollow, twins crossed. */
function drawMessage(pen, kind, look, size, colours) {
  const middle = size;
  const half = size / 2 - 1;
  pen.beginPath();
  if (kind === 0) pen.rect(middle - half, middle - half, 2 * half, 2 * half);
  else pen.arc(middle, middle, half, 0, 2 * Math.PI);
  pen.lineWidth = 2;
  pen.strokeStyle = look === TWIN_BLOCK ? colours.rejected : colours.consensus;
  pen.fillStyle = look === EVEN_EPOCH ? colours.consensus : colours.panel;
  pen.fill();
  pen.stroke();
  if (look !== TWIN_BLOCK) return;
  pen.beginPath();
  pen.moveTo(middle - half, middle + half);
  pen.lineTo(middle + half, middle - half);
  pen.stroke();
}

/** Make the pictures of the messages once; copying them is what a frame can afford. */
export function makeSprites(colours, ratio, font) {
  // Where the text of the nodes is large, on a projector, the messages are too.
  const scale = Math.min(Math.max(font / USUAL_FONT, 0.8), 2);
  return [0, 1].map((kind) =>
    [EVEN_EPOCH, ODD_EPOCH, TWIN_BLOCK].map((look) => {
      const size = scale * (kind === 0 ? MESSAGE_SIZE.large : MESSAGE_SIZE.small);
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.ceil(2 * size * ratio);
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      drawMessage(pen, kind, look, size, colours);
      return { canvas, size };
    }),
  );
}

/** Until when a partition holds what the one sends to the other at that time; 0 if none does. */
function heldUntil(film, sender, receiver, sent) {
  const { partitions, names } = film.header;
  let until = 0;
  for (const { groups, one_way, start_s, stop_s } of partitions) {
    if (sent < start_s || sent >= stop_s) continue;
    const from = groups.findIndex((group) => group.includes(names[sender]));
    const to = groups.findIndex((group) => group.includes(names[receiver]));
    if (from < 0 || to < 0 || from === to || (one_way && from !== 0)) continue;
    until = Math.max(until, stop_s);
  }
  return until;
}

/** Say how far a message is on its way, from 0 to 1. */
export function shareOfWay(film, row, t) {
  const { sender, receiver, sent_s, received_s } = film.tables.arrivals;
  const sent = sent_s[row];
  const received = received_s[row];
  if (t >= received) return 1;
  const held = heldUntil(film, sender[row], receiver[row], sent);
  if (!held) return (t - sent) / (received - sent);
  const approach = Math.min(APPROACH_S, held - sent);
  if (t < held) return HELD_AT * Math.min((t - sent) / approach, 1);
  return HELD_AT + ((1 - HELD_AT) * (t - held)) / (received - held);
}

/** Where a message is drawn: on its way, or at the card that it has just come to. */
function placeOfFlight(film, row, t, { places, card }) {
  const { sender, receiver } = film.tables.arrivals;
  const [from, to] = [places[sender[row]], places[receiver[row]]];
  const share = shareOfWay(film, row, t);
  if (share >= 1) return { ...edgeOf(to, from, card), from, to, share };
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, from, to, share };
}

/** The row of the message that is drawn at a point, or nearest to it; -1 if none is near. */
export function flightAt({ x, y }, film, t, scene) {
  let [found, least] = [-1, NEAR_FLIGHT_PX];
  for (const row of [...inFlight(film, t), ...arrivingAt(film, t)]) {
    const place = placeOfFlight(film, row, t, scene);
    const distance = Math.hypot(place.x - x, place.y - y);
    if (distance <= least) [found, least] = [row, distance];
  }
  return found;
}

/**
 * Draw what is under way at an instant.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {object} film
 * @param {number} t
 * @param {{places: {x: number, y: number}[], card: object, looks: Uint8Array,
 *   sprites: object[][], colours: object}} scene
 * @returns {number} how many messages there are
 */
export function drawFlights(pen, film, t, scene) {
  const { looks, sprites, colours } = scene;
  const { kind, block } = film.tables.arrivals;
  const tails = [new Path2D(), new Path2D()];
  const heads = [];
  for (const row of inFlight(film, t)) {
    const { x, y, from, to, share } = placeOfFlight(film, row, t, scene);
    const tail = Math.max(share - TAIL_SHARE, 0);
    const path = tails[looks[block[row]] === TWIN_BLOCK ? 1 : 0];
    path.moveTo(from.x + (to.x - from.x) * tail, from.y + (to.y - from.y) * tail);
    path.lineTo(x, y);
    heads.push(sprites[kind[row]][looks[block[row]]], x, y);
  }
  pen.lineWidth = 1.5;
  pen.globalAlpha = heads.length > CROWD ? 0.15 : 0.45;
  tails.forEach((path, index) => {
    pen.strokeStyle = index ? colours.rejected : colours.consensus;
    pen.stroke(path);
  });
  pen.globalAlpha = 1;
  for (let index = 0; index < heads.length; index += 3) {
    const { canvas, size } = heads[index];
    pen.drawImage(canvas, heads[index + 1] - size, heads[index + 2] - size, 2 * size, 2 * size);
  }
  return heads.length / 3;
}

/** Draw the way of what arrived just then, so that a step shows what it did. */
export function drawArrivals(pen, film, t, scene) {
  const { looks, sprites, colours } = scene;
  const { kind, block } = film.tables.arrivals;
  for (const row of arrivingAt(film, t)) {
    const { x, y, from } = placeOfFlight(film, row, t, scene);
    pen.strokeStyle = looks[block[row]] === TWIN_BLOCK ? colours.rejected : colours.consensus;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(x, y);
    pen.stroke();
    const { canvas, size } = sprites[kind[row]][looks[block[row]]];
    pen.drawImage(canvas, x - size, y - size, 2 * size, 2 * size);
  }
}

/** Messages are named where the text of the nodes is so high, in pixels. */
const NAMED_FONT = 14;
/** Half of a name's width, and what the epoch in the middle takes, in its letters' height. */
const NAME_HALF = 5;
const MIDDLE_HALF = { x: 9, y: 3 };
const FLIGHT_NAMES = ["proposal", "vote"];

/** Whether a name at a place would lie on no node, not in the middle, and on no other name. */
function isFree({ x, y }, { places, centre, card: { width, height, font } }, names) {
  const isOn = (at, wide, high) => Math.abs(x - at.x) < wide && Math.abs(y - at.y) < high;
  return !(
    isOn(centre, MIDDLE_HALF.x * font, MIDDLE_HALF.y * font) ||
    places.some((at) => isOn(at, width / 2 + NAME_HALF * font, height / 2 + 2 * font)) ||
    names.some((at) => isOn(at, 2 * NAME_HALF * font, 2 * font))
  );
}

/** Name one message of each kind, the one that is nearest to half of its way. */
export function nameFlights(pen, film, t, scene) {
  const { colours, font, card, sprites } = scene;
  if (card.font < NAMED_FONT) return;
  const { kind, block } = film.tables.arrivals;
  const flying = inFlight(film, t).map((row) => {
    const above = sprites[kind[row]][EVEN_EPOCH].size / 2 + card.font * 0.7;
    const { x, y, share } = placeOfFlight(film, row, t, scene);
    return { row, x, y: y - above, away: Math.abs(share - 0.5) };
  });
  pen.font = `600 ${card.font}px ${font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.truth;
  const named = [];
  FLIGHT_NAMES.forEach((name, which) => {
    const free = flying.filter((each) => kind[each.row] === which && isFree(each, scene, named));
    const [first] = free.sort((one, other) => one.away - other.away || other.row - one.row);
    if (!first) return;
    named.push(first);
    const words = `${name}, epoch ${film.tables.blocks.epoch[block[first.row]]}`;
    drawOutlined(pen, words, first.x, first.y, colours.panel);
  });
}
