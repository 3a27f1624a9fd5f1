"""Each aggregator by hand, against a naive twin in exact fractions, and against liars."""

import statistics
from collections.abc import Callable
from decimal import ROUND_UP, Context, Decimal, localcontext
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    Aggregator,
    PriceRound,
    PriceValidation,
    StockPrice,
    aggregator,
    aggregators,
    find_aggregator,
)
from streamlet_lab.units import round_price

OWN = ("mad_filter", "mean", "median", "pyth", "trimmed_mean", "volume_weighted_median", "vwap")
WEIGHTED = ("volume_weighted_median", "vwap")


def _quotes(prices, volumes=(), confidences=()):
    return [
        StockPrice.create(
            "AAPL",
            price,
            volumes[index] if volumes else 500,
            f"source_{index}",
            confidence=confidences[index] if confidences else None,
        )
        for index, price in enumerate(prices)
    ]


def _micros(amount):
    return Decimal(amount).scaleb(-6)


# --- What is there

by_name = pytest.mark.parametrize("name", OWN)


def test_these_are_the_labs_own():
    assert {*OWN} <= {*aggregators()}
    assert [*aggregators()] == sorted(aggregators())
    assert {name: find_aggregator(name).name for name in OWN} == {name: name for name in OWN}


def test_the_liars_that_each_tolerates_among_one_to_seven_sources():
    stated = {
        name: [find_aggregator(name).breakdown(sources) for sources in range(1, 8)] for name in OWN
    }

    assert stated == {
        "mean": [0] * 7,
        "vwap": [0] * 7,
        "volume_weighted_median": [0] * 7,
        "trimmed_mean": [0, 0, 0, 1, 1, 1, 2],
        "median": [0, 0, 1, 1, 2, 2, 3],
        "mad_filter": [0, 0, 1, 1, 2, 2, 3],
        "pyth": [0, 0, 1, 1, 2, 2, 3],
    }


# --- By hand


@pytest.mark.parametrize(
    ("name", "prices", "volumes", "expected"),
    [
        ("mean", [150, 151, "151.60"], [1000, 2000, 3000], "150.87"),
        ("vwap", [150, 151, "151.60"], [1000, 2000, 3000], "151.13"),
        ("median", [165, 150, "150.04"], [], "150.04"),
        ("median", [165, 150, "150.04", 90], [], "150.02"),
        # Nothing is cut of three; one a side of four.
        ("trimmed_mean", [150, "150.06", 165], [], "155.02"),
        ("trimmed_mean", [150, "150.06", 165, 1], [], "150.03"),
        ("trimmed_mean", [1, 2, 150, 151, 155, 900, 901], [], "152"),
        # Median 152, deviations 2, 1, 0, 1 and 3.01 or 3: three times their median is 3.
        ("mad_filter", [150, 151, 152, 153, "155.01"], [], "151.50"),
        ("mad_filter", [150, 151, 152, 153, 155], [], "152.20"),
        ("mad_filter", [150, 150, 150, 150, 165], [], "150"),
        ("mad_filter", [150, 151], [], "150.5"),
        ("volume_weighted_median", [152, 150, 151], [100, 100, 100], "151"),
        ("volume_weighted_median", [150, 151, 152], [100, 100, 201], "152"),
        ("volume_weighted_median", [150, 151, 152], [100, 100, 200], "151.5"),
        ("volume_weighted_median", [150, 151, 152], [100, 0, 100], "151"),
        # Votes 149.985, 150, 150.015 twice, then the third source's: the fifth of nine, to even.
        ("pyth", [150, 150, 165], [], "150.02"),
        *((name, ["150.01"], [], "150.01") for name in OWN),
    ],
)
def test_worked_examples(name, prices, volumes, expected):
    assert find_aggregator(name)(_quotes(prices, volumes)) == Decimal(expected)


@pytest.mark.parametrize(
    ("prices", "confidences", "expected"),
    [
        # The two examples of Pyth's own proposal: an outlier, and sources of different accuracy.
        ([100] * 4 + [80], [1] * 5, "100"),
        ([101, 110], [1, 10], "101.5"),
        # Without a confidence, a source has one basis point.
        (["150.00", "150.02", "151"], [], "150.02"),
        (["150.00", "150.02", "151"], [1, 0, 1], "150.02"),
    ],
)
def test_pyths_worked_examples(prices, confidences, expected):
    assert find_aggregator("pyth")(_quotes(prices, confidences=confidences)) == Decimal(expected)


# --- Against naive twins: statistics of exact fractions

Rows = list[tuple[int, int, int]]  # price and confidence in micro-dollars, volume


def _median_of(rows):
    return statistics.median([Fraction(price) for price, _, _ in rows])


def _trimmed(rows):
    prices = [Fraction(price) for price, _, _ in rows]
    for _ in range((len(rows) - 1) // 3):
        prices.remove(min(prices))
        prices.remove(max(prices))
    return statistics.mean(prices)


def _filtered(rows):
    middle = _median_of(rows)
    spread = statistics.median([abs(price - middle) for price, _, _ in rows])
    return statistics.mean(
        [Fraction(price) for price, _, _ in rows if abs(price - middle) <= 3 * spread]
    )


def _share_by_share(rows):
    return statistics.median(chain.from_iterable([Fraction(p)] * v for p, _, v in rows))


def _pyth(rows):
    votes = chain.from_iterable((p - c, p, p + c) for p, c, _ in rows)
    return statistics.median(map(Fraction, votes))


TWINS: dict[str, Callable[[Rows], Fraction]] = {
    "mean": lambda rows: statistics.mean(Fraction(price) for price, _, _ in rows),
    "vwap": lambda rows: Fraction(sum(p * v for p, _, v in rows), sum(v for _, _, v in rows)),
    "median": _median_of,
    "trimmed_mean": _trimmed,
    "mad_filter": _filtered,
    "volume_weighted_median": _share_by_share,
    "pyth": _pyth,
}

rows = st.lists(
    st.tuples(
        # Few different prices, so that many coincide; and any price.
        st.integers(1, 9).map(lambda cents: 150_000_000 + 5_000 * cents)
        | st.integers(1, 1_000_000_000),
        st.integers(0, 1_000_000),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=9,
)


def _quoted(rows):
    return _quotes(
        [_micros(price) for price, _, _ in rows],
        [volume for _, _, volume in rows],
        [_micros(confidence) for _, confidence, _ in rows],
    )


@by_name
@given(rows)
def test_the_naive_twin_agrees_to_the_last_half_cent(name, rows):
    exact = TWINS[name](rows) / 10**6

    assert find_aggregator(name)(_quoted(rows)) == Decimal(round(exact * 100)).scaleb(-2)


@by_name
def test_the_callers_decimal_context_changes_nothing(name):
    chosen = find_aggregator(name)
    quotes = _quotes(["150.014999", "151.025", "152.04", "152.05"], [1, 20, 300, 20])
    expected = chosen(quotes)
    with localcontext(Context(prec=2, rounding=ROUND_UP)):
        assert chosen(quotes) == expected


# --- Liars

lies = st.tuples(
    st.integers(0, 10**15), st.none() | st.integers(0, 10**12).map(_micros), st.integers(0, 10**9)
)
honest_quotes = st.lists(
    st.tuples(
        st.integers(149_000_000, 151_000_000), st.integers(0, 500_000), st.integers(100, 5_000)
    ),
    min_size=1,
    max_size=9,
)


def _lie(price, confidence, volume):
    return StockPrice("AAPL", _micros(price), Decimal(volume), "liar", confidence=confidence)


def _most_liars(chosen, honest):
    """How many liars may join so many honest sources."""
    return max(b for b in range(honest + 1) if b <= chosen.breakdown(honest + b))


@by_name
@given(st.data())
def test_up_to_the_breakdown_point_liars_cannot_move_the_price_beyond_the_limits(name, data):
    chosen = find_aggregator(name)
    honest = _quoted(data.draw(honest_quotes))
    most = _most_liars(chosen, len(honest))
    liars = [_lie(*lie) for lie in data.draw(st.lists(lies, min_size=most, max_size=most))]
    low, high = map(round_price, chosen.limits(honest))

    assert low <= chosen(data.draw(st.permutations([*honest, *liars]))) <= high


@by_name
@pytest.mark.parametrize("sources", range(2, 14))
def test_one_liar_more_moves_it_anywhere(name, sources):
    chosen = find_aggregator(name)
    liars = chosen.breakdown(sources) + 1
    honest = _quotes([Decimal(150) + _micros(100 * i) for i in range(sources - liars)])

    for price in (10**4, 10**6, 10**8):
        moved = chosen([*honest, *([_lie(price * 10**6, Decimal(0), 10**9)] * liars)])
        assert moved > price / (2 * sources)
        assert moved > chosen.limits(honest)[1]


@given(honest_quotes, st.data())
def test_liars_with_less_than_half_of_the_volume_do_not_move_its_median_out(rows, data):
    honest = _quoted(rows)
    liars = [_lie(*lie) for lie in data.draw(st.lists(lies, max_size=9))]
    fair = sum(quote.volume for quote in honest)
    if sum(quote.volume for quote in liars) < fair:
        low, high = map(round_price, find_aggregator("median").limits(honest))
        assert low <= find_aggregator("volume_weighted_median")([*honest, *liars]) <= high


# --- Both prices, always


@by_name
@settings(max_examples=40)
@given(rows)
def test_the_second_price_stays_the_vwap(name, rows):
    quotes, chosen = _quoted(rows), find_aggregator(name)
    result = PriceRound(PriceValidation(), "AAPL", 0, None, aggregator=chosen).aggregate(quotes)

    assert result.consensus_price == chosen(quotes)
    assert result.volume_weighted_price == find_aggregator("vwap")(quotes)
    assert result.total_volume == sum(quote.volume for quote in quotes)
    assert result.price_count == len(quotes)
    assert str(result.consensus_price) == f"{result.consensus_price:.2f}"


# --- Bad input, and one's own


@by_name
def test_nothing_has_no_price(name):
    with pytest.raises(InvalidInput, match=r"prices: \[\] .* at least one quote"):
        find_aggregator(name)([])


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("volumes", [[0, 0], [100, -100], [100, -300]])
def test_no_volume_cannot_weigh(name, volumes):
    with pytest.raises(InvalidInput, match=r"volume: .* more than 0 shares"):
        find_aggregator(name)(_quotes([150, 151], volumes))


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        InvalidInput, match=r"aggregator: 'mode' .* mad_filter, .*mean.* registered"
    ):
        find_aggregator("mode")


def test_ones_own_is_rounded_as_the_others_and_may_be_replaced():
    for factor in ("0.5", "0.25"):

        @aggregator("own_share", breakdown=lambda sources: 0)
        def own_share(quotes, factor=factor):
            return quotes[0].price * Decimal(factor)

        assert find_aggregator("own_share") is own_share

    assert str(own_share(_quotes(["600.10"]))) == "150.02"  # of 150.025
    assert "own_share" in aggregators()


@pytest.mark.parametrize("price", [150.0, "150.00", None, Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_amount_is_no_price(price):
    own = Aggregator("own", lambda quotes: price, lambda sources: 0)

    with pytest.raises(InvalidInput, match=r"aggregator own: .* a finite Decimal"):
        own(_quotes([150]))
