"""The explorer: sliders for an experiment, and its four charts redrawn as they move."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

import matplotlib.style
from ipywidgets import HTML, BoundedIntText, Dropdown, HBox, Image, IntSlider, Layout, VBox
from matplotlib.figure import Figure

from streamlet_lab.charts import STYLE, draw_overview, to_png
from streamlet_lab.charts.figures import OVERVIEW
from streamlet_lab.charts.style import BLUE, VERMILLION, WHITE
from streamlet_lab.checks import Status
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result
from streamlet_lab.simulator import fault_kinds
from streamlet_lab.theory import max_faulty

_EPOCHS: Final = (10, 200)
_NODES: Final = (1, 16)
_LARGEST_SEED: Final = 2**31 - 1
# 1050 by 712 pixels: what a notebook is wide.
_DPI: Final = 75


@dataclass(frozen=True, slots=True)
class Settings:
    """What the controls say.

    Parameters
    ----------
    epochs : int
        From 10 to 200.
    nodes : int
        From 1 to 16.
    faulty : int
        How many of the last nodes have the fault, from the first epoch on.
    fault : str
        A registered kind of fault.
    seed : int

    Raises
    ------
    InvalidInput
        If a value is not one that the controls can take.
    """

    epochs: int = 60
    nodes: int = 4
    faulty: int = 1
    fault: str = "crash"
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "epochs": _EPOCHS,
            "nodes": _NODES,
            "faulty": (0, self.nodes),
            "seed": (0, _LARGEST_SEED),
        }
        for field, (low, high) in ranges.items():
            value = getattr(self, field)
            if not isinstance(value, int) or not low <= value <= high:
                raise InvalidInput(field, value, f"an integer from {low} to {high}")
        if self.fault not in fault_kinds():
            raise InvalidInput("fault", self.fault, f"one of {', '.join(fault_kinds())}")


def explore(settings: Settings) -> Result:
    """Run the experiment that the controls describe.

    Without signatures: they change nothing that the charts show, and cost more than all the rest.
    """
    return Experiment(
        epochs=settings.epochs,
        nodes=settings.nodes,
        seed=settings.seed,
        faults=[Fault(settings.fault, count=settings.faulty)],
        signatures="none",
    ).run()


def render(figure: Figure, result: Result) -> bytes:
    """Draw the four charts on a figure that is used again and again; return it as PNG.

    Finding a layout costs more than drawing: the first result's stays.
    """
    if figure.axes:
        with matplotlib.style.context(STYLE, after_reset=True):
            draw_overview(figure, result)
    else:
        OVERVIEW.put_on(figure, result)
    picture = to_png(figure, compress_level=1)
    figure.set_layout_engine("none")
    return picture


def describe(result: Result) -> str:
    """Return what the charts cannot say, as HTML."""
    config, summary = result.config, result.summary
    kinds = ", ".join(sorted({fault.kind for fault in config.faults}))
    violated = [name for name, check in result.checks.items() if check.status is Status.VIOLATED]
    latency = summary["median_latency_s"]
    nodes = "1 node" if config.nodes == 1 else f"{config.nodes} nodes"
    lines = (
        (
            f"{nodes}, {len(config.faulty_nodes)} faulty ({kinds})",
            f"f = {config.tolerated} tolerated",
            f"quorum {config.votes_needed}",
            _verdict("inside the model", "outside the model", result.outside_model),
            f"signatures: {config.signatures}",
        ),
        (
            _verdict("safe", "not safe", violated),
            f"{summary['finalized_blocks']} of {summary['proposed_blocks']} blocks final",
            "no latency" if latency is None else f"median latency {latency:.2f} s",
            f"{summary['outside_band']} orders outside the band",
            f"{summary['honest_outside_band']} of {summary['honest_orders']} honest ones",
        ),
    )
    return "<br>".join(" · ".join(line) for line in lines)


def _verdict(good: str, bad: str, objections: Sequence[str]) -> str:
    if not objections:
        return f"<b style='color:{BLUE}'>{good}</b>"
    reasons = escape(", ".join(objections).replace("_", " "))
    return f"<b style='color:{VERMILLION}'>{bad}</b>: {reasons}"


class Explorer(VBox):
    """Sliders for epochs, nodes and faulty nodes, and the four charts that follow from them.

    The run is repeated and the charts are redrawn at every change, while a slider is still being
    dragged too: Jupyter keeps one change under way and only the newest behind it, so that nothing
    queues.

    Parameters
    ----------
    **settings
        Fields of :class:`Settings`, to start with.

    Attributes
    ----------
    epochs, nodes, faulty : IntSlider
    fault : Dropdown
    seed : BoundedIntText
    readout : HTML
        The numbers, or what was wrong with the settings.
    image : Image
        The charts.

    Raises
    ------
    InvalidInput
        If the settings to start with are not what the controls can take.
    """

    def __init__(self, **settings: Any) -> None:
        start = Settings(**settings)
        self.epochs = _slider("epochs", start.epochs, _EPOCHS, step=10)
        self.nodes = _slider("nodes", start.nodes, _NODES)
        self.faulty = _slider("faulty", start.faulty, (0, start.nodes))
        self.fault = Dropdown(options=fault_kinds(), value=start.fault, description="fault")
        self.seed = BoundedIntText(start.seed, max=_LARGEST_SEED, description="seed")
        self.readout = HTML().add_class("streamlet-readout")
        self.image = Image(format="png", layout=Layout(max_width="100%", align_self="flex-start"))
        self._figure = Figure(figsize=OVERVIEW.size, dpi=_DPI, facecolor=WHITE)
        self._shown: Settings | None = None
        controls = (self.epochs, self.nodes, self.faulty, self.fault, self.seed)
        super().__init__(
            [
                HBox(controls[:3], layout=Layout(flex_flow="row wrap")),
                HBox(controls[3:], layout=Layout(flex_flow="row wrap")),
                self.readout,
                self.image,
            ]
        )
        self._update()
        for control in controls:
            control.observe(self._update, names="value")

    @property
    def settings(self) -> Settings:
        """What the controls say now."""
        return Settings(
            self.epochs.value,
            self.nodes.value,
            self.faulty.value,
            self.fault.value,
            self.seed.value,
        )

    def _update(self, _: object = None) -> None:
        # Fewer nodes take the slider of the faulty ones along, which comes back here: the second
        # of the two visits has nothing left to do.
        self.faulty.max = self.nodes.value
        settings = self.settings
        if settings == self._shown:
            return
        self._shown = settings
        try:
            result = explore(settings)
            picture = render(self._figure, result)
        except Exception as error:
            # No cell shows the traceback of a callback: said here, or nowhere.
            self.readout.value = _verdict("", type(error).__name__, [str(error)])
            return
        self.readout.value = describe(result)
        self.image.value = picture

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in asdict(self.settings).items())
        return f"Explorer({values})"


def _slider(label: str, value: int, limits: tuple[int, int], step: int = 1) -> IntSlider:
    low, high = limits
    return IntSlider(value, low, high, step, description=label)
