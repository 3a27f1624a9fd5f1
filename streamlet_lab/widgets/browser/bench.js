// The bench: everything in one view, with a kernel behind it or a recorded run alone.

import { createDesk } from "./desk.js";
import { dialogsOf } from "./dialogs.js";
import { dom } from "./dom.js";
import { framesOf } from "./frames.js";
import { listenToKeys } from "./keys.js";
import { connect } from "./link.js";
import { playPanel } from "./playbar.js";
import { readoutOf } from "./readout.js";
import { sidebarOf } from "./sidebar.js";
import { spokenOf } from "./spoken.js";
import { createStore } from "./store.js";
import { followSurroundings } from "./surroundings.js";
import { toolbarOf } from "./toolbar.js";

/** What a view has in its state beside what its panels share; see store.js. */
const VIEW_START = {
  ...{ controls: [], presets: [], settings: {}, touches: [], panels: [], shown: [], code: "" },
  ...{ busy: false, due: false, trouble: "", notice: "", themeChoice: "auto", shooting: false },
};

/** Show one panel large, over the whole page, while there is a projector. */
function followProjector(store, root) {
  let focused = null;
  return store.on(["projector"], ({ projector }) => {
    const isOn = projector !== null;
    if (isOn === root.classList.contains("sl-projector")) return;
    if (isOn) focused = document.activeElement;
    root.classList.toggle("sl-projector", isOn);
    // In the top layer nothing of the page cuts it off.
    if (isOn) {
      root.setAttribute("popover", "manual");
      root.showPopover?.();
      root.focus();
    } else {
      root.hidePopover?.();
      root.removeAttribute("popover");
      if (focused?.isConnected) focused.focus();
    }
  });
}

/** Make a view; of a recorded run there is no model. */
function makeView(element, { model = null, film = null }) {
  const store = createStore({ ...VIEW_START, film });
  // Whatever a page would take keys for, here they are the bench's.
  const root = dom("div", { class: "sl-bench", tabindex: -1, "data-lm-suppress-shortcuts": "true" });
  const ends = [followSurroundings(store, root), followProjector(store, root)];
  const link = model && connect(model, store);
  const desk = link && createDesk(store, link);
  const dialogs = link && dialogsOf(store, link, root);
  const frames = framesOf(store, dialogs && ((panel) => dialogs.askFigure(panel)));
  const toolbar = toolbarOf(store, frames, link && { link, dialogs });
  const parts = [readoutOf(store), toolbar, playPanel(store), frames, spokenOf(store)];
  const sidebar = desk && sidebarOf(store, desk);
  const [readout, , play, , spoken] = parts;
  const stage = dom(
    "div",
    { class: "sl-main" },
    toolbar.element,
    readout.element,
    play.element,
    frames.element,
  );
  root.append(dom("div", { class: "sl-shell" }, sidebar?.element, stage), spoken.element);
  root.classList.toggle("sl-replay", !model);
  ends.push(listenToKeys(root, store, desk));
  ends.push(store.on(["shooting"], (state) => root.classList.toggle("sl-shot", state.shooting)));
  // Who hears of a film last says which question it answers: all panels show it.
  ends.push(store.on(["film"], () => root.setAttribute("data-drawn", link?.answered ?? 0)));
  element.append(root);
  const made = [...parts, sidebar, dialogs, desk, link].filter(Boolean);
  return {
    store,
    root,
    destroy() {
      for (const end of ends) end();
      for (const part of made) part.destroy();
      root.remove();
    },
  };
}

/**
 * Play a recorded run, without a kernel.
 *
 * @param {HTMLElement} element
 * @param {object} film see film.js
 * @returns {{store: object, root: HTMLElement, destroy: () => void}}
 */
export function mountReplay(element, film) {
  return makeView(element, { film });
}

/** Draw a view of a widget; anywidget calls what is returned when the view is removed. */
function render({ model, el }) {
  const view = makeView(el, { model });
  return () => view.destroy();
}

export default { render };
