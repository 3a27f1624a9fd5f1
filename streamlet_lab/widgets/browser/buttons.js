// Buttons. One that has nothing to do now keeps the focus, so that the keyboard is not lost.

import { dom, setAttributes } from "./dom.js";

const isOff = (button) => button.getAttribute("aria-disabled") === "true";

/**
 * Make a button.
 *
 * @param {string} words
 * @param {object} attributes beside those of every button; see dom.js
 * @param {(event: Event) => void} press
 */
export function buttonOf(words, attributes, press) {
  const button = dom(
    "button",
    {
      type: "button",
      class: "sl-button",
      ...attributes,
      click: (event) => {
        if (!isOff(button)) press(event);
      },
    },
    words,
  );
  return button;
}

/** Let a button have something to do, or not. */
export function enable(button, isOn) {
  setAttributes(button, { "aria-disabled": !isOn });
}
