// Numbers along an axis: from values to pixels, ticks at round numbers, and fewer points where
// there are more than pixels.

import { countUpTo } from "./film.js";

const ROUND_STEPS = [1, 2, 5, 10];
/** Of more points than these, of each column of pixels the lowest and the highest are drawn. */
const DENSE = 2000;
const BY_DIGITS = new Map();

/** From values to pixels (`of`) and back. */
export function linearScale([low, high], [from, to]) {
  const slope = (to - from) / (high - low || 1);
  return {
    low,
    high,
    from,
    to,
    of: (value) => from + (value - low) * slope,
    back: (pixel) => low + (pixel - from) / slope,
  };
}

/**
 * Round numbers in a range, at most `most` and one, and the step between them.
 * @returns {{step: number, ticks: number[]}}
 */
export function ticksOf(low, high, most, least = 0) {
  const rough = Math.max((high - low) / Math.max(most, 1), least, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  const step = power * ROUND_STEPS.find((each) => each * power >= rough * (1 - 1e-9));
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  const count = Math.max(last - first + 1, 0);
  return { step, ticks: Array.from({ length: count }, (_, index) => (first + index) * step) };
}

/** A number with so many digits after the point, thousands apart. */
export function withDigits(value, digits) {
  if (!BY_DIGITS.has(digits)) {
    const fixed = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    BY_DIGITS.set(digits, new Intl.NumberFormat("en-US", fixed));
  }
  const text = BY_DIGITS.get(digits).format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** The text of a tick: as many digits as the step needs. */
export function tickText(value, step) {
  return withDigits(value, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

/** The rows of a sorted column that show in a range: one beyond each end, so that lines go on. */
export function rowsWithin(x, low, high) {
  return [Math.max(countUpTo(x, low) - 1, 0), Math.min(countUpTo(x, high) + 1, x.length)];
}

/**
 * The rows to draw a line through: all, or of each column of pixels the first, the lowest, the
 * highest and the last.
 * @returns {number[]}
 */
export function thinned(x, y, scale) {
  const [first, end] = rowsWithin(x, scale.low, scale.high);
  if (end - first <= DENSE) return Array.from({ length: end - first }, (_, at) => first + at);
  const rows = [];
  for (let row = first; row < end; ) {
    const column = Math.floor(scale.of(x[row]));
    let [lowest, highest, last] = [row, row, row];
    for (; last < end && Math.floor(scale.of(x[last])) === column; last += 1) {
      if (y[last] < y[lowest]) lowest = last;
      if (y[last] > y[highest]) highest = last;
    }
    const kept = [row, lowest, highest, last - 1].sort((a, b) => a - b);
    rows.push(...kept.filter((each, at) => each !== kept[at - 1]));
    row = last;
  }
  return rows;
}
