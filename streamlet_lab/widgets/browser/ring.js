// Where the nodes stand: as even as possible on an ellipse, with as much text as has room.

const RING_MARGIN = 12;
/** Between two cards: there is room for the frame around the one that is looked through. */
const BETWEEN = 8;
/** From the most that a card can say to the least; the text of a line is `font` pixels high. */
const CARDS = [
  ...[2.4, 2, 1.6, 1.3, 1.1].map((scale) => cardOf(106, 72, 11.5, 4, scale)),
  cardOf(94, 62, 10.5, 4),
  cardOf(72, 54, 9.5, 4),
  cardOf(58, 40, 9, 3),
  cardOf(60, 30, 9.5, 2),
  cardOf(56, 18, 9.5, 1),
  { ...cardOf(25, 17, 9.5, 1), short: true },
  cardOf(10, 10, 0, 0),
];

function cardOf(width, height, font, lines, scale = 1) {
  return { width: width * scale, height: height * scale, font: font * scale, lines };
}

/** Points at even distances along an ellipse, clockwise from the top. */
function alongEllipse(count, centre, radius) {
  const steps = 720;
  const point = (step) => {
    const angle = (2 * Math.PI * step) / steps;
    return [centre.x + radius.x * Math.sin(angle), centre.y - radius.y * Math.cos(angle)];
  };
  const lengths = [0];
  for (let step = 1; step <= steps; step += 1) {
    const [x, y] = point(step);
    const [before, above] = point(step - 1);
    lengths.push(lengths[step - 1] + Math.hypot(x - before, y - above));
  }
  let step = 0;
  return Array.from({ length: count }, (_, index) => {
    while (lengths[step] < (lengths[steps] * index) / count) step += 1;
    const [x, y] = point(step);
    return { x, y };
  });
}

function doOverlap(places, { width, height }) {
  const isNear = (one) => (other) =>
    Math.abs(one.x - other.x) < width + BETWEEN && Math.abs(one.y - other.y) < height + BETWEEN;
  return places.some((one, index) => places.slice(index + 1).some(isNear(one)));
}

/** The corners in which the observer may stand, outside of the ring. */
function cornersOf(card, width, height) {
  const [left, top] = [card.width / 2 + RING_MARGIN, card.height / 2 + RING_MARGIN];
  const [right, bottom] = [width - left, height - top];
  return [
    { x: right, y: bottom },
    { x: left, y: bottom },
    { x: right, y: top },
    { x: left, y: top },
  ];
}

/**
 * Place the voters on the ring, and the observer in the first corner that is free.
 *
 * @param {number} voters
 * @param {number} width of the panel, pixels
 * @param {number} height
 * @returns {{card: object, places: {x: number, y: number}[], centre: object, radius: object}}
 */
export function placeNodes(voters, width, height) {
  const centre = { x: width / 2, y: height / 2 };
  let found;
  for (const card of CARDS) {
    const radius = {
      x: Math.max(width / 2 - card.width / 2 - RING_MARGIN, 1),
      y: Math.max(height / 2 - card.height / 2 - RING_MARGIN, 1),
    };
    const ring = alongEllipse(voters, centre, radius);
    const choices = cornersOf(card, width, height).map((corner) => [...ring, corner]);
    const free = choices.find((places) => !doOverlap(places, card));
    found = { card, places: free ?? choices[0], centre, radius };
    const crowded = card.width * 3.8 > width || card.height * 4.5 > height;
    if (!crowded && free) return found;
  }
  return found;
}

/** How far a point is from the way between two others. */
function distanceTo(point, from, to) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const share = ((point.x - from.x) * x + (point.y - from.y) * y) / (x * x + y * y || 1);
  const on = Math.min(Math.max(share, 0), 1);
  return Math.hypot(point.x - from.x - on * x, point.y - from.y - on * y);
}

/** The two of the first `count` places whose link is nearest to a point, if it is near. */
export function linkAt(point, places, count, near) {
  let [found, least] = [null, near];
  for (let one = 1; one < count; one += 1) {
    for (let other = 0; other < one; other += 1) {
      const distance = distanceTo(point, places[one], places[other]);
      if (distance < least) [found, least] = [[other, one], distance];
    }
  }
  return found;
}

/** Where the ray from the middle of a card towards a point leaves the card. */
export function edgeOf(from, towards, { width, height }) {
  const x = towards.x - from.x;
  const y = towards.y - from.y;
  const share = Math.min(width / 2 / Math.abs(x), height / 2 / Math.abs(y), 1);
  return { x: from.x + x * share, y: from.y + y * share };
}
