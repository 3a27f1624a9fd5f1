"""The worked scenarios of the lab, by name."""

import re
from importlib.resources import files
from pathlib import Path

from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios.runs import Scenario

_FOLDER = files("streamlet_lab.scenarios")


def scenario_names() -> tuple[str, ...]:
    """Return the names of all worked scenarios, A2 before A10."""
    found = (file.name for file in _FOLDER.iterdir() if file.name.endswith(".txt"))
    return tuple(sorted((name.removesuffix(".txt") for name in found), key=_parts))


def scenario(name: str) -> Scenario:
    """Return a worked scenario.

    Parameters
    ----------
    name : str
        One of :func:`scenario_names`; its case does not matter.

    Raises
    ------
    InvalidInput
        If there is none of that name.

    Examples
    --------
    >>> print(scenario("A4").run())
    A4: of three consecutive epochs on a notarized chain the second is final, with its prefix
      met: expect longest 0-2..4, final 0-2-3
    1 of 1 expectations met
    """
    own = {one.lower(): one for one in scenario_names()}.get(str(name).lower())
    if own is None:
        raise InvalidInput("scenario", name, f"one of {', '.join(scenario_names())}")
    file = f"{own}.txt"
    return Scenario(_FOLDER.joinpath(file).read_text(encoding="utf-8"), file)


def find_scenario(source: str) -> Scenario:
    """Return a worked scenario, or else that of a file.

    Raises
    ------
    InvalidInput
        If the source is neither a name nor a path, or for the first line that cannot be read.
    DataError
        If the file cannot be read.
    """
    names = scenario_names()
    if source.lower() in map(str.lower, names):
        return scenario(source)
    # An empty path is the folder that one is in.
    if source and Path(source).exists():
        return Scenario.load(source)
    raise InvalidInput("scenario", source, f"a file, or one of {', '.join(names)}")


def _parts(name: str) -> list[tuple[str, int]]:
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D+)(\d*)", name)]
