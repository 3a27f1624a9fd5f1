"""What Sphinx makes of the package and the notebooks: tables of columns, a gallery, replays."""

import base64
import json
import re
import shutil
import sys
from functools import cache
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import streamlet_lab as sl
from streamlet_lab.charts import to_png
from streamlet_lab.charts.plots import PAGES
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


@cache
def pictures():
    """Return each chart's name, the first lesson that shows it, if any, and a picture.

    It is the one stored there; a chart that no lesson shows is drawn here, of the default run.
    """
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
    drawn = {name: (path, base64.b64decode(image)) for name, (path, image) in shown.items()}
    plots = sl.Experiment().run().plot
    for name in PAGES.keys() - drawn.keys():
        drawn[name] = None, to_png(getattr(plots, name)())
    return [(name, *found) for name, found in sorted(drawn.items())]


def sentence_of(name):
    """Return the first sentence of a chart's docstring."""
    page = PAGES.get(name)
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
            picture = f"![{name}](../_made/gallery/{name}.png)"
            whence = "Of the default run."
            if path is not None:
                lesson = f"../../notebooks/{path.name}"
                whence, picture = f"From [{path.stem}]({lesson}).", f"[{picture}]({lesson})"
            yield from (f"## `{name}`", "", f"{sentence_of(name)} {whence}", "", picture, "")


class Replays(Written):
    """Runs that play in the page, each a file without a kernel."""

    def lines(self):
        for name in REPLAYED:
            preset = PRESETS[name]
            lesson = f"[{preset.lesson}](../../notebooks/{preset.lesson}.ipynb)"
            label = preset.label[0].upper() + preset.label[1:]
            yield from (f"## {label}", "", f"{preset.sentence} The lesson: {lesson}.", "")
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


def fold_cells(app, name, source):
    """Have the site fold the cells that a notebook folds, such as solutions."""
    if not name.startswith("notebooks/"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        folded = cell["metadata"].get("jupyter", {})
        hidden = [part for part in ("source", "outputs") if folded.get(f"{part}_hidden")]
        kinds = {("source", "outputs"): ["hide-cell"], ("source",): ["hide-input"]}
        more = kinds.get(tuple(hidden), ["hide-output"] if hidden else [])
        cell["metadata"]["tags"] = [*cell["metadata"].get("tags", ()), *more]
    source[0] = json.dumps(notebook)


def write_formula(translator, node):
    """Write a formula as MathML, which needs no script."""
    is_block = isinstance(node, nodes.math_block)
    try:
        translator.body.append(tex2mathml(node.astext(), as_block=is_block))
    except MathError as error:
        logger.warning("%s in the formula %s", error, node.astext(), location=node)
    raise nodes.SkipNode


def keep_colon(app, what, name, thing, options, lines):
    """Keep Napoleon from taking what stands before a colon in a property's text for its type."""
    if what in ("property", "attribute"):
        lines.insert(0, "")


def shorten_signature(app, what, name, thing, options, signature, returns):
    """Leave the settings of a configuration to its text: a page of defaults says nothing."""
    return ("(**settings)", returns) if signature and len(signature) > 400 else None


@cache
def known_names():
    """Return what the modules of the package have, and their classes."""
    modules = [module for name, module in sys.modules.items() if name.startswith("streamlet_lab")]
    own = [value for module in modules for value in vars(module).values()]
    classes = [value for value in own if isinstance(value, type)]
    return {name for holder in [*modules, *classes] for name in dir(holder)}


def find_name(app, env, node, content):
    """Lead a docstring's name to the public one; what the package has beside them needs no page."""
    if node.get("refdomain") != "py":
        return None
    domain, short = env.get_domain("py"), node["reftarget"].rpartition(".")[2]
    if f"streamlet_lab.{short}" in domain.objects:
        place = domain.objects[f"streamlet_lab.{short}"]
        return make_refnode(app.builder, node["refdoc"], place.docname, place.node_id, content)
    return content if short in known_names() else None


def check_links(app, error):
    """Warn of each link of the site that leads nowhere, also those that Sphinx does not know."""
    if error or app.builder.format != "html":
        return
    site = Path(app.outdir)
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    found = {path.resolve(): path.read_text(encoding="utf-8") for path in pages}
    for page, text in found.items():
        for link in set(re.findall(r'\b(?:href|src)="([^"]+)"', text)):
            target, _, anchor = unescape(unquote(link)).partition("#")
            if re.match(r"\w+:|//", target):
                continue
            place = (page.parent / target.partition("?")[0]).resolve() if target else page
            is_there = place.exists() and (
                not anchor or place not in found or f'id="{anchor}"' in found[place]
            )
            if not is_there:
                logger.warning("%s: a link to nowhere: %s", page.relative_to(site), link)


def setup(app):
    """Add it all to Sphinx."""
    make_files()
    app.connect("source-read", fold_cells)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("autodoc-process-docstring", keep_colon, priority=400)
    app.connect("missing-reference", find_name)
    app.connect("build-finished", check_links)
    app.add_html_math_renderer("mathml", (write_formula, None), (write_formula, None))
    for directive in (Frames, Gallery, Replays):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True}
