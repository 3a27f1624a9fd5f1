// What lies behind the messages: the ring, the links, the cuts, and the epoch in the middle.

import { epochAt } from "./film.js";
import { cutsAt, groupOf, isWhole, leaderAt } from "./words.js";

/** Of more nodes than these the links would be a grey disc. */
const LINKS_UP_TO = 16;

/** The pairs of voters: those that reach each other, and those that a cut parts. */
function linksOf(voters, cuts) {
  const [open, cut] = [[], []];
  for (let one = 1; one < voters.length; one += 1) {
    for (let other = 0; other < one; other += 1) {
      const isCut = cuts.some((each) => {
        const [here, there] = [groupOf(each, voters[one]), groupOf(each, voters[other])];
        return here >= 0 && there >= 0 && here !== there;
      });
      (isCut ? cut : open).push([one, other]);
    }
  }
  return { open, cut };
}

function strokeLinks(pen, places, links) {
  pen.beginPath();
  for (const [one, other] of links) {
    pen.moveTo(places[one].x, places[one].y);
    pen.lineTo(places[other].x, places[other].y);
  }
  pen.stroke();
}

/** A link that is cut alone: broken, with a bar across its middle. */
function drawCutLinks(pen, { places, colours }, links) {
  pen.strokeStyle = colours.rejected;
  pen.lineWidth = 2;
  pen.setLineDash([3, 7]);
  strokeLinks(pen, places, links);
  pen.setLineDash([]);
  pen.lineWidth = 4;
  pen.beginPath();
  for (const [one, other] of links) {
    const [from, to] = [places[one], places[other]];
    const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
    const long = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const [across, along] = [(9 * (from.y - to.y)) / long, (9 * (to.x - from.x)) / long];
    pen.moveTo(x - across, y - along);
    pen.lineTo(x + across, y + along);
  }
  pen.stroke();
}

/** A cut through the whole network goes outwards, between neighbours that it parts. */
function drawWholeCut(pen, { centre, radius, places, colours }, voters, cut) {
  pen.beginPath();
  voters.forEach((name, index) => {
    const next = (index + 1) % voters.length;
    if (groupOf(cut, name) === groupOf(cut, voters[next])) return;
    const x = (places[index].x + places[next].x) / 2 - centre.x;
    const y = (places[index].y + places[next].y) / 2 - centre.y;
    // Of two nodes that face each other the middle is the middle of the ring: across, then.
    const [dx, dy] =
      Math.hypot(x, y) > 1 ? [x, y] : [places[next].y - centre.y, centre.x - places[next].x];
    const scale = 1 / Math.hypot(dx / radius.x, dy / radius.y);
    pen.moveTo(centre.x + dx * scale * 0.3, centre.y + dy * scale * 0.3);
    pen.lineTo(centre.x + dx * scale * 1.15, centre.y + dy * scale * 1.15);
  });
  pen.strokeStyle = colours.rejected;
  pen.lineWidth = 4;
  pen.setLineDash(cut.one_way ? [3, 9] : [14, 7]);
  pen.stroke();
  pen.setLineDash([]);
}

/** Write with a margin of the ground around the letters. */
export function drawOutlined(pen, text, x, y, ground) {
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}

function drawMiddle(pen, { colours, centre, font, width, height }, epoch, leader) {
  const size = Math.max(Math.min(width, height) / 16, 12);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.truth;
  pen.font = `600 ${size}px ${font}`;
  drawOutlined(pen, `epoch ${epoch}`, centre.x, centre.y - size * 0.6, colours.panel);
  pen.font = `${size * 0.6}px ${font}`;
  if (leader) drawOutlined(pen, `★ ${leader} leads`, centre.x, centre.y + size / 2, colours.panel);
}

/** The link that is selected, by the names of its ends. */
function drawChosenLink(pen, { places, colours }, { names }, selection) {
  const ends = selection?.kind === "link" ? selection.id.split("|") : [];
  const [one, other] = ends.map((name) => names.indexOf(name));
  if (!(one >= 0 && other >= 0)) return;
  pen.strokeStyle = colours.consensus;
  pen.lineWidth = 5;
  pen.globalAlpha = 0.4;
  strokeLinks(pen, places, [[one, other]]);
  pen.globalAlpha = 1;
}

/** Draw all of it. */
export function drawGround(pen, scene, { film, time, selection }) {
  const { colours, centre, radius, places } = scene;
  const voters = film.header.nodes;
  const cuts = cutsAt(film, time);
  pen.fillStyle = colours.panel;
  pen.fillRect(0, 0, scene.width, scene.height);
  pen.strokeStyle = colours.faint;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.ellipse(centre.x, centre.y, radius.x, radius.y, 0, 0, 2 * Math.PI);
  pen.stroke();
  if (voters.length <= LINKS_UP_TO) {
    pen.globalAlpha = 0.5;
    strokeLinks(pen, places, linksOf(voters, cuts).open);
    pen.globalAlpha = 1;
  }
  drawChosenLink(pen, scene, film, selection);
  const [whole, single] = [true, false].map((is) =>
    cuts.filter((cut) => isWhole(cut, voters) === is),
  );
  drawCutLinks(pen, scene, linksOf(voters, single).cut);
  for (const cut of whole) drawWholeCut(pen, scene, voters, cut);
  drawMiddle(pen, scene, epochAt(film, time), film.names[leaderAt(film, time)]);
}
