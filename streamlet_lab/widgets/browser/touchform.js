// Touching the run at the instant where it stands, and the list of what was done.

import { buttonOf, enable } from "./buttons.js";
import { dom, setText } from "./dom.js";
import { readTyped } from "./values.js";
import { inSeconds } from "./words.js";

const ALL_OTHERS = "";

const labelled = (text, input) => dom("label", { class: "sl-field" }, `${text} `, input);

function boxOf(label, value, placeholder = "") {
  return dom("input", {
    type: "text",
    class: "sl-box",
    inputmode: "decimal",
    autocomplete: "off",
    "aria-label": label,
    value,
    placeholder,
  });
}

/** Whether a refused field is one of a touch: by its place, or by what was done and when. */
export const isOfTouch = (field) => /^touches| at [\d.]+ s: /.test(field);

/** Say what was done; as Python's `Touch.words`, with the numbers. */
export function sayTouch({ kind, nodes = [], at, percent, side, quantity, price }) {
  const what = {
    jump: `price jumps by ${percent} %`,
    order: `${side} ${quantity}${price === undefined ? "" : ` at $${price}`}`,
    heal: `heal ${nodes.join(" and ") || "everything"}`,
  };
  return `${what[kind] ?? `${kind} ${nodes.join(" and ")}`}, at ${inSeconds(at)}`;
}

class TouchForm {
  constructor(store, desk) {
    this.store = store;
    this.desk = desk;
    this.names = "";
    this.selected = null;
    this.node = dom("select", { class: "sl-menu", "aria-label": "node to touch" });
    this.other = dom("select", { class: "sl-menu", "aria-label": "other end of the link" });
    this.percent = boxOf("jump in percent", "8");
    this.side = dom(
      "select",
      { class: "sl-menu", "aria-label": "side of the order" },
      dom("option", { value: "buy" }, "buy"),
      dom("option", { value: "sell" }, "sell"),
    );
    this.quantity = boxOf("quantity of the order", "10");
    this.price = boxOf("price of the order", "", "market");
    this.instant = dom("p", { class: "sl-instant" });
    this.list = dom("ul", { class: "sl-touches", "aria-label": "what was done" });
    this.wrong = dom("p", { class: "sl-wrong" });
    this.element = this.build();
    const heard = ["film", "time", "touches", "selection", "status"];
    this.off = store.on(heard, (state) => this.draw(state));
    this.draw(store.get());
  }

  build() {
    const one = (kind) => this.button(kind, () => this.send(kind, [this.node.value]));
    const link = (kind) => this.button(kind, () => this.send(kind, this.ends()));
    const jump = () => this.send("jump", [], { percent: readTyped(this.percent.value) });
    return dom(
      "details",
      { class: "sl-section sl-touch", open: true, "data-section": "touch" },
      dom("summary", {}, "Touch"),
      this.instant,
      dom("div", { class: "sl-line" }, labelled("node", this.node)),
      dom("div", { class: "sl-line" }, one("crash"), one("revive"), one("equivocate")),
      dom("div", { class: "sl-line" }, labelled("its link to", this.other)),
      dom(
        "div",
        { class: "sl-line" },
        link("cut"),
        link("heal"),
        this.button("heal all", () => this.send("heal", [])),
      ),
      dom("div", { class: "sl-line" }, labelled("price, %", this.percent), this.button("jump", jump)),
      dom(
        "div",
        { class: "sl-line" },
        this.side,
        this.quantity,
        labelled("at $", this.price),
        this.button("order", () => this.order()),
      ),
      this.list,
      this.wrong,
    );
  }

  button(kind, press) {
    return buttonOf(kind, { "data-touch": kind }, press);
  }

  ends() {
    const [node, other] = [this.node.value, this.other.value];
    return other === ALL_OTHERS ? [node] : [node, other];
  }

  send(kind, nodes, more = {}) {
    this.desk.touch({ kind, ...(nodes.length ? { nodes } : {}), ...more });
  }

  order() {
    const price = this.price.value.trim();
    this.send("order", [], {
      side: this.side.value,
      quantity: readTyped(this.quantity.value),
      ...(price ? { price: readTyped(price) } : {}),
    });
  }

  draw(state) {
    const { film, time, touches } = state;
    const names = film?.header.nodes ?? [];
    if (names.join() !== this.names) this.nameNodes(names);
    this.follow(state.selection);
    const isOver = !film || time >= film.header.end_s;
    for (const button of this.element.querySelectorAll("[data-touch]")) enable(button, !isOver);
    const words = isOver ? "Stand at an instant before the end." : `At ${inSeconds(time)}:`;
    setText(this.instant, words);
    this.listTouches(touches, state);
  }

  nameNodes(names) {
    const [node, other] = [this.node.value, this.other.value];
    this.names = names.join();
    const options = () => names.map((name) => dom("option", { value: name }, name));
    this.node.replaceChildren(...options());
    this.other.replaceChildren(dom("option", { value: ALL_OTHERS }, "all others"), ...options());
    this.node.value = names.includes(node) ? node : (names.at(-1) ?? "");
    this.other.value = names.includes(other) ? other : ALL_OTHERS;
  }

  /** What is clicked in the network is what is touched. */
  follow(selection) {
    if (selection === this.selected) return;
    this.selected = selection;
    const named = (name) => this.names.split(",").includes(name);
    if (selection?.kind === "node" && named(selection.id)) this.node.value = selection.id;
    if (selection?.kind === "link") {
      const [node, other] = selection.id.split("|");
      if (named(node) && named(other)) [this.node.value, this.other.value] = [node, other];
    }
  }

  listTouches(touches, { status }) {
    const isWrong = status.state === "refused" && isOfTouch(status.field);
    setText(this.wrong, isWrong ? status.sentence : "");
    const key = JSON.stringify(touches);
    if (this.list.dataset.key === key) return;
    this.list.dataset.key = key;
    const items = touches.map((touch, place) => {
      const undo = `undo: ${sayTouch(touch)}`;
      const named = { class: "sl-small", "aria-label": undo, title: undo };
      const remove = buttonOf("✕", named, () => this.desk.untouch(place));
      return dom("li", {}, sayTouch(touch), " ", remove);
    });
    this.list.replaceChildren(...items);
    this.list.hidden = !items.length;
  }

  destroy() {
    this.off();
    this.element.remove();
  }
}

export const touchForm = (store, desk) => new TouchForm(store, desk);
