"""What an engine shows of its log: sequences of events and of trades."""

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import TypeVar, overload

from streamlet_lab.matching.events import Event
from streamlet_lab.matching.instrument import Instrument
from streamlet_lab.matching.log import EventReader, Log
from streamlet_lab.matching.orders import Trade
from streamlet_lab.matching.settings import EngineSettings

_Read = TypeVar("_Read")


class LogView(Sequence[_Read]):
    """Part of a log, made at the moment of reading; equal to any sequence that shows the same."""

    __slots__ = ("_make", "_positions")

    def __init__(self, positions: Sized, make: Callable[[int], _Read]) -> None:
        self._positions = positions
        self._make = make

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> _Read: ...
    @overload
    def __getitem__(self, index: slice) -> list[_Read]: ...
    def __getitem__(self, index: int | slice) -> _Read | list[_Read]:
        found = range(len(self))[index]
        return self._make(found) if isinstance(found, int) else [*map(self._make, found)]

    def __iter__(self) -> Iterator[_Read]:
        return map(self._make, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


class EventLog(LogView[Event]):
    """Every event of an engine; the position of an event is its sequence number.

    Attributes
    ----------
    settings : EngineSettings
        Those of the engine: with them the events rebuild it.
    """

    __slots__ = ("settings",)

    def __init__(self, log: Log, settings: EngineSettings) -> None:
        super().__init__(log.rows, EventReader(log, settings.instrument).event)
        self.settings = settings


class TradeTape(LogView[Trade]):
    """Every trade of an engine; the position of a trade is its id."""

    __slots__ = ()

    def __init__(self, log: Log, instrument: Instrument) -> None:
        super().__init__(log.tape, EventReader(log, instrument).trade)
