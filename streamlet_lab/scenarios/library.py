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
    own = _find(name)
    if own is None:
        raise InvalidInput("scenario", name, f"one of {', '.join(scenario_names())}")
    file = f"{own}.txt"
    return Scenario(_FOLDER.joinpath(file).read_text(encoding="utf-8"), file)


def check_scenario(source: str) -> tuple[list[str], bool]:
    """Play a worked scenario, or that of a file.

    Parameters
    ----------
    source : str
        A name, in capitals or not, or else a path.

    Returns
    -------
    list of str
        What was expected and what was found, line by line.
    bool
        Whether all expectations were met.

    Raises
    ------
    InvalidInput
        If it is neither, or for the first line that is wrong.
    DataError
        If the file cannot be read.
    """
    run = _choose(source).run()
    return run.report(), run.passed


def _choose(source: str) -> Scenario:
    if _find(source) is not None:
        return scenario(source)
    # An empty path is the folder that one is in.
    if source and Path(source).exists():
        return Scenario.load(source)
    expected = f"a file, or one of {', '.join(scenario_names())}"
    raise InvalidInput("scenario", source, expected)


def _find(name: str) -> str | None:
    """Return the name of a worked scenario as its file has it."""
    names = {own.lower(): own for own in scenario_names()}
    return names.get(str(name).lower())


def _parts(name: str) -> list[tuple[str, int]]:
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D+)(\d*)", name)]
