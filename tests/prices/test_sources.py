"""Honest sources: noise, bias, lag, outages, shares of the volume; each for itself."""

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices.feeds import QuoteFeed
from streamlet_lab.prices.quotes import ORIGIN, StockPrice
from streamlet_lab.prices.sources import Source, read_sources, standard_sources, write_sources

EPOCH = 1_000_000
EPOCHS = 4_000
VOLUME = 9_000


class Path:
    """A price that is a plain function of the market time."""

    base_price = Decimal(400)
    bounds = (Decimal(50), Decimal(500))
    duration: int | None = None

    def __init__(
        self, price: Callable[[int], int] = lambda time: 400_000_000, symbol: str = "AAPL"
    ) -> None:
        self.price = price
        self.symbol = symbol

    def volume(self, market_time: int) -> int:
        """A constant."""
        return VOLUME

    def timestamp(self, market_time: int) -> datetime:
        """As a simulated path."""
        return ORIGIN + timedelta(microseconds=market_time)


def _feed(*sources: Source, path: Path | None = None, seed: int = 0) -> QuoteFeed:
    return QuoteFeed(path or Path(), EPOCH, seed, sources)


def _of(source: str, feed: QuoteFeed, epochs: int = EPOCHS) -> list[StockPrice | None]:
    """What a source says in each epoch; None for nothing."""
    quotes = (feed.quotes(epoch) for epoch in range(epochs))
    return [next((q for q in all_quotes if q.source == source), None) for all_quotes in quotes]


def _spoken(source: str, feed: QuoteFeed, epochs: int = EPOCHS) -> list[StockPrice]:
    return [quote for quote in _of(source, feed, epochs) if quote is not None]


def _errors_bp(quotes: list[StockPrice]) -> list[float]:
    return [10_000 * (float(quote.price) / 400 - 1) for quote in quotes]


@pytest.mark.parametrize("count", [1, 99])
def test_standard_sources_differ_in_nothing_but_the_name(count: int) -> None:
    sources = standard_sources(count)
    assert len({source.name for source in sources}) == count
    assert {replace(source, name="same") for source in sources} == {Source("same")}
    assert sources[-1].name == "external_feed"


@pytest.mark.parametrize("count", [0, 100, 2.0, True])
def test_another_number_of_standard_sources_is_refused(count: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^sources: .* a whole number from 1 to 99"):
        standard_sources(count)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"name": "Reuters"}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "node_3"}, "name"),
        ({"name": "observer"}, "name"),
        ({"noise_bp": -1}, "noise_bp"),
        ({"noise_bp": math.nan}, "noise_bp"),
        ({"bias_bp": 5_001}, "bias_bp"),
        ({"lag": -1}, "lag"),
        ({"outage": 1}, "outage"),
        ({"outage_epochs": 0.5}, "outage_epochs"),
        ({"outage": 0.51}, "outage_epochs"),
        ({"outage": 0.9, "outage_epochs": 8.9}, "outage_epochs"),
        ({"volume_share": 0}, "volume_share"),
        ({"confidence_bp": -1}, "confidence_bp"),
    ],
)
def test_what_is_no_source_is_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        Source(**{"name": "venue", **settings})


@pytest.mark.parametrize("names", [(), ("venue", "venue")])
def test_a_feed_has_sources_of_different_names(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"^sources: .* each with a name of its own"):
        _feed(*map(Source, names))


# --- Price


@pytest.mark.parametrize(
    ("noise", "bias"), [(0.5, -5_000), (1, -30), (1, 0), (5, 0), (5, 0.5), (100, 20), (1, 5_000)]
)
def test_noise_and_bias_are_what_they_say(noise: float, bias: float) -> None:
    """Four standard errors of 4,000 normal deviates; rounding at $400 adds 0.07 bp at most."""
    errors = _errors_bp(_spoken("venue", _feed(Source("venue", noise_bp=noise, bias_bp=bias))))
    spread = math.hypot(noise, 0.25 / math.sqrt(12))
    assert statistics.fmean(errors) == pytest.approx(bias, abs=4 * spread / math.sqrt(EPOCHS))
    assert statistics.pstdev(errors) == pytest.approx(spread, rel=4 / math.sqrt(2 * EPOCHS))


@pytest.mark.parametrize("lag", [0, 1, 700_000, 3_000_000, 10**15])
def test_a_lag_makes_the_price_old_and_not_the_timestamp(lag: int) -> None:
    path = Path(lambda time: 100_000_000 + 10 * time)
    for epoch, quote in enumerate(_spoken("late", _feed(Source("late", 0, lag=lag), path=path), 9)):
        known = path.price(max(epoch * EPOCH - lag, 0))
        assert quote.price == round(Decimal(known).scaleb(-6), 2)
        assert quote.timestamp == path.timestamp(epoch * EPOCH)


def test_no_price_is_below_a_cent() -> None:
    feed = _feed(Source("wild", noise_bp=1_000, bias_bp=-5_000), path=Path(lambda time: 10_000))
    prices = {quote.price for quote in _spoken("wild", feed, 200)}
    assert min(prices) == Decimal("0.01")


# --- Confidence


@pytest.mark.parametrize(
    ("source", "half_width_bp"),
    [
        (Source("venue"), 1),
        (Source("venue", noise_bp=7), 7),
        (Source("venue", confidence_bp=0), 0),
        (Source("venue", noise_bp=7, confidence_bp=2.5), 2.5),
    ],
)
def test_every_quote_states_a_confidence(source: Source, half_width_bp: float) -> None:
    for quote in _spoken("venue", _feed(source), 50):
        assert quote.confidence is not None
        assert float(quote.confidence) == pytest.approx(
            float(quote.price) * half_width_bp / 10_000, abs=5.01e-7
        )
        assert quote.confidence.as_tuple().exponent == -6


# --- Outages


@pytest.mark.parametrize(
    ("share", "length"), [(0.2, 1), (0.5, 1), (0.3, 5), (0.05, 20), (0.9, 9), (0.6, 2.5)]
)
def test_outages_have_the_share_and_the_length_that_they_say(share: float, length: float) -> None:
    """Four standard errors of a Markov chain's mean, and of a geometric variate's."""
    epochs = 20_000
    source = Source("venue", outage=share, outage_epochs=length)
    silences = [quote is None for quote in _of("venue", _feed(source), epochs)]
    memory = 1 - 1 / length - share / (1 - share) / length
    variance = share * (1 - share) * (1 + memory) / (1 - memory)
    assert abs(statistics.fmean(silences) - share) <= 4 * math.sqrt(variance / epochs) + 1 / epochs

    lengths = [len([*run]) for is_silent, run in groupby(silences) if is_silent][1:-1]
    spread = math.sqrt(length * (length - 1))
    assert abs(statistics.fmean(lengths) - length) <= 4 * spread / math.sqrt(len(lengths))


def test_the_first_epoch_is_like_any_other() -> None:
    """Four standard errors of 400 coins."""
    source = Source("venue", outage=0.3, outage_epochs=50)
    silent = [not _feed(source, seed=seed).quotes(0) for seed in range(400)]
    assert abs(statistics.fmean(silent) - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 400)


# --- Volume


def test_volumes_are_split_by_share() -> None:
    """Four standard errors of the mean of 4,000 lognormal variates of spread one half: 3.4 %."""
    shares = {"large": 6, "middle": 3, "small": 1}
    feed = _feed(*(Source(name, volume_share=share) for name, share in shares.items()))
    for name, share in shares.items():
        volumes = [float(quote.volume) for quote in _spoken(name, feed)]
        assert statistics.fmean(volumes) == pytest.approx(VOLUME * share / 10, rel=0.034)
        assert statistics.pstdev(map(math.log, volumes)) == pytest.approx(0.5, rel=0.05)


# --- Each for itself

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "noise_bp": st.floats(0, 1_000),
        "bias_bp": st.floats(-5_000, 5_000),
        "lag": st.integers(0, 10**8),
        "outage": st.floats(0, 0.9),
        "outage_epochs": st.floats(9.01, 100),
        "volume_share": st.floats(0.01, 100),
        "confidence_bp": st.floats(0, 10_000),
    },
).map(lambda settings: {"outage_epochs": 9.01, **settings} if "outage" in settings else settings)


@settings(max_examples=40, deadline=None)
@given(SETTINGS, st.integers(0, 2**32))
def test_a_sources_settings_change_nobody_elses_quotes(change: dict[str, Any], seed: int) -> None:
    sources = standard_sources(4)
    before = _feed(*sources, seed=seed)
    after = _feed(*sources[:1], replace(sources[1], **change), *sources[2:], seed=seed)
    for source in (sources[0], *sources[2:]):
        said, now = _spoken(source.name, before, 40), _spoken(source.name, after, 40)
        if "volume_share" in change:
            said = [replace(quote, volume=Decimal(1)) for quote in said]
            now = [replace(quote, volume=Decimal(1)) for quote in now]
        assert now == said


@settings(max_examples=40, deadline=None)
@given(SETTINGS, st.integers(0, 2**32))
def test_a_sources_settings_change_none_of_its_other_draws(
    change: dict[str, Any], seed: int
) -> None:
    """Volumes, and prices of the same noise, are the same wherever it speaks."""
    base, changed = Source("venue", outage=0.3), Source("venue", **{"outage": 0.3, **change})
    before = _of("venue", _feed(replace(base, outage=0), seed=seed), 40)
    after = _of("venue", _feed(changed, seed=seed), 40)
    same_outages = _of("venue", _feed(base, seed=seed), 40)
    same_chain = not {"outage", "outage_epochs"} & {*change}
    for said, now, silent_or_not in zip(before, after, same_outages, strict=True):
        assert said is not None
        if same_chain:
            assert (now is None) == (silent_or_not is None)
        if now is not None:
            assert now.volume == said.volume
            if not {"noise_bp", "bias_bp"} & {*change}:
                assert now.price == said.price


def test_sources_err_independently_of_each_other_and_from_symbol_to_symbol() -> None:
    """Four standard errors of a correlation over 4,000 epochs are 0.063."""
    apple, ibm = (_feed(*standard_sources(2), path=Path(symbol=name)) for name in ("AAPL", "IBM"))
    errors = [
        _errors_bp(_spoken(name, feed))
        for feed in (apple, ibm)
        for name in ("market_data_1", "external_feed")
    ]
    for index, one in enumerate(errors):
        for other in errors[:index]:
            assert abs(statistics.correlation(one, other)) < 0.063


# --- As settings


@pytest.mark.parametrize(
    ("given", "sources", "written"),
    [
        (2, standard_sources(2), ["market_data_1", "external_feed"]),
        (
            ["one", {"name": "two", "lag": 90, "noise_bp": 2}, Source("three")],
            (Source("one"), Source("two", lag=90_000_000, noise_bp=2), Source("three")),
            ["one", {"name": "two", "lag": "90s", "noise_bp": 2.0}, "three"],
        ),
    ],
)
def test_sources_are_a_number_names_or_tables(
    given: object, sources: tuple[Source, ...], written: list[object]
) -> None:
    assert read_sources(given) == sources
    assert write_sources(sources) == written
    assert read_sources(written) == sources


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (True, "sources"),
        ("one", "sources"),
        (2.0, "sources"),
        ([1], "sources"),
        ([{"lag": 1}], "sources"),
        ([{"name": "one", "colour": "red"}], "colour"),
        ([{"name": "one", "lag": "soon"}], "lag"),
    ],
)
def test_what_is_no_list_of_sources_is_refused(given: object, field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        read_sources(given)
