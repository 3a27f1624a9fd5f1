"""The README in the metadata of wheel and sdist, where its pictures and pages are not beside it.

Hatch calls the hook when it builds (pyproject.toml).
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or a picture of Markdown whose target is neither an address nor a heading of the page.
RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)")


def standalone(text: str, source: str | None = None) -> str:
    """Return a README without relative links.

    With the address of the repository (``source``), as GitHub and GitLab write it, links and
    pictures lead there. Without one, a picture is its description (an index of packages shows
    none that is in the text), and a link is its text with the path in brackets.
    """

    def replacement(link: re.Match[str]) -> str:
        mark, words, path = link.groups()
        if source:
            kind = "raw" if mark else "blob"
            return f"{mark}[{words}]({source.rstrip('/')}/{kind}/HEAD/{path})"
        if mark:
            return f"*Picture: {words}.*"
        return words if words == path else f"{words} ({path})"

    return RELATIVE.sub(replacement, text)


class StandaloneReadme(MetadataHookInterface):
    """Sets the field ``readme``, which pyproject.toml declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata of the project."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {"content-type": "text/markdown", "text": standalone(text, source)}
