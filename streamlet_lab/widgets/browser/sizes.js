// The size of an element, as the page has laid it out: asking for it would lay out the page anew.

/**
 * Follow the size of an element.
 *
 * @param {HTMLElement} element
 * @param {() => void} changed called with each other size, the first one among them
 * @returns {{width: number, height: number, end: () => void}} in pixels of the page; 0 until known
 */
export function followSize(element, changed) {
  const observer = new ResizeObserver(([{ contentRect }]) => {
    size.width = Math.floor(contentRect.width);
    size.height = Math.floor(contentRect.height);
    changed();
  });
  const size = { width: 0, height: 0, end: () => observer.disconnect() };
  observer.observe(element);
  return size;
}
