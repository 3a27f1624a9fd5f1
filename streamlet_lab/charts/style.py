"""How things look, by what they mean: the same thing looks the same in every chart.

Colours are those of Okabe and Ito ("Color Universal Design", 2008). No two things in a chart differ
by colour alone: marker, filling or line style differ as well, so that a grey print stays readable.
"""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.markers import MarkerStyle
from matplotlib.path import Path

#: The style sheet of every chart, as ``matplotlib.style`` knows it.
STYLE: Final = "streamlet_lab.charts.streamlet"

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
YELLOW: Final = "#F0E442"
GREY: Final = "#888888"
WHITE: Final = "#FFFFFF"

#: Points of what is written smaller than the rest: nothing is smaller.
SMALL: Final = 9.0

#: Keyword arguments of a line, a patch or a collection of matplotlib.
Look = Mapping[str, Any]


def _marks(color: str, marker: Any, *, filled: bool = True, **more: Any) -> Look:
    return {
        "color": color,
        "marker": marker,
        "markerfacecolor": color if filled else WHITE,
        "linestyle": "none",
        "zorder": 3,
        **more,
    }


def _letter(formula: str) -> Path:
    """Return the shape of a letter, made here: within the style of the charts nothing is one."""
    mark = MarkerStyle(f"${formula}$")
    return mark.get_path().transformed(mark.get_transform())


def _note(color: str, ha: str, va: str, weight: str = "normal") -> Look:
    """Return how a text looks that stands some points beside what it is about."""
    place = {"textcoords": "offset points", "ha": ha, "va": va}
    return {**place, "color": color, "fontsize": SMALL, "weight": weight}


TRUE_PATH: Final[Look] = {"color": BLACK, "linewidth": 1.0}
QUOTES: Final = _marks(GREY, "_", markeredgewidth=0.8, zorder=2.5)
FINAL: Final = _marks(BLUE, "o")
NOT_FINAL: Final = _marks(BLUE, "o", filled=False)
#: From the instant at which a price was quoted to that at which it was final.
WAIT: Final[Look] = {"color": BLUE, "linewidth": 1.2, "linestyle": (0, (1, 1)), "zorder": 2.7}
MISSING: Final = _marks(VERMILLION, "|")
FAULT: Final[Look] = {"color": GREY, "linestyle": ":", "linewidth": 1.2}
PARENT: Final[Look] = {"color": GREY, "linewidth": 1.0}
GENESIS: Final = _marks(BLACK, "s")
#: Blocks by what became of them and who proposed them.
BLOCKS: Final[Mapping[tuple[str, str], Look]] = {
    (status, leader): _marks(
        color, marker, filled=filled, fillstyle=filling, markerfacecoloralt=WHITE
    )
    for status, color, filled, filling in (
        ("final", BLUE, True, "full"),
        ("final elsewhere", VERMILLION, True, "left"),
        ("only notarized", BLUE, True, "bottom"),
        ("not notarized", VERMILLION, False, "full"),
    )
    for leader, marker in (("honest", "o"), ("faulty", "D"))
}
#: Blocks of consecutive epochs, both notarized.
IN_A_ROW: Final[Look] = {"color": SKY, "linewidth": 7.0, "alpha": 0.5, "zorder": 0.9}
VOTES: Final = {
    **_note(BLACK, "center", "top"),
    "bbox": {"facecolor": WHITE, "edgecolor": "none", "pad": 0.4},
}
VOTER: Final = _note(BLACK, "center", "center")
DOUBLE_VOTER: Final = _note(VERMILLION, "center", "center", weight="bold")

NODE: Final[Look] = {"color": GREY, "linewidth": 0.8, "zorder": 1}
EPOCH: Final[Look] = {"color": GREY, "linestyle": ":", "linewidth": 1.2, "zorder": 1}
LEADER: Final = _marks(BLACK, ">", markersize=9)
#: First arrivals by kind of message and by who sent the copy: proposals are wide and pale, so that
#: a vote on the same way lies on them and stays apart.
MESSAGES: Final[Mapping[tuple[str, str], Look]] = {
    (kind, way): {"color": color, "linestyle": dashes, "linewidth": width, "alpha": alpha}
    for kind, way, color, dashes, width, alpha in (
        ("proposal", "from its author", BLUE, "-", 4.5, 0.35),
        ("proposal", "passed on", GREY, (0, (2.5, 1, 0.6, 1)), 2.2, 0.5),
        ("vote", "from its author", ORANGE, "--", 1.3, 1),
        ("vote", "passed on", GREY, ":", 0.9, 1),
    )
}
#: The letters that tell blocks of one epoch apart, by kind of message.
LETTERS: Final[Mapping[str, Look]] = {
    kind: {
        "color": color,
        "ha": "center",
        "va": "center",
        "fontsize": SMALL,
        "weight": "bold",
        "bbox": {"facecolor": WHITE, "edgecolor": "none", "pad": 0.8},
    }
    for kind, color in (("proposal", BLUE), ("vote", BLACK))
}
#: An arrow to one instant of one node.
NOTE: Final[Look] = {
    "xytext": (34, 44),
    "textcoords": "offset points",
    "arrowprops": {"arrowstyle": "->", "color": BLACK, "linewidth": 1.4, "shrinkB": 6},
    "bbox": {"facecolor": WHITE, "edgecolor": BLACK, "linewidth": 0.8, "pad": 3},
    "color": BLACK,
    "zorder": 5,
}
VOTES_HELD: Final[Look] = {"facecolor": ORANGE, "alpha": 0.3, "linewidth": 0}
QUORUM: Final[Look] = {"color": BLACK, "linestyle": "--", "linewidth": 1.0}
REACHED: Final = _marks(BLACK, "P", markersize=8, zorder=4)
#: A text on the right of what it is about.
BESIDE: Final[Look] = {
    "textcoords": "offset points",
    "va": "center",
    "fontsize": SMALL,
    "bbox": {"facecolor": WHITE, "edgecolor": "none", "pad": 0.5},
    "zorder": 5,
}
PROPOSAL_WAY: Final[Look] = {"facecolor": BLUE, "alpha": 0.45}
VOTE_WAY: Final[Look] = {"facecolor": ORANGE, "edgecolor": BLACK, "hatch": "///", "linewidth": 0.5}
REACHED_AT: Final[Look] = {"color": BLACK, "linewidth": 2.2, "zorder": 4}
SPAN: Final[Look] = {
    "arrowstyle": "<->",
    "color": BLACK,
    "linewidth": 1.3,
    "shrinkA": 0,
    "shrinkB": 0,
}
LETTER_KEY: Final = _marks(BLACK, _letter(r"\mathrm{A}"))
# Pale and dotted: what is beyond the edge is no part of the data.
OFF_SCALE: Final = _marks(
    GREY, _letter(r"\updownarrow"), markersize=9, linestyle=":", linewidth=1.2
)
SEES_NOTARIZED: Final = _marks(BLACK, "|", markersize=11, markeredgewidth=1.6)
SEES_FINAL: Final = _marks(BLUE, "o", markersize=6)

#: Counts by kind of message and column; the lines are closed forms.
COUNTS: Final[Mapping[tuple[str, str], Look]] = {
    ("proposal", "sent"): {"color": BLUE, "marker": "o", "linestyle": ":"},
    # Around the mark of the votes, nearly as many.
    ("proposal", "echoed"): _marks(BLUE, "o", filled=False, markersize=8, linestyle="-.", zorder=2),
    ("vote", "sent"): {"color": ORANGE, "marker": "s", "linestyle": (0, (1, 3))},
    ("vote", "echoed"): _marks(ORANGE, "s", filled=False, linestyle="--", zorder=2),
}
TOTAL: Final[Look] = {"color": BLACK, "marker": "D", "linestyle": "-"}
WITHOUT_ECHO: Final[Look] = {"color": GREY, "linestyle": (0, (6, 2))}

#: Series of means: every second mark is hollow and larger, so that it shows around another.
SERIES: Final[tuple[Look, ...]] = tuple(
    {
        "color": color,
        "marker": marker,
        "linestyle": dashes,
        "markerfacecolor": WHITE if hollow else color,
        "markersize": 8.5 if hollow else 5,
        "zorder": 2.5 if hollow else 3,
    }
    for color, marker, dashes, hollow in (
        (BLUE, "o", "-", False),
        (ORANGE, "s", "-.", True),
        (GREEN, "^", (0, (1, 1)), False),
        (VERMILLION, "D", (0, (3, 1, 1, 1)), True),
        (PURPLE, "v", (0, (5, 3)), False),
        (SKY, "p", (0, (8, 2)), True),
    )
)
FORM_DASHES: Final = ("--", ":", "-.", (0, (8, 3)), (0, (1, 4)), (0, (4, 1, 1, 1, 1, 1)))

#: Sources, in their order: every second mark is hollow and larger, so that it shows around another.
SOURCES: Final[tuple[Look, ...]] = tuple(
    _marks(color, marker, filled=number % 2 == 0, alpha=0.9)
    for number, (color, marker) in enumerate(
        zip(2 * (BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK), "os^Dvp<hP>", strict=False)
    )
)
OTHER_SOURCES: Final = _marks(GREY, ".", zorder=2.5)
AGREED: Final[Look] = {"color": BLACK, "marker": ".", "markersize": 3, "linewidth": 1.3}
#: Why a quote did not count, drawn over its mark.
NOT_COUNTED: Final[Mapping[str, Look]] = {
    reason: _marks(VERMILLION, marker, markersize=8, markeredgewidth=1.2, zorder=4)
    for reason, marker in (
        ("outside_deviation", "x"),
        ("outlier", "+"),
        ("outside_agreement", (8, 2, 0)),
        ("below_min_price", 7),
        ("above_max_price", 6),
        ("below_min_volume", "1"),
        ("above_max_volume", "2"),
        ("volume_too_fine", "3"),
        ("wrong_symbol", "4"),
        ("from_the_future", 4),
        ("out_of_date", 5),
        ("repeated_source", "|"),
        ("left_out", (5, 2, 0)),
        ("no_leader", "_"),
    )
}

#: Displacements: dark is far, in colour and in grey; and a combination that was not studied.
DISPLACEMENTS: Final = "cividis_r"
NOT_STUDIED: Final = "#F2F2F2"
CELL: Final[Look] = {"ha": "center", "va": "center", "fontsize": SMALL}
LOCKED_OUT: Final[Look] = {"fill": False, "edgecolor": VERMILLION, "linewidth": 2.5}

REAL: Final[Look] = {"color": BLACK, "linewidth": 1.4}
INSIDE: Final = _marks(BLUE, "o", markersize=7)
OUTSIDE: Final = _marks(VERMILLION, "X", markersize=8)

BAND: Final[Look] = {"facecolor": SKY, "alpha": 0.22, "linewidth": 0}
BAND_EDGE: Final[Look] = {"color": SKY, "linewidth": 0.9}

CONSENSUS: Final[Look] = {"color": BLUE, "marker": "o", "linewidth": 1.0}
VWAP: Final = _marks(ORANGE, "s", markerfacecolor="none")
DIFFERENCE: Final = _marks(BLUE, "o")
STEM: Final[Look] = {"color": BLUE, "linewidth": 1.0}
ZERO: Final[Look] = {"color": GREY, "linewidth": 0.8}
ONE_CENT: Final[Look] = {"color": GREY, "linestyle": ":"}

NODES: Final[Look] = {"color": ORANGE, "alpha": 0.8}
MEAN: Final[Look] = {"color": BLUE}
CLOSED_FORM: Final[Look] = {"color": BLACK, "linestyle": "--", "linewidth": 1.6}

REFERENCE: Final[Look] = {"color": PURPLE, "linewidth": 1.2, "linestyle": (0, (4, 1.2))}
#: States of a market that is not simply open.
STATES: Final[Mapping[str, Look]] = {
    state: {"facecolor": color, "edgecolor": GREY, "alpha": 0.35, "hatch": hatch, "linewidth": 0}
    for state, color, hatch in (
        ("limit", ORANGE, "\\\\\\"),
        ("auction", "#E9D3E0", "...."),
        ("paused", "#DDDDDD", "////"),
        ("halted", "#BBBBBB", "xxxx"),
    )
}
FAIR_TRADE: Final = _marks("#444444", ".", zorder=2, markeredgewidth=0)
UNFAIR_TRADE: Final = _marks(YELLOW, "^", markeredgecolor=BLACK, markeredgewidth=0.6, zorder=3.5)
#: Orders stopped, by verdict, in a picture of prices.
STOPPED: Final[Mapping[str, Look]] = {
    "false": _marks(VERMILLION, "x", zorder=4, markeredgewidth=1.4),
    "turned_fair": _marks(VERMILLION, "+", zorder=4, markeredgewidth=1.4),
    "turned_unfair": _marks(GREEN, "d", filled=False),
    "justified": _marks(GREEN, "D"),
}
#: The same as bars of counts.
VERDICTS: Final[Mapping[str, Look]] = {
    verdict: {"facecolor": color, "edgecolor": edge, "hatch": hatch, "linewidth": 0}
    for verdict, color, edge, hatch in (
        ("false", VERMILLION, VERMILLION, ""),
        ("turned_fair", ORANGE, VERMILLION, "...."),
        ("turned_unfair", WHITE, GREEN, "/////"),
        ("justified", GREEN, WHITE, "....."),
        ("market", WHITE, VERMILLION, "xxxx"),
    )
}
NO_REFERENCE: Final[Look] = {"facecolor": GREY, "alpha": 0.15, "linewidth": 0}
NO_PRICE: Final = _marks(VERMILLION, "2", zorder=4)

#: Shares in the book, from few to many: light to dark, which a grey print keeps.
DEPTH: Final[Mapping[str, tuple[str, ...]]] = {
    "buy": ("#D6EAF6", SKY, BLUE, "#002D47"),
    "sell": ("#FBE7BE", ORANGE, VERMILLION, "#4A1D00"),
}
#: Asks are hatched, so that a grey print tells them from bids.
SIDES: Final[Mapping[str, Look]] = {
    "buy": {},
    "sell": {"hatch": "////", "edgecolor": WHITE, "linewidth": 0},
}
TRADE: Final = {
    "facecolor": WHITE,
    "edgecolor": BLACK,
    "marker": "o",
    "linewidth": 0.7,
    "zorder": 3,
}
UNFAIR: Final[Look] = {**TRADE, "facecolor": YELLOW, "marker": "^", "zorder": 3.5}
