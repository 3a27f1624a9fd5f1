"""A feed: the name of one, or a user's own prices."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, InstanceOf, PlainSerializer

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import FrameFeed
from streamlet_lab.texts import read_text
from streamlet_lab.units import is_frame


def _read_feed(value: object) -> object:
    if is_frame(value):
        return FrameFeed(value)
    if isinstance(value, Path) or (isinstance(value, str) and value.lower().endswith(".csv")):
        return FrameFeed.from_csv(read_text(value), str(value))
    if isinstance(value, str) and "\n" in value:  # as a saved configuration has it
        return FrameFeed.from_csv(value, "feed")
    if isinstance(value, str | FrameFeed):
        return value
    expected = "the name of a feed, a path of a .csv file, or a DataFrame of time, price, volume"
    raise InvalidInput("feed", value, expected)


#: A feed in a configuration.
Feed = Annotated[
    str | InstanceOf[FrameFeed], BeforeValidator(_read_feed), PlainSerializer(str, return_type=str)
]
