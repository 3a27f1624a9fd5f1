"""The description's price service: a door to the room's pure functions, with a memory."""

from collections.abc import Sequence
from datetime import datetime

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.aggregation import aggregate
from streamlet_lab.prices.feeds import SIMULATED, QuoteFeed, make_path
from streamlet_lab.prices.judgement import evaluate
from streamlet_lab.prices.paths import TRADING_DAY
from streamlet_lab.prices.payload import PriceConsensus
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.prices.validation import PreviousConsensus, PriceValidation, check_quotes
from streamlet_lab.units import to_whole


class PriceConsensusService:
    """Generates, validates and aggregates an epoch's prices, without any network.

    Parameters
    ----------
    symbol : str
        What the simulated quotes are for.
    rules : PriceValidation, optional
        The description's by default.
    seed : int
        Of the simulated quotes.

    Attributes
    ----------
    previous : PreviousConsensus or None
        The last consensus that :meth:`process_epoch_prices` made, and how many epochs that it was
        asked for since then had none; the deviation rule's reference.
    """

    def __init__(
        self, symbol: str = "AAPL", *, rules: PriceValidation | None = None, seed: int = 0
    ) -> None:
        if not (isinstance(symbol, str) and symbol):
            raise InvalidInput("symbol", symbol, "a symbol such as 'AAPL'")
        path = make_path(SIMULATED, seed, TRADING_DAY, symbol=symbol)
        self.symbol = symbol
        self.rules = rules or PriceValidation()
        self.previous: PreviousConsensus | None = None
        self._next_epoch = 0
        self._feed = QuoteFeed(path, TRADING_DAY, seed)

    def validate_prices(self, prices: Sequence[StockPrice]) -> list[StockPrice]:
        """Return the prices that pass the rules, measured against the last consensus."""
        checks = check_quotes(prices, self.rules, self.symbol, self._next_epoch, self.previous)
        return [check.quote for check in checks if check.valid]

    def calculate_consensus_price(
        self, prices: Sequence[StockPrice], timestamp: datetime | None = None
    ) -> PriceConsensus:
        """Aggregate prices that are taken to be valid.

        The timestamp is that of the latest price unless one is given.

        Raises
        ------
        InvalidInput
            If there is no price, or no volume.
        """
        for price in prices:
            if price.symbol != self.symbol:
                raise InvalidInput("prices", price.symbol, f"prices of {self.symbol}")
        total = aggregate(prices)
        latest = max(price.timestamp for price in prices)
        return PriceConsensus(self.symbol, *total, timestamp or latest)

    def process_epoch_prices(self, epoch: int) -> tuple[bytes, PriceConsensus | None]:
        """Return the payload of an epoch's block, and the consensus in it if there is one.

        Raises
        ------
        InvalidInput
            If the epoch does not come after the last one.
        """
        epoch = to_whole(epoch, self._next_epoch, "epoch")
        self._next_epoch = epoch + 1
        quotes = self._feed.quotes(epoch)
        claim = evaluate(
            quotes, self.rules, self.symbol, epoch, self.previous, quotes[0].timestamp
        ).claim
        if not isinstance(claim, PriceConsensus):
            if self.previous is not None:
                self.previous = self.previous.after_no_price()
            return claim.to_payload(), None
        self.previous = PreviousConsensus(claim.consensus_price, epoch)
        return claim.to_payload(), claim
