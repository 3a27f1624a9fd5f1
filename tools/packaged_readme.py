"""The README in the metadata of wheel and sdist, where its pictures and pages are not beside it.

Hatch calls the hook when it builds (pyproject.toml).
"""

import base64
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or a picture of Markdown whose target is neither an address nor a heading of the page.
RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


def standalone(text: str, root: Path, source: str | None = None) -> str:
    """Return a README without relative links, whose files are in ``root``.

    With the address of the repository (``source``), as GitHub and GitLab write it, links and
    pictures lead there. Without one, pictures are in the text as ``data:`` URIs, and a link is its
    text with the path in brackets.
    """

    def replacement(link: re.Match[str]) -> str:
        mark, words, path = link.groups()
        if source:
            kind = "raw" if mark else "blob"
            return f"{mark}[{words}]({source.rstrip('/')}/{kind}/HEAD/{path})"
        if mark:
            picture = base64.b64encode((root / path).read_bytes()).decode("ascii")
            return f"![{words}](data:image/png;base64,{picture})"
        return words if words == path else f"{words} ({path})"

    return RELATIVE.sub(replacement, text)


class StandaloneReadme(MetadataHookInterface):
    """Sets the field ``readme``, which pyproject.toml declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata of the project."""
        root = Path(self.root)
        text = (root / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        readme = {"content-type": "text/markdown", "text": standalone(text, root, source)}
        metadata["readme"] = readme
