"""What sets one value: which values it takes, and how it looks."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ipywidgets import (
    BoundedIntText,
    Checkbox,
    Dropdown,
    FloatSlider,
    IntRangeSlider,
    IntSlider,
    Layout,
    Widget,
)

from streamlet_lab.errors import InvalidInput
from streamlet_lab.units import to_flag, to_name, to_number, to_whole
from streamlet_lab.widgets.words import write

# Beyond this a slider has more values than pixels.
_LONGEST_SCALE: Final = 1_000
# In JupyterLab in a window of 1000 pixels two stand beside one another, three without its sidebar.
_WIDTH: Final = "258px"
_LABEL: Final = "100px"


@dataclass(frozen=True, slots=True)
class Control:
    """What a person sets one value with.

    What kind it is follows from its default: True or False is a box to tick, a pair is a slider
    with two handles for a start and a stop, a number is a slider or, with too many values for one,
    a box. With names, it is a list to choose from; where they are a function, it is asked whenever
    they are used, as kinds may be registered later.
    """

    label: str
    default: Any
    low: float = 0
    high: float = 0
    step: float = 1
    names: Callable[[], tuple[str, ...]] | tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that there are now."""
        return self.names() if callable(self.names) else self.names

    def read(self, field: str, value: Any) -> Any:
        """Return what the control takes, or raise an `InvalidInput` with the name of the field."""
        low, high = self.low, self.high
        if self.names:
            return to_name(value, self.choices, field)
        if isinstance(self.default, bool):
            return to_flag(value, field)
        if isinstance(self.default, int):
            return to_whole(value, int(low), field, int(high))
        if isinstance(self.default, float):
            return to_number(value, low, high, field)
        expected = f"a start and a stop from {low:g} to {high:g}"
        with suppress(InvalidInput):
            if isinstance(value, tuple) and len(value) == 2:
                start = to_whole(value[0], int(low), field, int(high))
                return start, to_whole(value[1], start, field, int(high))
        raise InvalidInput(field, value, expected)

    def show(self, value: Any) -> Widget:
        """Return the widget, at a value that it takes."""
        look = {
            "value": value,
            "description": self.label,
            "style": {"description_width": _LABEL},
            "layout": Layout(width=_WIDTH),
        }
        if self.names:
            return Dropdown(options=[(write(name), name) for name in self.choices], **look)
        if isinstance(self.default, bool):
            return Checkbox(**look)
        if isinstance(self.default, int) and self.high > _LONGEST_SCALE:
            return BoundedIntText(min=self.low, max=self.high, **look)
        slider = {int: IntSlider, float: FloatSlider, tuple: IntRangeSlider}[type(self.default)]
        return slider(min=self.low, max=self.high, step=self.step, **look)
