"""Sources quote around one path, each for itself."""

import itertools
import math
import statistics
from collections.abc import Sequence
from decimal import Decimal

import pytest

from streamlet_lab.description import AAPLPriceSimulator
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    SIMULATED,
    SOURCES,
    TRADING_DAY,
    QuoteFeed,
    Source,
    StockPrice,
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


def test_quotes_are_prices_in_cents_and_whole_shares() -> None:
    for quote in itertools.chain(*map(_feed().quotes, range(200))):
        assert quote.price > 0
        assert quote.price == round(quote.price, 2)
        assert quote.volume > 0
        assert quote.volume == int(quote.volume)


def test_earlier_epochs_may_be_asked_for_again() -> None:
    forwards, backwards = _feed(), _feed()
    in_order = [forwards.quotes(epoch) for epoch in range(30)]

    assert [backwards.quotes(epoch) for epoch in reversed(range(30))] == in_order[::-1]
    assert forwards.quotes(3) == in_order[3]


def test_sources_disagree_with_the_true_price_by_one_basis_point() -> None:
    """Of 2,000 normal deviates: four standard errors of the mean are 0.09, of the deviation 6 %.

    Rounding to cents adds 0.2 bp in quadrature at $150 (2 %).
    """
    for deviations in _deviations(_feed(3)).values():
        assert abs(statistics.fmean(deviations)) < 0.1
        assert 0.94 < statistics.pstdev(deviations) < 1.09
        assert max(map(abs, deviations)) < 6


def test_sources_err_independently() -> None:
    """Four standard errors of a correlation over 2,000 epochs are 0.09."""
    for one, other in itertools.combinations(_deviations(_feed(5)).values(), 2):
        assert abs(statistics.correlation(one, other)) < 0.09


def test_volumes_are_of_the_descriptions_size() -> None:
    """4,500 shares over three sources, each lognormal with a spread of a half.

    Of 6,000 such volumes four standard errors of the mean are 2.8 %.
    """
    feed = _feed(3)
    volumes = [float(quote.volume) for epoch in range(EPOCHS) for quote in feed.quotes(epoch)]

    assert statistics.fmean(volumes) == pytest.approx(1_500, rel=0.028)
    assert statistics.pstdev(map(math.log, volumes)) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_quotes_the_same_prices_whoever_else_quotes(source: str) -> None:
    all_sources, alone = _feed(), _feed(sources=[Source(source)])
    for epoch in range(50):
        quotes = {quote.source: quote for quote in all_sources.quotes(epoch)}
        (quote,) = alone.quotes(epoch)
        assert quote.source == source
        assert quote.price == quotes[source].price


def test_all_sources_together_report_the_volume_of_the_market() -> None:
    """With fewer sources, each reports more."""
    three, one = _feed(), _feed(sources=standard_sources(3)[:1])
    for epoch in range(50):
        share, whole = three.quotes(epoch)[0].volume, one.quotes(epoch)[0].volume
        assert abs(whole - 3 * share) <= 2


def test_the_order_of_the_sources_is_the_callers() -> None:
    sources = [Source("external_feed"), Source("market_data_1")]
    quotes = _feed(sources=sources).quotes(0)

    assert [quote.source for quote in quotes] == ["external_feed", "market_data_1"]


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


def test_an_unknown_feed_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"feed: 'tsla' .* 'simulated' or a real history"):
        make_path("tsla", 0, TRADING_DAY)


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


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(
        InvalidInput, match=r"path_model: 'garch' .* gbm, gjr_garch, gjr_garch_mle, merton, regime"
    ):
        make_path(SIMULATED, 0, TRADING_DAY, path_model="garch")


def test_the_nth_quote_of_the_simulator_is_of_the_nth_day() -> None:
    simulator = AAPLPriceSimulator(base_price=200, seed=4)
    quotes: list[StockPrice] = [
        simulator.generate_price_feed(source) for source in ("external_feed",) * 3 + SOURCES[:1]
    ]

    assert quotes[:3] == [simulator.feed.quotes(day)[2] for day in range(3)]
    assert quotes[3] == simulator.feed.quotes(0)[0]
    assert float(quotes[0].price) == pytest.approx(200, rel=1e-3)


def test_simulators_of_one_seed_agree() -> None:
    one, same, other = (AAPLPriceSimulator(seed=seed) for seed in (1, 1, 2))
    for source in SOURCES * 5:
        quote = one.generate_price_feed(source)
        assert quote == same.generate_price_feed(source)
        assert quote != other.generate_price_feed(source)


@pytest.mark.parametrize("price", [50, 50.0, "500", Decimal("499.99")])
def test_the_base_price_lies_within_the_bounds(price: object) -> None:
    assert AAPLPriceSimulator(base_price=price).feed.path.base_price == Decimal(str(price))


@pytest.mark.parametrize("price", ["49.99", "500.01", 0, -150, "NaN", float("inf"), "dear", None])
def test_another_base_price_is_refused(price: object) -> None:
    with pytest.raises(InvalidInput, match=r"^base_price: "):
        AAPLPriceSimulator(base_price=price)


@pytest.mark.parametrize("source", ["market_data_3", "", "AAPL", None])
def test_an_unknown_source_is_refused(source: str) -> None:
    with pytest.raises(InvalidInput, match=r"^source: .* one of 'market_data_1', 'market_data_2'"):
        AAPLPriceSimulator().generate_price_feed(source)


def test_the_simulators_prices_stay_within_the_descriptions_range() -> None:
    """The path reflects at $50 and $500; a quote may overshoot it by its noise, 1 bp."""
    simulator = AAPLPriceSimulator(base_price=55, volatility=10.0)
    prices = [simulator.generate_price_feed("market_data_1").price for _ in range(1_000)]

    assert Decimal("49.96") <= min(prices) < max(prices) <= Decimal("500.40")


def test_the_simulators_trend_moves_the_price() -> None:
    simulator = AAPLPriceSimulator(volatility=0.0, trend=0.5)
    prices = [simulator.generate_price_feed("external_feed").price for _ in range(253)]

    assert float(prices[-1]) == pytest.approx(150 * math.exp(0.5), rel=1e-3)
