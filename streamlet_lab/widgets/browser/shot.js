// What is in sight as one picture, PNG or SVG, with the sentence that says what was run.

import { svg } from "./dom.js";
import { titleOf } from "./frames.js";
import { pngOf } from "./picture.js";

const HEAD_PX = 44;
const NAME_PX = 20;
const PLACES = "canvas, svg";

/** Where the drawing of a panel is, of all in it the largest. */
function drawingOf({ element }) {
  const size = (each) => each.clientWidth * each.clientHeight;
  const all = [...element.querySelectorAll(PLACES)].sort((one, other) => size(other) - size(one));
  return all[0] ?? null;
}

function dataOf(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** The address of a panel's picture: of what it exports, else of its canvas. */
async function addressOf(panel, drawing) {
  const text = panel.toSVG && (await panel.toSVG());
  if (text) return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  const blob = await (panel.toPNG ? panel.toPNG() : pngOf(drawing));
  return blob ? dataOf(blob) : null;
}

/** Each panel's picture, and where it stands below the head. */
async function placedPictures(frames) {
  const origin = frames.element.getBoundingClientRect();
  const placed = frames.inSight().map(async ([name, panel]) => {
    const drawing = drawingOf(panel);
    const { left, top, width, height } = (drawing ?? panel.element).getBoundingClientRect();
    const address = drawing && width && height ? await addressOf(panel, drawing) : null;
    const place = { x: left - origin.left, y: top - origin.top + HEAD_PX, width, height };
    return { name, address, ...place };
  });
  const pictures = (await Promise.all(placed)).filter(({ address }) => address);
  return { pictures, width: origin.width, height: origin.height + HEAD_PX };
}

/** Return the text of an SVG file of what is in sight. */
export async function svgOfView(frames, { film }) {
  const { pictures, width, height } = await placedPictures(frames);
  const style = getComputedStyle(frames.element);
  const text = (x, y, size, words) =>
    svg("text", { x, y, "font-size": size, fill: style.color, "font-family": "sans-serif" }, words);
  const picture = svg(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height },
    svg("rect", { width, height, fill: backgroundOf(frames.element) }),
    text(8, 18, 14, film?.header.title ?? ""),
    ...pictures.flatMap(({ name, address, x, y, ...size }) => [
      text(x, Math.max(y - 5, HEAD_PX - NAME_PX), 12, titleOf(name)),
      svg("image", { href: address, x, y, ...size }),
    ]),
  );
  return new XMLSerializer().serializeToString(picture);
}

function backgroundOf(element) {
  const bench = element.closest(".sl-bench") ?? element;
  return getComputedStyle(bench).backgroundColor;
}

/** Return a PNG of what is in sight, at the resolution of the screen. */
export async function pngOfView(frames, state) {
  const text = await svgOfView(frames, state);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * ratio);
  canvas.height = Math.round(image.height * ratio);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return pngOf(canvas);
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
