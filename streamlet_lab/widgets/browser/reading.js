// What can be read off a chart: the values at an instant, and the points near a place.

import { countUpTo } from "./film.js";
import { placeBar, placeDot } from "./marks.js";

/** A pointer so near to a point means it, in pixels. */
const NEAR_PX = 10;

/** The row of a series that tells of an instant; -1 if none does. */
export function rowAt({ kind, x, x1 }, t, reach) {
  if (kind === "step" || kind === "band") return countUpTo(x, t) - 1;
  if (kind === "bars") return x.findIndex((left, row) => left <= t && t < x1[row]);
  let nearest = -1;
  let least = kind === "line" ? Infinity : reach;
  for (let row = 0; row < x.length; row += 1) {
    const distance = Math.abs(x[row] - t);
    if (distance > least) continue;
    [least, nearest] = [distance, row];
  }
  return nearest;
}

/** What each series of the panes says of an instant. */
export function readingsAt(all, t) {
  const readings = [];
  for (const { pane, x } of all) {
    const reach = x.back(NEAR_PX) - x.back(0);
    for (const series of pane.series) {
      const row = series.says ? rowAt(series, t, reach) : -1;
      const says = row < 0 ? "" : series.says(row);
      if (says) readings.push({ series, row, says });
    }
  }
  return readings;
}

/** The units of a bar, as points. */
function unitsAt(series, axes, row) {
  const units = row < 0 ? 0 : series.y[row] - series.y1[row];
  const { left, right, bottom, width, height } = placeBar(series, row, axes);
  return Array.from({ length: units }, (_, unit) => ({
    series,
    row,
    unit,
    x: (left + right) / 2,
    y: bottom - ((unit + 0.5) * height) / units,
    reach: { x: Math.max(width / 2, 2), y: height / units / 2 },
  }));
}

/** The points at an instant that a click selects, each with its place in pixels. */
export function pointsAt(all, t, reach = 0.5) {
  const points = [];
  for (const axes of all) {
    const at = axes.x.of(t);
    for (const series of axes.pane.series) {
      if (!series.selects) continue;
      if (series.kind === "bars") points.push(...unitsAt(series, axes, rowAt(series, t)));
      if (series.kind !== "dots") continue;
      for (let row = 0; row < series.x.length; row += 1) {
        if (Number.isNaN(series.y[row])) continue;
        const { x, y } = placeDot(series, row, axes);
        const isIn = x >= axes.left - 1 && x <= axes.right + 1;
        if (isIn && Math.abs(x - at) <= reach) points.push({ series, row, x, y });
      }
    }
  }
  return points;
}

/** The point that a pointer means, or null. */
export function pointUnder(all, { x, y }) {
  const near = pointsAt(all, all[0].x.back(x), NEAR_PX).map((point) => {
    const [across, along] = [Math.abs(point.x - x), Math.abs(point.y - y)];
    const { reach } = point;
    if (reach) return { point, distance: along <= reach.y ? 0 : Infinity };
    return { point, distance: Math.hypot(across, along) };
  });
  near.sort((one, other) => one.distance - other.distance);
  return near[0]?.distance <= NEAR_PX ? near[0].point : null;
}

/** Where what is selected is drawn. */
export function placesOf(all, { kind, id }) {
  const places = [];
  for (const axes of all) {
    for (const series of axes.pane.series.filter(({ selects }) => selects)) {
      const isMeant = (row, unit) => {
        const one = series.selects(row, unit);
        return one.kind === kind && one.id === id;
      };
      for (let row = 0; row < series.x.length; row += 1) {
        const { x, x1 } = series;
        if (x[row] > axes.x.high || (x1 ?? x)[row] < axes.x.low) continue;
        if (series.kind === "dots") {
          if (isMeant(row) && !Number.isNaN(series.y[row])) places.push(placeDot(series, row, axes));
        } else if (series.kind === "bars") {
          const units = unitsAt(series, axes, row);
          places.push(...units.filter(({ unit }) => isMeant(row, unit)));
        }
      }
    }
  }
  return places;
}

/** The instants that have something to read, in order: where arrows go. */
export function instantsOfPanes(all) {
  const times = all.flatMap(({ pane, x }) =>
    pane.series
      .filter(({ says }) => says)
      .flatMap(({ kind, x: left, x1, y }) =>
        Array.from(left, (t, row) => (kind === "bars" ? (t + x1[row]) / 2 : t)).filter(
          (t, row) => t >= x.low && t <= x.high && !(y && Number.isNaN(y[row])),
        ),
      ),
  );
  return times.sort((a, b) => a - b).filter((t, at, sorted) => t !== sorted[at - 1]);
}
