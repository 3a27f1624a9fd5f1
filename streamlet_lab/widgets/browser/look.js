// How the page has what is drawn: sizes, letters, colours, and the pixels of its screen.

/** A picture that is saved has at least so many pixels for one of the page, for print. */
const SAVED_RATIO = 3;

/** The pixels of a canvas for one of the page; more while a picture is taken. */
export const pixelRatio = ({ shooting }) =>
  Math.max(window.devicePixelRatio || 1, shooting ? SAVED_RATIO : 1);

/**
 * Follow the size of an element and the size of its text; of what is drawn on a canvas also font,
 * colours (`--sl-<name>`) and pixels. The page has laid it out: asking would lay it out anew.
 *
 * @param {object} store
 * @param {HTMLElement} element
 * @param {?string[]} colours the names of those that a canvas is drawn in; null for none
 * @param {() => void} changed called with each other look, the first one among them
 * @returns {{look: {width: number, height: number, letter: number, font: string, ratio: number,
 *   colours: Object<string, string>}, end: () => void}} in pixels of the page; the size is 0 until
 *   known
 */
export function followLook(store, element, colours, changed) {
  const look = {
    width: 0,
    height: 0,
    // A window may be moved to another screen at any time.
    get ratio() {
      return pixelRatio(store.get());
    },
  };
  function dress() {
    const style = getComputedStyle(element);
    look.letter = parseFloat(style.fontSize);
    if (colours) {
      const read = (name) => [name, style.getPropertyValue(`--sl-${name}`).trim() || "#808080"];
      look.colours = Object.fromEntries(colours.map(read));
      look.font = style.fontFamily;
    }
    changed();
  }
  const observer = new ResizeObserver(([{ contentRect }]) => {
    look.width = Math.floor(contentRect.width);
    look.height = Math.floor(contentRect.height);
    dress();
  });
  observer.observe(element);
  const heard = colours ? ["theme", "projector", "shooting"] : ["projector"];
  // Whoever changes the theme of the page may hear of it after this panel.
  const off = store.on(heard, () => requestAnimationFrame(dress));
  const end = () => {
    observer.disconnect();
    off();
  };
  return { look, end };
}

/** Give canvases the size of a scene, where they have another: they lose what is drawn. */
export function fitCanvases(canvases, { width, height, ratio }) {
  const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
  for (const canvas of canvases) {
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
  }
}

/** A canvas's pen, for a scene in pixels of the page. */
export function penFor(canvas, { ratio }) {
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}
