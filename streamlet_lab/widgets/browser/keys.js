// Keys of the whole bench. Those of controls, panels and the bar of play are their own.

import { chosenPanels, PICTURED } from "./frames.js";

const TYPED_INTO = "input:not([type='range'], [type='checkbox']), textarea, select";

/** Whether a key is of what has the focus, where letters and undo have a meaning already. */
const isTyped = ({ target }) => target.matches(TYPED_INTO);

function chooseByKey(event, store) {
  const { projector, panels } = store.get();
  if (event.key.toLowerCase() === "f") {
    const [first] = chosenPanels(panels).filter((name) => PICTURED.includes(name));
    return store.set({ projector: projector ? null : first });
  }
  if (projector === null) return undefined;
  if (event.key === "Escape") return store.set({ projector: null });
  const name = PICTURED[Number(event.key) - 1];
  return name && chosenPanels(panels).includes(name) ? store.set({ projector: name }) : undefined;
}

/**
 * Listen to the keys of a view. None goes on to the page, whose shortcuts would take it.
 *
 * @param {HTMLElement} root
 * @param {object} store
 * @param {?object} desk what undoes; see desk.js
 * @returns {() => void} ends it
 */
export function listenToKeys(root, store, desk) {
  const press = (event) => {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    event.stopPropagation();
    if (event.defaultPrevented || altKey || isTyped(event)) return;
    if (ctrlKey || metaKey) {
      const isUndo = key.toLowerCase() === "z";
      if (!desk || !(isUndo || key.toLowerCase() === "y")) return;
      event.preventDefault();
      if (isUndo && !shiftKey) desk.undo();
      else desk.redo();
    } else if (!root.querySelector("dialog[open]")) chooseByKey(event, store);
  };
  root.addEventListener("keydown", press);
  return () => root.removeEventListener("keydown", press);
}
