"""What the panels of the bench show, as matplotlib charts."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from streamlet_lab.charts import to_png
from streamlet_lab.charts.plots import PAGES
from streamlet_lab.result import Result
from streamlet_lab.units import to_name

#: The panels of the bench, and the chart that shows the same.
PANELS: Final[Mapping[str, str]] = {
    "network": "timeline",
    "tree": "block_tree",
    "prices": "prices",
    "vwap": "vwap",
    "latency": "latency",
    "rejections": "rejections",
}
#: What a view may have: these, and in words what was clicked.
SEEN: Final = (*PANELS, "inspector")
_CHARTS: Final = {"prices", "vwap", "latency", "rejections"}

_DPI: Final = 100
# The four charts are 1050 by 712 pixels: what a notebook is wide.
_STILL_DPI: Final = 75


def draw_panel(result: Result, panel: object) -> bytes:
    """Return the chart of a panel as PNG.

    Raises
    ------
    InvalidInput
        If there is no such panel, or nothing is known of what it shows.
    """
    return to_png(PAGES[PANELS[to_name(panel, PANELS, "panel")]].make(result, _DPI))


def draw_still(result: Result, panels: Collection[str] = PANELS) -> bytes:
    """Return what the panels show as PNG: the four charts, if all are there; else the last."""
    chosen = [chart for name, chart in PANELS.items() if name in panels]
    chart = "overview" if {*chosen} >= _CHARTS or not chosen else chosen[-1]
    return to_png(PAGES[chart].make(result, _STILL_DPI))


def say_in_one_sentence(header: Mapping[str, Any]) -> str:
    """Say what was run, and what came of it first."""
    numbers = {number["name"]: number["text"] for number in header["numbers"]}
    latency = numbers["median_latency_s"]
    safe = "safe" if header["safe"] else "not safe"
    return (
        f"{header['title']}: {safe}, {numbers['finalized_blocks']} blocks final, "
        f"{'no latency' if latency == 'none' else f'median latency {latency}'}."
    )
