"""Sources quote around one path, each for itself."""

import math
import statistics
from collections.abc import Sequence

import pytest

from streamlet_lab.prices import (
    SIMULATED,
    SOURCES,
    TRADING_DAY,
    QuoteFeed,
    Source,
    make_path,
    standard_sources,
)

EPOCHS = 2_000


def _feed(
    seed: int = 0,
    sources: Sequence[Source] = standard_sources(3),
    name: str = SIMULATED,
    market_time_per_epoch: int = TRADING_DAY,
) -> QuoteFeed:
    path = make_path(name, seed, market_time_per_epoch)
    return QuoteFeed(path, market_time_per_epoch, seed, sources)


def _deviations(feed: QuoteFeed) -> dict[str, list[float]]:
    """By source, how far its quotes are from the true price, in basis points."""
    deviations: dict[str, list[float]] = {source: [] for source in SOURCES}
    for epoch in range(EPOCHS):
        true_price = feed.path.price(epoch * TRADING_DAY) / 1e6
        for quote in feed.quotes(epoch):
            deviations[quote.source].append(10_000 * math.log(float(quote.price) / true_price))
    return deviations


def test_every_source_quotes_once_in_each_epoch_in_a_fixed_order() -> None:
    feed = _feed()
    for epoch in range(20):
        quotes = feed.quotes(epoch)
        assert tuple(quote.source for quote in quotes) == SOURCES
        assert {quote.symbol for quote in quotes} == {"AAPL"}
        assert {quote.timestamp for quote in quotes} == {feed.path.timestamp(epoch * TRADING_DAY)}


def test_sources_disagree_with_the_true_price_by_one_basis_point() -> None:
    """Of 2,000 normal deviates: four standard errors of the mean are 0.09, of the deviation 6 %.

    Rounding to cents adds 0.2 bp in quadrature at $150 (2 %).
    """
    for deviations in _deviations(_feed(3)).values():
        assert abs(statistics.fmean(deviations)) < 0.1
        assert 0.94 < statistics.pstdev(deviations) < 1.09
        assert max(map(abs, deviations)) < 6


def test_all_sources_together_report_the_volume_of_the_market() -> None:
    """With fewer sources, each reports more."""
    three, one = _feed(), _feed(sources=standard_sources(3)[:1])
    for epoch in range(50):
        share, whole = three.quotes(epoch)[0].volume, one.quotes(epoch)[0].volume
        assert abs(whole - 3 * share) <= 2


def test_quotes_follow_the_path_at_the_pace_of_the_market() -> None:
    feed = _feed(market_time_per_epoch=TRADING_DAY // 390)
    for epoch in range(400):
        true_price = feed.path.price(epoch * TRADING_DAY // 390) / 1e6
        for quote in feed.quotes(epoch):
            assert float(quote.price) == pytest.approx(true_price, rel=1e-3)


def test_history_is_quoted_around_its_closes() -> None:
    feed = _feed(name="aapl-2012")
    for epoch in range(250):
        close = feed.path.price(epoch * TRADING_DAY) / 1e6
        for quote in feed.quotes(epoch):
            assert quote.symbol == "AAPL"
            assert float(quote.price) == pytest.approx(close, rel=1e-3)


def test_a_path_follows_the_model_of_its_name() -> None:
    """Golden values of a day each; those of the default are in test_determinism.py."""
    second_days = {
        name: make_path(SIMULATED, 1, TRADING_DAY, path_model=name).price(2 * TRADING_DAY)
        for name in ("gjr_garch", "gbm", "merton", "regime")
    }

    assert second_days == {
        "gjr_garch": 150_776_929,
        "gbm": 148_687_555,
        "merton": 153_297_370,
        "regime": 158_187_055,
    }
    default = make_path(SIMULATED, 1, TRADING_DAY)
    assert default.price(2 * TRADING_DAY) == second_days["gjr_garch"]
