"""What Sphinx makes of the package and the notebooks: tables of columns, a gallery, replays."""

import base64
import json
import re
import shutil
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import streamlet_lab as sl
from streamlet_lab.charts import Plots
from streamlet_lab.columns import COLUMNS, ROWS
from streamlet_lab.widgets.presets import PRESETS

logger = logging.getLogger(__name__)

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = sorted((DOCS.parent / "notebooks").glob("*.ipynb"))
MADE = DOCS / "_made"
#: The presets that are played on the page of replays.
REPLAYED = ("calm", "one_crashed", "partition", "jump", "unsafe_quorum")

_UNITS = {
    "dollars": "US dollars",
    "cents": "US cents",
    "micro-dollars": "micro-dollars",
    "seconds": "s",
    "shares": "shares",
    "percent": "%",
}


def unit_of(name, column):
    """Return the unit of a column as its meaning says it; nothing for counts, names and texts."""
    said = re.search(r"\b(micro-dollars|dollars|cents|seconds|shares|percent)\b", column.meaning)
    if column.dtype in ("str", "bool"):
        return ""
    return _UNITS[said[1]] if said else ("s" if name.endswith("_s") else "")


def pictures():
    """Yield, for each chart, the first lesson that shows it and the picture stored there."""
    shown = {}
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            found = [out["data"] for out in cell.get("outputs", ()) if "data" in out]
            images = [data["image/png"] for data in found if "image/png" in data]
            source = "".join(cell["source"])
            named = re.findall(r"\.plot\.(\w+)\(|\b(plot_\w+)\(", source)
            names = [method or function for method, function in named]
            for name, image in zip(dict.fromkeys(names), images, strict=False):
                shown.setdefault(name, (path, image))
    for name, (path, image) in sorted(shown.items()):
        yield name, path, base64.b64decode(image)


def sentence_of(name):
    """Return the first sentence of a chart's docstring."""
    page = vars(Plots).get(name)
    text = (page.draw if page else getattr(sl.charts, name)).__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())


class Written(SphinxDirective):
    """A directive that writes Markdown in its place."""

    def run(self):
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class Frames(Written):
    """The columns of every frame, from the rows that declare them."""

    def lines(self):
        for name, columns in COLUMNS.items():
            about = " ".join((ROWS[name].__doc__ or "").split("\n\n")[0].split())
            yield from (f"## `{name}`", "", about, "", "| column | type | unit | meaning |")
            yield "|---|---|---|---|"
            for column, said in columns.items():
                may_miss = ", may be missing" if said.optional else ""
                meaning = said.meaning.replace("|", "\\|")
                unit = unit_of(column, said)
                yield f"| `{column}` | {said.dtype}{may_miss} | {unit} | {meaning} |"
            yield ""


class Gallery(Written):
    """One picture for each chart, linked to the lesson that shows it."""

    def lines(self):
        for name, path, _ in pictures():
            lesson = f"../../notebooks/{path.name}"
            yield from (
                f"## `{name}`",
                "",
                f"{sentence_of(name)} From [{path.stem}]({lesson}).",
                "",
            )
            yield from (f"[![{name}](../_made/gallery/{name}.png)]({lesson})", "")


class Replays(Written):
    """Runs that play in the page, each a file without a kernel."""

    def lines(self):
        for name in REPLAYED:
            preset = PRESETS[name]
            lesson = f"[{preset.lesson}](../../notebooks/{preset.lesson}.ipynb)"
            yield from (f"## {preset.label}", "", f"{preset.sentence} The lesson: {lesson}.", "")
            source, title = f"../../replays/{name}.html", escape(preset.label)
            frame = f'<iframe class="replay" loading="lazy" src="{source}" title="{title}">'
            yield from ("```{raw} html", f"{frame}</iframe>", "```", "")
            yield from (f'<a href="{source}">Alone on a page</a>', "")


def make_files():
    """Make anew what the pages show: pictures, replays, and the way from the root of the site."""
    shutil.rmtree(MADE, ignore_errors=True)
    (MADE / "gallery").mkdir(parents=True)
    (MADE / "root" / "replays").mkdir(parents=True)
    for name, _, image in pictures():
        (MADE / "gallery" / f"{name}.png").write_bytes(image)
    for name in REPLAYED:
        bench = sl.Bench(**PRESETS[name].settings)
        bench.to_html(str(MADE / "root" / "replays" / f"{name}.html"))
    home = (
        '<meta http-equiv="refresh" content="0; url=docs/index.html"><title>streamlet_lab</title>'
    )
    (MADE / "root" / "index.html").write_text(f"<!doctype html>{home}", encoding="utf-8")


def write_formula(translator, node):
    """Write a formula as MathML, which needs no script."""
    is_block = isinstance(node, nodes.math_block)
    try:
        translator.body.append(tex2mathml(node.astext(), as_block=is_block))
    except MathError as error:
        logger.warning("%s in the formula %s", error, node.astext(), location=node)
    raise nodes.SkipNode


def setup(app):
    """Add it all to Sphinx."""
    make_files()
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    for directive in (Frames, Gallery, Replays):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True}
