// Values of controls: what was typed, and places on a track.

const PLAIN_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** A logarithmic track has this many places; its values have three digits, so that each differs. */
const TRACK_PLACES = 200;

/** Read what was typed: a number where it is one that a float holds, else the text as it is. */
export function readTyped(text) {
  const typed = text.trim();
  const number = Number(typed);
  const isHeld = Number.isSafeInteger(number) || !/^[+-]?\d+$/.test(typed);
  return PLAIN_NUMBER.test(typed) && Number.isFinite(number) && isHeld ? number : typed;
}

/** The attributes of a track with these ends. */
export function trackOf({ low, high, step, scale }) {
  return scale === "log" ? { min: 0, max: TRACK_PLACES, step: 1 } : { min: low, max: high, step };
}

/** Where a value is on its track. */
export function placeOnScale(value, { low, high, scale }) {
  if (scale !== "log") return value;
  return (TRACK_PLACES * Math.log(value / low)) / Math.log(high / low);
}

/** The value of a place on a track. */
export function valueAt(place, { low, high, scale }) {
  if (scale !== "log") return place;
  return Number((low * (high / low) ** (place / TRACK_PLACES)).toPrecision(3));
}
