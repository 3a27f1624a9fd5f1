// Pictures as files: an SVG of the page with the style that the page gives it, a canvas as PNG.

const KEPT_STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "transform",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

/** Return a canvas as it stands. */
export function pngOf(canvas) {
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Return the text of an SVG file. */
export function pictureOf(element) {
  const copy = element.cloneNode(true);
  const [shown, copied] = [element, copy].map((each) => [each, ...each.querySelectorAll("*")]);
  shown.forEach((each, index) => {
    const style = getComputedStyle(each);
    const kept = KEPT_STYLES.filter(
      (name) => style.getPropertyValue(name) !== "none" || name === "fill",
    );
    copied[index].setAttribute(
      "style",
      kept.map((name) => `${name}: ${style.getPropertyValue(name)}`).join("; "),
    );
    for (const name of ["class", "tabindex", "role", "data-key"])
      copied[index].removeAttribute(name);
  });
  return new XMLSerializer().serializeToString(copy);
}
