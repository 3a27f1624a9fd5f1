// What the page and the person's system ask for: light or dark, and less motion.

const DARK = "(prefers-color-scheme: dark)";
const LESS_MOTION = "(prefers-reduced-motion: reduce)";
/** Where JupyterLab, Voilà and VS Code say which theme they have. */
const MARKS = ["data-jp-theme-light", "data-vscode-theme-kind", "data-theme"];

/** Which theme the page has: what it says, else what the system asks for. */
function pageTheme() {
  const { body } = document;
  const jupyter = body.getAttribute("data-jp-theme-light");
  if (jupyter) return jupyter === "true" ? "light" : "dark";
  const code = body.getAttribute("data-vscode-theme-kind");
  if (code) return code.includes("light") ? "light" : "dark";
  const html = document.documentElement.getAttribute("data-theme");
  if (html === "light" || html === "dark") return html;
  return matchMedia(DARK).matches ? "dark" : "light";
}

/**
 * Keep the theme and the reduced motion of a view as the page has them, unless a theme is chosen.
 *
 * @param {object} store
 * @param {HTMLElement} root which gets the theme's colours
 * @returns {() => void} ends it
 */
export function followSurroundings(store, root) {
  const [dark, lessMotion] = [matchMedia(DARK), matchMedia(LESS_MOTION)];
  const follow = () => {
    const { themeChoice } = store.get();
    const theme = themeChoice === "auto" ? pageTheme() : themeChoice;
    root.dataset.theme = theme;
    store.set({ theme, reducedMotion: lessMotion.matches });
  };
  const marks = new MutationObserver(follow);
  for (const element of [document.body, document.documentElement]) {
    marks.observe(element, { attributes: true, attributeFilter: MARKS });
  }
  for (const query of [dark, lessMotion]) query.addEventListener("change", follow);
  const off = store.on(["themeChoice"], follow);
  follow();
  return () => {
    off();
    marks.disconnect();
    for (const query of [dark, lessMotion]) query.removeEventListener("change", follow);
  };
}
