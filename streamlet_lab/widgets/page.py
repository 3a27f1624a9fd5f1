"""The bench's JavaScript as one text, and a film as one file that plays without a kernel.

A browser is given one module, made of small ones. Their names at top level all differ, so that
joining them is leaving out who imports what from whom.
"""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from string import Template
from typing import Final

from streamlet_lab.files import write_atomically
from streamlet_lab.texts import printable, to_path
from streamlet_lab.widgets.film import Film

#: Where the modules are.
FOLDER: Final = Path(__file__).parent / "browser"

_IMPORT: Final = re.compile(r'^import\b[^;"]*"\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default\b)", re.MULTILINE)

# What a saved page does with its film: `readFilm` and `mountReplay` are of the modules.
_START: Final = """
const saved = JSON.parse(document.getElementById("film").textContent);
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
mountReplay(document.getElementById("bench"), readFilm(saved.header, saved.buffers.map(bytesOf)));
"""

# Nothing may be fetched from anywhere; of scripts the page's own alone may run.
_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '$digest'; \
style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
body { margin: 8px; font: 15px system-ui, sans-serif; }
h1 { margin: 0; font-size: 18px; }
p { margin: 4px 0 8px; }
$style
</style>
</head>
<body>
<h1>A recorded run of the Streamlet lab</h1>
<p>Play it or drag the time along; click a node, a block or an order to see what it knows or is.</p>
<noscript><p>$title: this is played by JavaScript, which is switched off here.</p></noscript>
<main id="bench"></main>
<script id="film" type="application/json">$film</script>
<script type="module">$script</script>
</body>
</html>
""")


def joined_script(name: str = "bench") -> str:
    """Return a module and all that it imports as one: each after those that it imports from."""
    joined: dict[str, str] = {}

    def join(module: str) -> None:
        if module not in joined:
            joined[module] = ""  # nor again where two import from each other
            source = (FOLDER / f"{module}.js").read_text(encoding="utf-8")
            for imported in _IMPORT.findall(source):
                join(imported)
            del joined[module]
            joined[module] = _EXPORT.sub("", _IMPORT.sub("", source))

    join(name)
    return "\n".join(joined.values())


def style_sheet() -> str:
    """Return the bench's style: all style sheets as one."""
    sheets = sorted(FOLDER.glob("*.css"))
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def write_page(film: Film, path: str | Path) -> None:
    """Write one HTML file that plays a film in a browser, without a kernel or a network.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    write_atomically(to_path(path), make_page(film).encode())


def make_page(film: Film) -> str:
    """Return the HTML of :func:`write_page`."""
    # What would end the element that it stands in; in a script it can only be in a text.
    script = re.sub(r"<(?=/script|!--)", r"\\x3C", f"{joined_script()}{_START}", flags=re.I)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    buffers = [base64.b64encode(buffer).decode() for buffer in film.buffers]
    document = {"header": film.header, "buffers": buffers}
    return _PAGE.substitute(
        digest=f"sha256-{digest}",
        title=html.escape(printable(film.header["title"])),
        style=style_sheet().replace("</", "<\\/"),
        film=json.dumps(document, allow_nan=False).replace("<", "\\u003c"),
        script=script,
    )
