// What is in sight as one picture, PNG or SVG: texts, signs and drawings, each where it stands.

import { svg } from "./dom.js";
import { pixelRatio } from "./look.js";

const KEPT_STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "opacity",
  "paint-order",
  "transform",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];
const DROPPED = ["class", "tabindex", "role", "aria-label", "aria-pressed"];
const UNSEEN = ".sl-unseen, option";
/** After so many pictures of the screen everything is drawn for the picture. */
const SETTLED = 4;
/** Where letters stand, of the height of a line below its middle, as a share of their size. */
const BASELINE = 0.35;
const MARGIN_PX = 8;

/** A drawing with the style that the page gives it. */
function styledCopy(drawing) {
  const copy = drawing.cloneNode(true);
  const [shown, copied] = [drawing, copy].map((each) => [each, ...each.querySelectorAll("*")]);
  shown.forEach((each, index) => {
    const style = getComputedStyle(each);
    const kept = KEPT_STYLES.filter(
      (name) => style.getPropertyValue(name) !== "none" || name === "fill",
    );
    const said = kept.map((name) => `${name}: ${style.getPropertyValue(name)}`).join("; ");
    copied[index].setAttribute("style", said);
    for (const name of DROPPED) copied[index].removeAttribute(name);
  });
  return copy;
}

/** The part of a drawing that is in sight: a tall one is scrolled in its stage. */
function placedDrawing(drawing, { left, top }) {
  const box = drawing.getBoundingClientRect();
  if (!box.width || !box.height) return null;
  const stage = (drawing.closest(".sl-stage") ?? drawing).getBoundingClientRect();
  const height = Math.min(box.bottom, stage.bottom) - Math.max(box.top, stage.top);
  const y = Math.max(box.top, stage.top) - top;
  const place = { x: box.left - left, y, width: box.width, height };
  if (drawing.localName === "canvas") return svg("image", { href: drawing.toDataURL(), ...place });
  const copy = styledCopy(drawing);
  const shown = drawing.viewBox.baseVal;
  const scale = shown.width / box.width;
  const from = shown.y + Math.max(stage.top - box.top, 0) * scale;
  copy.setAttribute("viewBox", [shown.x, from, shown.width, height * scale].join(" "));
  for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
  return copy;
}

/** The lines of a text as the page has broken it, each with its box. */
function brokenLines(text) {
  const lines = [];
  const range = document.createRange();
  for (const { 0: word, index } of text.data.matchAll(/\S+/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const box = range.getBoundingClientRect();
    const last = lines.at(-1);
    if (!box.width) continue;
    if (last && Math.abs(last.box.top - box.top) < 1) last.words += ` ${word}`;
    else lines.push({ words: word, box });
  }
  return lines;
}

/** The text of an element, line by line, as far as its panel shows it. */
function placedText(text, { left, top }) {
  const parent = text.parentElement;
  if (parent.closest(`svg, ${UNSEEN}`)) return [];
  const frame = parent.closest(".sl-frame")?.getBoundingClientRect();
  const style = getComputedStyle(parent);
  const size = parseFloat(style.fontSize);
  const look = { fill: style.color, "font-size": size, "font-weight": style.fontWeight };
  const isShown = ({ box }) => !frame || box.bottom <= frame.bottom + 1;
  return brokenLines(text)
    .filter(isShown)
    .map(({ words, box }) => {
      const y = (box.top + box.bottom) / 2 - top + size * BASELINE;
      return svg("text", { x: box.left - left, y, ...look }, words);
    });
}

/** Everything that stands in an element, in the order of the page. */
function placedParts(element, origin) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  const parts = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) parts.push(...placedText(node, origin));
    else if (node.matches("canvas, svg")) parts.push(placedDrawing(node, origin));
  }
  return parts.filter(Boolean);
}

const nextPicture = () => new Promise((done) => requestAnimationFrame(done));

/** Return an SVG of what is in sight in an element, once all is drawn for it. */
export async function svgOfView(element) {
  for (let count = 0; count < SETTLED; count += 1) await nextPicture();
  const box = element.getBoundingClientRect();
  const origin = { left: box.left - MARGIN_PX, top: box.top - MARGIN_PX };
  const [width, height] = [box.width + 2 * MARGIN_PX, box.height + 2 * MARGIN_PX];
  const style = getComputedStyle(element.closest(".sl-bench"));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, "font-family": style.fontFamily },
    svg("rect", { width, height, fill: style.backgroundColor }),
    ...placedParts(element, origin),
  );
}

const textOfFile = (picture) => new XMLSerializer().serializeToString(picture);

export const blobOf = (picture) => new Blob([textOfFile(picture)], { type: "image/svg+xml" });

/** Return a PNG of an SVG. */
export async function pngOf(picture) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOfFile(picture))}`;
  await image.decode();
  const ratio = pixelRatio({ shooting: true });
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * ratio);
  canvas.height = Math.round(image.height * ratio);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Hand a file to the browser. */
export function download(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
