// The legend of a chart: what each sign means, and buttons that switch the series on and off.

import { dom, setAttributes, svg } from "./dom.js";
import { signOf } from "./legend.js";
import { isSolid, shapeOf } from "./marks.js";

/** Whether a series of a chart is switched on. */
export const isShown = (switches, chart, { name, hidden }) =>
  switches[`${chart}.${name}`] ?? !hidden;

function signOfLine({ dash, width = 1.5, kind }) {
  return svg("path", {
    d: kind === "step" ? "M0,9H8V3H20" : "M0,6H20",
    fill: "none",
    stroke: "currentcolor",
    "stroke-width": Math.max(width, 1.5),
    "stroke-dasharray": dash?.join(" "),
  });
}

function signOfShape(shape) {
  return svg("path", {
    d: shapeOf(shape),
    transform: "translate(10 6) scale(4)",
    fill: isSolid(shape) ? "currentcolor" : "none",
    stroke: "currentcolor",
    "stroke-width": 1.6,
    "vector-effect": "non-scaling-stroke",
  });
}

const signOfBand = () =>
  svg("path", {
    d: "M0,1H20V11H0Z",
    fill: "currentcolor",
    "fill-opacity": 0.25,
    stroke: "currentcolor",
  });

/** The sign of a switch: of its series, one over the other. */
function switchSign(series) {
  const parts = series.map((each) => {
    if (each.kind === "band") return signOfBand();
    return each.shape ? signOfShape(each.shape) : signOfLine(each);
  });
  return signOf(parts, { style: `color: var(--sl-${series[0].colour})` });
}

/** Gather series by their switch, in order. */
function bySwitch(all) {
  const groups = new Map();
  for (const series of all) {
    groups.set(series.name, [...(groups.get(series.name) ?? []), series]);
  }
  return groups;
}

/** The switches of a chart; they are made anew only where they differ, to keep the focus. */
export function createSwitches(title, press) {
  const element = dom("div", {
    class: "sl-switches",
    role: "group",
    "aria-label": `series of ${title}`,
  });
  const buttons = new Map();

  function buttonOf(name) {
    const button = dom("button", {
      type: "button",
      class: "sl-switch",
      click: () => press(name, button.getAttribute("aria-pressed") !== "true"),
    });
    return button;
  }

  return {
    element,
    show(all, isOn) {
      const groups = bySwitch(all);
      const names = [...groups.keys()];
      if (names.join() !== [...buttons.keys()].join()) {
        buttons.clear();
        for (const name of names) buttons.set(name, buttonOf(name));
        element.replaceChildren(...buttons.values());
      }
      for (const [name, series] of groups) {
        const button = buttons.get(name);
        const { label, means } = series[0];
        if (button.textContent !== label) button.replaceChildren(switchSign(series), label);
        setAttributes(button, { "aria-pressed": isOn(series[0]), title: means ?? label });
      }
    },
  };
}
