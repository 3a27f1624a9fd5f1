// What numbers are entered with: a track with a box beside it, and a pair of them.

import { dom, setAttributes } from "./dom.js";
import { placeOnScale, readTyped, trackOf, valueAt } from "./values.js";

const NEVER = "never";

/**
 * A track and a box for one number.
 *
 * @param {object} names id of the track, label of both
 * @param {(value: *, isHeld: boolean) => void} send
 * @param {() => void} letGo a drag is over
 */
function makeTrack({ id, label }, send, letGo) {
  let about = null;
  let isTyping = false;
  const track = dom("input", {
    id,
    type: "range",
    class: "sl-range",
    "aria-label": label,
    input: () => {
      const isEnd = about.open && track.valueAsNumber >= about.high;
      send(isEnd ? null : valueAt(track.valueAsNumber, about), true);
    },
    change: letGo,
  });
  const box = dom("input", {
    type: "text",
    class: "sl-box",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-label": `${label}, typed`,
    input: () => {
      isTyping = true;
    },
    change: () => {
      isTyping = false;
      const isOpen = about.open && ["", NEVER].includes(box.value.trim());
      send(isOpen ? null : readTyped(box.value), false);
    },
    keydown: (event) => {
      if (event.key !== "Escape" || !isTyping) return;
      isTyping = false;
      event.stopPropagation();
      show(about.shown, about);
    },
  });

  function show(value, described) {
    about = { ...described, shown: value };
    setAttributes(track, trackOf(about));
    const text = value === null ? NEVER : `${value}`;
    const number = value === null ? about.high : Number(value);
    if (Number.isFinite(number)) track.value = placeOnScale(number, about);
    setAttributes(track, {
      "aria-valuetext": value !== null && about.unit ? `${text} ${about.unit}` : text,
    });
    if (!isTyping) box.value = text;
  }

  return { track, box, show };
}

/** One number. */
export function trackEntry({ desk, name, id, about }) {
  const send = (value, isHeld) => desk.change(name, value, isHeld);
  const { track, box, show } = makeTrack({ id, label: about.label }, send, () => desk.letGo());
  return { beside: [box], below: [track], inputs: [track, box], show };
}

/** A start and a stop; who moves one beyond the other takes it along. */
export function pairEntry({ desk, name, id, about }) {
  let pair = about.value;
  const ends = ["from", "to"].map((word, place) => {
    const send = (value, isHeld) => {
      const next = [...pair];
      next[place] = value;
      if (isHeld && next[1] !== null && next[0] > next[1]) next[1 - place] = value;
      desk.change(name, next, isHeld);
    };
    const names = { id: place ? `${id}-stop` : id, label: `${about.label} ${word}` };
    return { word, ...makeTrack(names, send, () => desk.letGo()) };
  });
  const rows = ends.map(({ word, track, box }) =>
    dom("div", { class: "sl-line sl-pair" }, dom("span", { "aria-hidden": "true" }, word), track, box),
  );
  return {
    below: rows,
    inputs: ends.flatMap(({ track, box }) => [track, box]),
    show: (value, described) => {
      pair = Array.isArray(value) ? value : described.value;
      ends.forEach(({ show }, place) => {
        show(pair[place] ?? null, { ...described, open: described.open && place === 1 });
      });
    },
  };
}
