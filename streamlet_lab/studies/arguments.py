"""What several studies are given: names, runs, and the frames of other studies."""

from collections.abc import Iterable, Mapping

import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.result import Result


def read_names(field: str, value: object) -> tuple[str, ...]:
    """Return names as a tuple; a single one need not be in a list.

    Raises
    ------
    InvalidInput
        If there is none, or one is no text: rows and columns need a name.

    Examples
    --------
    >>> read_names("aggregators", "mean"), read_names("aggregators", ["mean", "median"])
    (('mean',), ('mean', 'median'))
    """
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Iterable):
        raise InvalidInput(field, value, "a list of names")
    names = tuple(names)
    if not names:
        raise InvalidInput(field, value, "at least one name")
    for name in names:
        if not isinstance(name, str):
            expected = "a registered name, which its rows are to have; register a function of yours"
            raise InvalidInput(field, name, expected)
    return names


def check_result(result: object) -> None:
    """Refuse what is no result of a run with prices.

    Raises
    ------
    InvalidInput
        If it is none, such as a run of the bare protocol.
    """
    if not isinstance(result, Result) or not result.has_market:
        expected = "the result of an Experiment, which has prices"
        raise InvalidInput("result", type(result).__name__, expected)


def check_settings(settings: object, varied: str) -> None:
    """Refuse what are no settings of all runs of a study.

    Parameters
    ----------
    settings : object
        What was given.
    varied : str
        The setting that the study varies itself.

    Raises
    ------
    InvalidInput
        If they are no mapping, or have the one that is varied.

    Examples
    --------
    >>> check_settings({"nodes": 7}, "market.band")
    >>> check_settings({"market.band": "luld"}, "market.band")
    Traceback (most recent call last):
    ...
    streamlet_lab.errors.InvalidInput: settings: 'market.band' is not valid; expected settings \
other than the one that is varied
    """
    if not isinstance(settings, Mapping):
        raise InvalidInput("settings", settings, "settings by their names")
    if varied in settings:
        raise InvalidInput("settings", varied, "settings other than the one that is varied")


def check_frame(frame: object, columns: Iterable[str]) -> None:
    """Refuse what is no frame with these columns.

    Raises
    ------
    InvalidInput
        If it is none, or one is missing.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput("frame", type(frame).__name__, "what displacement() returned")
    missing = [name for name in columns if name not in frame]
    if missing:
        expected = f"what displacement() returned, with {', '.join(missing)}"
        raise InvalidInput("frame", list(frame), expected)
