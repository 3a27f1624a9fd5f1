// What comes up over the bench: the code of the experiment, and matplotlib's chart.

import { buttonOf } from "./buttons.js";
import { dom } from "./dom.js";
import { titleOf } from "./frames.js";

/** Make what comes up; Escape and a button close it, and the focus goes back. */
function dialogOf(name, ...children) {
  const close = buttonOf("close", {}, () => dialog.close());
  const dialog = dom(
    "dialog",
    { class: "sl-dialog", "aria-label": name, close: () => dialog.remove() },
    dom("div", { class: "sl-heading" }, dom("h3", { class: "sl-title" }, name), close),
    ...children,
  );
  return dialog;
}

/** Write to the clipboard; false where the browser does not let us. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

class Dialogs {
  constructor(store, link, root) {
    this.store = store;
    this.link = link;
    this.root = root;
    this.figure = null;
    link.on("figure", (message, buffers) => this.draw(message, buffers));
    link.on("saved", ({ path }) => store.set({ notice: `Saved as ${path}.` }));
    link.on("refused", ({ sentence }) => this.refuse(sentence));
  }

  open(dialog) {
    this.root.append(dialog);
    dialog.showModal();
    return dialog;
  }

  /** Copy the code; it can be copied by hand too. */
  async copyCode() {
    const { code } = this.store.get();
    const text = dom("textarea", {
      class: "sl-code",
      readonly: true,
      rows: Math.min(code.split("\n").length + 1, 24),
      "aria-label": "code of the experiment",
      spellcheck: "false",
    });
    text.value = code;
    const said = dom("p", { class: "sl-note", role: "status" });
    this.open(dialogOf("This experiment as code", text, said));
    text.focus();
    text.select();
    const isCopied = await copyText(code);
    said.textContent = isCopied
      ? "Copied. It gives the same numbers."
      : "The browser does not let a page copy here: press Ctrl+C.";
  }

  askFigure(panel) {
    const body = dom("div", { class: "sl-drawn" }, dom("p", { role: "status" }, "drawing…"));
    const dialog = dialogOf(`${titleOf(panel)}, drawn by matplotlib`, body);
    this.figure = { panel, body, dialog };
    this.open(dialog);
    this.link.send({ type: "figure", panel });
  }

  draw({ panel }, [bytes]) {
    if (!this.figure?.dialog.isConnected || this.figure.panel !== panel || !bytes) return;
    const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    const { title } = this.store.get().film?.header ?? {};
    const image = dom("img", { src: address, alt: `${titleOf(panel)}: ${title ?? ""}` });
    const save = dom("a", { href: address, download: `${panel}.png`, class: "sl-button" }, "save PNG");
    this.figure.body.replaceChildren(image, save);
    this.figure.dialog.addEventListener("close", () => URL.revokeObjectURL(address));
  }

  refuse(sentence) {
    if (this.figure?.dialog.isConnected && !this.figure.body.querySelector("img")) {
      this.figure.body.replaceChildren(dom("p", { role: "status" }, sentence));
    } else {
      this.store.set({ notice: sentence });
    }
  }

  destroy() {
    for (const dialog of this.root.querySelectorAll("dialog")) dialog.close();
  }
}

/**
 * @param {object} store
 * @param {object} link see link.js
 * @param {HTMLElement} root where they stand
 */
export const dialogsOf = (store, link, root) => new Dialogs(store, link, root);
