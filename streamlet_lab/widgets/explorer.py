"""The explorer: controls for an experiment, and its charts redrawn as they move."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import matplotlib.style
from ipywidgets import HTML, Accordion, HBox, Image, Layout, VBox
from matplotlib.figure import Figure

from streamlet_lab.charts import STYLE, draw_overview, to_png
from streamlet_lab.charts.plots import PAGES
from streamlet_lab.charts.style import BLUE, VERMILLION
from streamlet_lab.checks import Status
from streamlet_lab.experiment import Experiment
from streamlet_lab.result import Result
from streamlet_lab.texts import printable
from streamlet_lab.totals import in_words
from streamlet_lab.widgets.explorer_settings import CONTROLS, SECTIONS, Settings
from streamlet_lab.widgets.words import write

# The charts are 1050 by 712 pixels: what a notebook is wide.
_DPI: Final = 75


def explore(settings: Settings) -> Result:
    """Run the experiment that the controls describe."""
    return Experiment.from_config(settings.config()).run()


def describe(result: Result, settings: Settings) -> str:
    """Return what the picture cannot say, as HTML."""
    config, summary = result.config, result.summary
    latency, furthest = summary["median_latency_s"], result.largest_displacement_bp
    nodes = "1 node" if config.nodes == 1 else f"{config.nodes} nodes"
    liars = len(config.faulty_sources)
    lying = f"lying ({write(settings.lie)})" if liars else "lying"
    violated = [n for n, check in result.checks.items() if check.status is Status.VIOLATED]
    safety = _verdict("safe", "not safe", [write(name) for name in violated])
    if not violated and result.checks["consistency"].status is Status.NOT_APPLICABLE:
        safety = _Markup("<b>nothing violated</b>, but nothing is final that could be compared")
    lines = [
        [
            f"{nodes}, {len(config.faulty_nodes)} faulty ({write(settings.fault)})",
            f"f = {config.tolerated} tolerated",
            f"quorum {config.votes_needed}",
            _verdict("inside the model", "outside the model", result.outside_model),
            f"signatures: {config.signatures}",
        ],
        [
            safety,
            *([f"convicted: {', '.join(result.evidence)}"] if result.evidence else ()),
            f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks final",
            "no latency" if latency is None else f"median latency {latency:.2f} s",
        ],
        [
            f"{liars} of {len(config.prices.sources)} sources {lying}",
            f"{write(settings.aggregator)} tolerates {config.prices.tolerated_sources}",
            "no final prices"
            if furthest is None
            else f"final prices at most {furthest:,.1f} bp from the truth",
        ],
        [
            f"band: {write(settings.band)}",
            *(f"{heading.lower()}: {text}" for heading, text in in_words(summary)),
        ],
        # What a closed section would hide.
        [
            f"{CONTROLS[name].label}: {write(value)}"
            for name, value in settings.changed.items()
            if name not in SECTIONS[""]
        ],
    ]
    return "<br>".join(" · ".join(map(_to_html, line)) for line in lines if line)


class _Markup(str):
    """A text that is HTML already."""


def _to_html(text: str) -> str:
    return text if isinstance(text, _Markup) else escape(printable(text))


def _verdict(good: str, bad: str, objections: Sequence[str]) -> _Markup:
    if not objections:
        return _Markup(f"<b style='color:{BLUE}'>{good}</b>")
    return _Markup(f"<b style='color:{VERMILLION}'>{bad}</b>: {_to_html(', '.join(objections))}")


class Explorer(VBox):
    """Controls for epochs, nodes, faults, protocol, network, prices and market, and their charts.

    The run is repeated and the picture is redrawn at every change, while a slider is still being
    dragged too: Jupyter keeps one change under way and only the newest behind it, so that nothing
    queues.

    It starts with the `settings` of these names in
    :data:`~streamlet_lab.widgets.explorer_settings.SECTIONS`, or refuses them by an `InvalidInput`.

    Attributes
    ----------
    controls : dict of str to Widget
        By name.
    sections : Accordion
        Those that are not always in sight, closed at first.
    readout : HTML
        The numbers, or what was wrong with the settings.
    image : Image
        The charts, or another picture; hidden while the settings are wrong.
    """

    def __init__(self, **settings: Any) -> None:
        start = Settings(**settings)
        self.controls = {
            name: control.show(getattr(start, name)) for name, control in CONTROLS.items()
        }
        self.readout = HTML().add_class("streamlet-readout")
        self.image = Image(format="png", layout=Layout(max_width="100%", align_self="flex-start"))
        self._overview: Figure | None = None
        self._shown: Settings | None = None
        on_top, *hidden = (
            HBox([self.controls[name] for name in names], layout=Layout(flex_flow="row wrap"))
            for names in SECTIONS.values()
        )
        self.sections = Accordion(hidden, titles=[heading for heading in SECTIONS if heading])
        super().__init__([on_top, self.sections, self.readout, self.image])
        self._update()
        for control in self.controls.values():
            control.observe(self._update, names="value")

    @property
    def settings(self) -> Settings:
        """What the controls say now."""
        return Settings(**{name: control.value for name, control in self.controls.items()})

    def _update(self, _: object = None) -> None:
        # Fewer nodes take the slider of the faulty ones along, and fewer sources that of the lying
        # ones; that comes back here, and the second of the two visits has nothing left to do.
        self.controls["faulty"].max = self.controls["nodes"].value
        self.controls["lying"].max = self.controls["sources"].value
        settings = self.settings
        if settings == self._shown:
            return
        self._shown = settings
        try:
            result = explore(settings)
            picture = self._draw(result, settings.picture)
        except Exception as error:
            # No cell shows the traceback of a callback: said here, or nowhere.
            self.readout.value = _verdict("", type(error).__name__, [str(error)])
            # It keeps its place, so that nothing jumps.
            self.image.layout.visibility = "hidden"
            return
        self.readout.value = describe(result, settings)
        self.image.value = picture
        self.image.layout.visibility = "visible"

    def _draw(self, result: Result, picture: str) -> bytes:
        if picture != "overview":
            return to_png(PAGES[picture].make(result, _DPI), compress_level=1)
        if self._overview is None:
            self._overview = PAGES[picture].make(result, _DPI)
        else:
            with matplotlib.style.context(STYLE, after_reset=True):
                draw_overview(self._overview.axes, result)
        drawn = to_png(self._overview, compress_level=1)
        # Finding a layout costs more than drawing: the first result's stays.
        self._overview.set_layout_engine("none")
        return drawn

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.changed.items())
        return f"Explorer({settings})"
