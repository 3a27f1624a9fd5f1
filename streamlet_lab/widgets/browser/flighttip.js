// What a message is that the pointer is on: from whom, to whom, for which block, and when.

import { flightAt } from "./flights.js";
import { showBeside, tipBox } from "./tip.js";
import { sayFlight } from "./words.js";

/**
 * Say in a box which message the pointer is on, wherever it flies on to.
 *
 * @param {HTMLCanvasElement} picture of the messages
 * @param {object} store
 * @param {() => ?object} sceneOf as it is drawn now; see network.js
 * @returns {{element: HTMLElement, end: () => void}}
 */
export function flightTip(picture, store, sceneOf) {
  const element = tipBox();
  let pointer = null;
  const show = () => {
    const { time, reducedMotion } = store.get();
    const scene = sceneOf();
    const isSeen = pointer && scene?.film.header.has_trace && !reducedMotion;
    const row = isSeen ? flightAt(pointer, scene.film, time, scene) : -1;
    element.hidden = row < 0;
    if (element.hidden) return;
    showBeside(element, sayFlight(scene.film, row), pointer.x, scene.width);
    element.style.top = pointer.y > scene.height / 2 ? "4px" : "auto";
    element.style.bottom = pointer.y > scene.height / 2 ? "auto" : "4px";
  };
  const move = (point) => {
    pointer = point;
    show();
  };
  picture.addEventListener("pointermove", ({ offsetX: x, offsetY: y }) => move({ x, y }));
  picture.addEventListener("pointerleave", () => move(null));
  return { element, end: store.on(["film", "time"], show) };
}
