"""A feed: the name of one, or a user's own prices."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BeforeValidator, InstanceOf, PlainSerializer

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import ReplayPath, read_csv, read_rows
from streamlet_lab.texts import read_text
from streamlet_lab.units import is_frame

if TYPE_CHECKING:
    import pandas as pd

#: Before the digest of a frame where a feed that is one was saved.
FRAME: Final = "frame:"
#: Why a file of settings cannot be run again; the file of a result has the frame.
FEED_IS_FRAME: Final = "feed is a frame"


class FrameFeed:
    """A copy of a frame of prices as a part of a configuration: equal if its content is."""

    def __init__(self, frame: "pd.DataFrame") -> None:
        self._frame = read_rows(frame)
        self.digest = hashlib.blake2b(self.to_csv(), digest_size=8).hexdigest()

    @classmethod
    def from_csv(cls, content: str, name: str) -> Self:
        """Read what `to_csv` returned, or another file with the columns of a frame of prices."""
        return cls(read_csv(content, name))

    def to_csv(self) -> bytes:
        """Return the time, price and volume of each row as CSV."""
        return self._frame.to_csv(index=False, lineterminator="\n").encode()

    @property
    def frame(self) -> "pd.DataFrame":
        """A copy that shares the data until it is changed."""
        return self._frame.copy(deep=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameFeed) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return FRAME + self.digest

    def __repr__(self) -> str:
        return f"<{self}>"


def _read_feed(value: object) -> object:
    if is_frame(value):
        feed = FrameFeed(value)
    elif isinstance(value, Path) or (isinstance(value, str) and value.lower().endswith(".csv")):
        feed = FrameFeed.from_csv(read_text(value), str(value))
    elif isinstance(value, str | FrameFeed):
        return value
    else:
        expected = (
            "the name of a feed, a path of a .csv file, or a DataFrame of time, price, volume"
        )
        raise InvalidInput("feed", value, expected)
    ReplayPath(feed.frame)  # refuses what it cannot replay
    return feed


#: A feed in a configuration.
Feed = Annotated[
    str | InstanceOf[FrameFeed], BeforeValidator(_read_feed), PlainSerializer(str, return_type=str)
]
