"""A study as a file of TOML: what :func:`~streamlet_lab.grid.sweep` takes, written down."""

from pathlib import Path
from typing import Any, Final

import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.sobol import quasi_random
from streamlet_lab.texts import parse_toml, read_text
from streamlet_lab.units import to_name
from streamlet_lab.values import Section

_OF_SWEEP: Final = ("base", "over", "repeats", "seed", "measure", "until", "on_error", "engine")
_DRAWN: Final = "quasi_random"
_OF_DRAWING: Final = ("bounds", "count", "seed", "log")

# Those whose settings may stand in a table of their own.
_SECTIONS: Final = tuple(
    name
    for name, item in ExperimentConfig.model_fields.items()
    if isinstance(item.annotation, type) and issubclass(item.annotation, Section)
)


def load_study(path: str | Path) -> dict[str, Any]:
    """Return what a file has for `sweep`: ``sweep(**load_study("study.toml"), workers=2)``.

    The file has what `sweep` takes under the same names; ``over`` is a table of a grid, or an
    array of tables with a point each. In its place may be ``quasi_random``, a table of what
    :func:`~streamlet_lab.sobol.quasi_random` takes. A section's settings may be written as
    in a configuration, ``network.delta = …``, with or without quotation marks.

    Raises
    ------
    DataError
        If there is no such file, or it is not TOML.
    InvalidInput
        If there is something in it that `sweep` does not take; it judges the values.
    """
    study = parse_toml(read_text(path), str(path))
    for name in study:
        to_name(name, (*_OF_SWEEP, _DRAWN), "study")
    over = _with_dots("over", study.get("over", {}))
    if _DRAWN in study:
        if "over" in study:
            raise InvalidInput(_DRAWN, study[_DRAWN], "points from one place; 'over' has some too")
        over = _drawn(study.pop(_DRAWN))
    return {"base": {}, **study, "over": over}


def _drawn(table: Any) -> pd.DataFrame:
    if not isinstance(table, dict) or "bounds" not in table:
        raise InvalidInput(_DRAWN, table, f"a table of {', '.join(_OF_DRAWING)}")
    for name in table:
        to_name(name, _OF_DRAWING, _DRAWN)
    return quasi_random(**{**table, "bounds": _with_dots(f"{_DRAWN}.bounds", table["bounds"])})


def _with_dots(place: str, settings: Any) -> Any:
    """Return settings in which those of a section have its name and a dot before their own."""
    if isinstance(settings, list):
        return [_with_dots(f"{place}[{number}]", each) for number, each in enumerate(settings)]
    if not isinstance(settings, dict):
        return settings
    dotted: dict[str, Any] = {}
    for name, value in settings.items():
        is_section = name in _SECTIONS and isinstance(value, dict)
        for key, each in value.items() if is_section else [("", value)]:
            full = f"{name}.{key}" if is_section else name
            if full in dotted:
                raise InvalidInput(place, full, "each setting once")
            dotted[full] = each
    return dotted
