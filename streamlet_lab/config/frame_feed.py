"""A feed: the name of one, or a user's own prices."""

import hashlib
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, InstanceOf, PlainSerializer

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import ReplayPath
from streamlet_lab.units import is_frame

if TYPE_CHECKING:
    import pandas as pd

#: Before the digest of a frame where a feed that is one was saved.
FRAME: Final = "frame:"


class FrameFeed:
    """A copy of a frame of prices as a part of a configuration: equal if its content is."""

    def __init__(self, frame: "pd.DataFrame") -> None:
        self._frame = frame[["time", "price", "volume"]].copy()  # what others hold does not matter
        content = self._frame.to_csv(index=False).encode()
        self.digest = hashlib.blake2b(content, digest_size=8).hexdigest()

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
        ReplayPath(value)  # refuses a frame that it cannot replay
        return FrameFeed(value)
    if isinstance(value, str | FrameFeed):
        return value
    raise InvalidInput("feed", value, "the name of a feed, or a DataFrame of time, price, volume")


#: A feed in a configuration.
Feed = Annotated[
    str | InstanceOf[FrameFeed], BeforeValidator(_read_feed), PlainSerializer(str, return_type=str)
]
