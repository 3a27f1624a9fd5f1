// Making elements: attributes by name, children as elements or text.

const SVG_SPACE = "http://www.w3.org/2000/svg";

function fillElement(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/**
 * Make an HTML element.
 *
 * @param {string} tag
 * @param {object} [attributes] a function is a listener of the event by that name; true an
 *   attribute without a value; false, null and undefined are left out
 * @param {...(Node|string)} children text is text, never markup
 */
export function dom(tag, attributes = {}, ...children) {
  return fillElement(document.createElement(tag), attributes, children);
}

/** Make an SVG element in the same way. */
export function svg(tag, attributes = {}, ...children) {
  return fillElement(document.createElementNS(SVG_SPACE, tag), attributes, children);
}

/** Set what differs, so that nothing is announced or laid out twice. */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== `${value}`) element.setAttribute(name, value);
  }
}

/** Set a text that differs, for the same reason. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
