"""How far lying sources push the price: a game of quotes, rules and aggregators, no network.

In every epoch each honest source quotes the true price, which stands still, with a little noise;
then the liars, who see that and act as one, quote what moves the price furthest in this epoch
(:func:`~streamlet_lab.prices.attacks.most_extreme`). The price that comes about is the reference of
the next epoch's deviation rule. Two games are played, one up and one down, and the worse counts.

So the liars are greedy. Where the honest quotes stay inside the corridor and a higher quote never
lowers the aggregate, nothing does better: the price of an epoch then grows with that of the one
before. Where they do not stay, patience pays. One liar with all the volume under the strict rule
takes the price to (1 + d)² of the true one with the corridor d, and then nothing validates any
more; if it stops at 1/(1 − d) first, where the honest quotes are valid for the last time, it
reaches (1 + d)/(1 − d): 2,222 basis points instead of 2,100 at d = 10 %.
"""

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from decimal import Decimal
from itertools import product
from typing import Final, NamedTuple, get_args

import numpy as np
import pandas as pd

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    ORIGIN,
    PreviousConsensus,
    PriceConsensus,
    PriceRound,
    PriceValidation,
    StockPrice,
    find_aggregator,
)
from streamlet_lab.prices.aggregation import aggregators as registered
from streamlet_lab.prices.attacks import Direction, most_extreme
from streamlet_lab.prices.feeds import quoted_cents
from streamlet_lab.prices.sources import VOLUME_SPREAD
from streamlet_lab.streams import stream
from streamlet_lab.studies.common import read_names
from streamlet_lab.texts import one_of
from streamlet_lab.units import (
    MONEY,
    deviation_percent,
    from_ticks,
    to_decimal,
    to_instance,
    to_micros,
    to_name,
    to_number,
    to_whole,
)

#: The aggregators of the study unless others are named, from the weakest to the strongest.
AGGREGATORS: Final = ("mean", "vwap", "trimmed_mean", "median", "mad_filter", "pyth")

#: How many sources there are, and how many of them lie, unless other pairs are given.
SOURCES: Final = ((3, 1), (5, 2), (7, 2))

_SYMBOL: Final = "AAPL"
# As the simulated feeds have it: shares of each source, and the deviation of their logarithm.
_VOLUME: Final = 1_500
# Games of a few milliseconds each: enough of them to be worth sending to another process.
_GAMES_AT_ONCE: Final = 8

_MOST_NOISE: Final = 1_000.0
_MOST_SOURCES: Final = 99
_PAIRS: Final = "pairs such as (7, 2): up to 99 sources, and fewer liars"

# More would take days, or more memory than there is.
_MOST: Final = 1_000_000
_STRICT: Final = PriceValidation(widening_percent=Decimal(0))


def displacement(
    aggregators: str | Iterable[str] = AGGREGATORS,
    sources: Iterable[tuple[int, int]] = SOURCES,
    *,
    epochs: int = 60,
    seeds: int = 40,
    rules: PriceValidation = _STRICT,
    true_price: object = 150,
    noise_bp: float = 1.0,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Play the game for each aggregator, each number of sources and liars, and each seed.

    A seed gives a source the same noise and volume whatever else there is, so that aggregators are
    compared on the same quotes.

    Parameters
    ----------
    aggregators : str or iterable of str
        Registered names; rows of a function would have none.
    sources : iterable of (int, int)
        How many sources there are, and how many of them lie.
    epochs, seeds : int
        The horizon, and how many games of each kind, with the seeds 0, 1, 2, …
    rules : PriceValidation
        The description's unless given, whose corridor does not widen.
    true_price : number
        US dollars; genesis carries it.
    noise_bp : float
        Standard deviation of the honest quotes around the true price, basis points.
    executor : concurrent.futures.Executor, optional
        Where the games are played, as of :func:`~streamlet_lab.sweep`.

    Returns
    -------
    DataFrame
        One row for each ``aggregator``, pair of ``sources`` and ``liars``, and ``seed``, in this
        order:

        ``first_bp``, ``worst_bp``: how far the first epoch's price, and the worst of all, is from
        the true one, basis points without sign, NaN without a price;
        ``missed_epochs``: how many epochs had no price;
        ``locked_out``: whether the second half of the epochs had none.

        Each is the worse of the game up and the game down.
    """
    seeds = to_whole(seeds, 1, "seeds", _MOST)
    settings = epochs, rules, true_price, noise_bp
    games = _games(aggregators, sources, range(seeds), *settings)
    if executor is None:
        rows = [*map(_play, games)]
    else:
        rows = [*executor.map(_play, games, chunksize=_GAMES_AT_ONCE)]
    return pd.DataFrame(rows, columns=_Row._fields)


def push(
    aggregators: str | Iterable[str] = AGGREGATORS,
    sources: int = 3,
    liars: int = 1,
    *,
    direction: Direction = "up",
    epochs: int = 60,
    seed: int = 0,
    rules: PriceValidation = _STRICT,
    true_price: object = 150,
    noise_bp: float = 1.0,
) -> pd.DataFrame:
    """Play one game for each aggregator, and return it epoch by epoch.

    All is as of :func:`displacement`. ``displacement_bp`` of an ``aggregator`` in an ``epoch`` is
    how far the price is from the true one, basis points without sign, NaN without a price.
    """
    to_name(direction, get_args(Direction), "direction")
    sources = to_whole(sources, 1, "sources", _MOST_SOURCES)
    liars = to_whole(liars, 0, "liars", sources - 1)
    settings = epochs, rules, true_price, noise_bp
    rows = [
        (game.aggregator, *row)
        for game in _games(aggregators, [(sources, liars)], [seed], *settings)
        for row in enumerate(_displacements(game, direction))
    ]
    return pd.DataFrame(rows, columns=["aggregator", "epoch", "displacement_bp"])


def summarize_displacement(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the median and the largest displacement over the seeds of a study.

    One row for each aggregator and pair, in the order of the study: ``aggregator``, ``sources``,
    ``liars``; ``first_bp_median``, ``first_bp_max``, ``worst_bp_median`` and ``worst_bp_max`` in
    basis points; ``missed_epochs_max``; ``locked_out``, the share of the seeds; ``seeds``, their
    number. The frame is what :func:`displacement` returned.
    """
    if not isinstance(frame, pd.DataFrame) or not {*_Row._fields} <= {*frame}:
        expected = f"what displacement() returned, with {', '.join(_Row._fields)}"
        raise InvalidInput("frame", type(frame).__name__, expected)
    groups = frame.groupby(["aggregator", "sources", "liars"], sort=False)
    return groups.agg(
        first_bp_median=("first_bp", "median"),
        first_bp_max=("first_bp", "max"),
        worst_bp_median=("worst_bp", "median"),
        worst_bp_max=("worst_bp", "max"),
        missed_epochs_max=("missed_epochs", "max"),
        locked_out=("locked_out", "mean"),
        seeds=("seed", "size"),
    ).reset_index()


class _Row(NamedTuple):
    aggregator: str
    sources: int
    liars: int
    seed: int
    first_bp: float
    worst_bp: float
    missed_epochs: int
    locked_out: bool


class _Game(NamedTuple):
    """A game that can be sent to another process; it begins as its row does."""

    aggregator: str
    sources: int
    liars: int
    seed: int
    epochs: int
    rules: PriceValidation
    true_price: Decimal
    noise_bp: float


def _games(
    aggregators: object,
    sources: Iterable[tuple[int, int]],
    seeds: Iterable[int],
    epochs: int,
    rules: PriceValidation,
    true_price: object,
    noise_bp: float,
) -> list[_Game]:
    """Return a game for each aggregator, pair and seed, once the settings are known to be right."""
    price = to_decimal(true_price, "true_price")
    to_instance(rules, PriceValidation, "rules")
    if not rules.min_price <= price <= rules.max_price:
        expected = f"from min_price {rules.min_price} to max_price {rules.max_price}"
        raise InvalidInput("true_price", str(price), expected)
    to_micros(price, "true_price")
    epochs = to_whole(epochs, 1, "epochs", _MOST)
    noise_bp = to_number(noise_bp, 0, _MOST_NOISE, "noise_bp", below=True)
    names = read_names("aggregators", aggregators)
    for name in names:
        if name not in registered():
            expected = f"{one_of(name, registered())}; register one of your own"
            raise InvalidInput("aggregator", name, expected)
    if not isinstance(sources, Iterable):
        raise InvalidInput("sources", sources, _PAIRS)
    return [
        _Game(name, *pair, seed, epochs, rules, price, noise_bp)
        for name, pair, seed in product(names, [*map(_pair, sources)], seeds)
    ]


def _play(game: _Game) -> _Row:
    """Play up and down, and return the worse of both."""
    played = np.array([_displacements(game, direction) for direction in get_args(Direction)])
    missed = np.isnan(played)
    return _Row(
        *game[:4],
        first_bp=float(np.fmax.reduce(played[:, 0])),
        worst_bp=float(np.fmax.reduce(played, axis=None)),
        missed_epochs=int(missed.sum(axis=1).max()),
        locked_out=bool(missed[:, game.epochs // 2 :].all(axis=1).any()),
    )


def _displacements(game: _Game, direction: Direction) -> list[float]:
    """How far each epoch's price is from the true one, basis points; NaN without a price."""
    rules, aggregator = game.rules, find_aggregator(game.aggregator)
    liars = [f"liar_{number}" for number in range(game.liars)]
    previous = PreviousConsensus(game.true_price, -1)
    displacements = []
    for epoch, honest in zip(range(game.epochs), _honest_quotes(game), strict=False):
        known = PriceRound(rules, _SYMBOL, epoch, previous, ORIGIN, aggregator)
        lies = most_extreme(honest, liars, known, direction)
        claim = known.evaluate([*honest, *lies]).claim
        if isinstance(claim, PriceConsensus):
            previous = PreviousConsensus(claim.consensus_price, epoch)
            percent = deviation_percent(previous.price, game.true_price)
            displacements.append(float(MONEY.multiply(percent, Decimal(100))))
        else:
            previous = previous.after_no_price()
            displacements.append(math.nan)
    return displacements


def _honest_quotes(game: _Game) -> Iterator[tuple[StockPrice, ...]]:
    """Yield what the honest sources quote in each epoch."""
    names = [f"honest_{number}" for number in range(game.sources - game.liars)]
    streams = {name: stream(game.seed, f"displacement/{name}") for name in names}
    micro_dollars = to_micros(game.true_price)
    while True:
        quotes = []
        for name, random in streams.items():
            factor = 1 + game.noise_bp / 10_000 * random.gauss(0, 1)
            price = from_ticks(quoted_cents(micro_dollars, factor))
            volume = round(_VOLUME * random.lognormvariate(0, VOLUME_SPREAD))
            quotes.append(StockPrice(_SYMBOL, price, Decimal(volume), name))
        yield tuple(quotes)


def _pair(pair: tuple[int, int]) -> tuple[int, int]:
    try:
        sources, liars = pair
        sources = to_whole(sources, 1, "sources", _MOST_SOURCES)
        return sources, to_whole(liars, 0, "liars", sources - 1)
    except (TypeError, ValueError):  # InvalidInput is one
        raise InvalidInput("sources", pair, _PAIRS) from None
