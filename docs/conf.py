"""How Sphinx makes the site: `python3 lab.py docs`.

The source folder is the repository, not this one: so links between pages and notebooks are the same
here as on any host that shows the files.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import streamlet_lab  # noqa: E402

project = "streamlet_lab"
author = "The streamlet_lab authors"
version = release = streamlet_lab.__version__
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "notebooks/*.ipynb",
    "README.md",
    "data/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
]
exclude_patterns = [".venv", "output", "tests", "**/.ipynb_checkpoints"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pages"]

# Stored outputs are shown; nothing is run again.
nb_execution_mode = "off"
# The glossary has small headings; a parameter's type may be called like several things.
suppress_warnings = ["myst.header", "ref.python"]
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
# Dollars of money are no formula.
myst_dmath_allow_digits = myst_dmath_allow_space = False
# What the theme would load from elsewhere: a lesson's formulas are few, and MathML needs no script.
html_math_renderer = "mathml"

nitpicky = True
# Python's own types and those of libraries: their pages are not here, and the site is made offline.
nitpick_ignore_regex = [("py:class", r"(?!streamlet_lab).*")]
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "streamlet_lab"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_made/root"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
