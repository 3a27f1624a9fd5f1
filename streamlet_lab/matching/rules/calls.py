"""Call phases that are extended by their own length until their auction may clear."""

from streamlet_lab.matching.events import MarketState
from streamlet_lab.matching.watch import BandWatch, Decision


class CallWatch(BandWatch):
    """A watch that knows the state of the market, and when a call phase or an extension ends.

    Parameters
    ----------
    length : int
        How long a call phase lasts, and each extension of it, in microseconds.
    """

    listens = True

    def __init__(self, length: int) -> None:
        self._length = length
        self._state = MarketState.OPEN
        self._since = 0  # when the state began

    def entered(self, state: MarketState, time: int) -> None:
        """Start the timer of the state."""
        self._state, self._since = state, time
        self.wake(time)

    def _calls(self, time: int) -> int:
        """How many times the length of a call is over."""
        return (time - self._since) // self._length

    def _end_of_call(self, time: int) -> int:
        return self._since + (self._calls(time) + 1) * self._length

    def _end_call(self, time: int) -> Decision | None:
        """Open the market if the call phase, or an extension, ends at this instant."""
        is_over = time > self._since and (time - self._since) % self._length == 0
        return Decision(state=MarketState.OPEN) if is_over else None
