// A stand-in, until the view is here.

export function mountReplay(element) {
  element.textContent = "a bench";
}

export default {
  render({ model, el }) {
    el.className = "sl-bench";
    const show = () => {
      const { header, asked } = model.get("film");
      el.dataset.drawn = header ? asked : "";
      el.textContent = `${model.get("status").state} ${header?.title ?? ""}`;
    };
    model.on("change:film change:status", show);
    show();
  },
};
