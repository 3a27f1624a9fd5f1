"""The search for the worst lies, against a search that tries everything."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations_with_replacement, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from streamlet_lab.prices.attacks import MONOTONE, most_extreme
from streamlet_lab.units import from_ticks

OWN = ("mad_filter", "mean", "median", "pyth", "trimmed_mean", "volume_weighted_median", "vwap")
EPOCH = 7

# A corridor of 30 cents around $60: few enough prices to try them all.
NARROW = PriceValidation(max_deviation_percent=Decimal("0.5"), widening_percent=Decimal(0))
STRICT = PriceValidation(widening_percent=Decimal(0))

by_name = pytest.mark.parametrize("name", OWN)
both_ways = pytest.mark.parametrize("direction", ["up", "down"])


def make_quotes(cents, volume=500):
    return [
        StockPrice("AAPL", from_ticks(each), Decimal(volume), f"honest_{number}")
        for number, each in enumerate(cents)
    ]


def before(cents, missed=0):
    return PreviousConsensus(from_ticks(cents), EPOCH - 1 - missed, missed)


def attack(honest, liars, name, direction, rules=NARROW, previous=None, **options):
    names = [f"liar_{number}" for number in range(liars)]
    return most_extreme(honest, names, known(name, rules, previous, **options), direction)


def known(name, rules=NARROW, previous=None, **options):
    previous = previous or before(6000)
    return PriceRound(rules, "AAPL", EPOCH, previous, ORIGIN, find_aggregator(name), **options)


def price_of(quotes, name, rules=NARROW, previous=None, **options):
    """What an honest node makes of them."""
    claim = known(name, rules, previous, **options).evaluate(quotes).claim
    return claim.consensus_price if isinstance(claim, PriceConsensus) else None


def everything(previous, volumes=(100, 10_000_000_000), confidences=(0, 1, 60)):
    """Every price of a narrow corridor with some volumes and confidences, and one not valid."""
    middle = int(previous.price * 100)
    said = product(range(middle - 31, middle + 32), volumes, confidences)
    quotes = [
        StockPrice("AAPL", from_ticks(cents), Decimal(volume), "", ORIGIN, Decimal(confidence))
        for cents, volume, confidence in said
        if NARROW.within_deviation(from_ticks(cents), previous)
    ]
    return [*quotes, StockPrice("AAPL", Decimal(1), Decimal(0), "")]


def best_of_everything(honest, liars, name, direction, said, previous):
    prices = []
    for combination in combinations_with_replacement(said, liars):
        lies = [
            StockPrice(*("AAPL", lie.price, lie.volume, f"liar_{number}", ORIGIN, lie.confidence))
            for number, lie in enumerate(combination)
        ]
        price = price_of([*honest, *lies], name, NARROW, previous)
        if price is not None:
            prices.append(price)
    return (max if direction == "up" else min)(prices, default=None)


# --- Against a search that tries everything


@by_name
@both_ways
@settings(max_examples=6, deadline=None)
@given(
    cents=st.lists(st.integers(5_960, 6_040), min_size=2, max_size=4),
    volume=st.integers(100, 5_000),
    middle=st.integers(5_975, 6_025),
)
def test_one_liar_cannot_do_better(name, direction, cents, volume, middle):
    honest, previous = make_quotes(cents, volume), before(middle)
    lies = attack(honest, 1, name, direction, NARROW, previous)

    best = best_of_everything(honest, 1, name, direction, everything(previous), previous)

    assert price_of([*honest, *lies], name, NARROW, previous) == best


@by_name
@both_ways
@pytest.mark.parametrize("honest_sources", [1, 2, 3])
def test_two_liars_cannot_do_better(name, direction, honest_sources):
    # Honest venues disagree by about 1 bp: less than a cent at $60.
    random = Random(honest_sources)
    previous = before(6000)
    # One weight is enough here, and of the monotone ones' prices every third and the ends.
    said = everything(previous, volumes=[10_000_000_000], confidences=[0])
    if find_aggregator(name) in MONOTONE:
        said = said[::3] + said[-2:]
    for spread in (1, 2, 4):
        honest = make_quotes(6000 + round(random.gauss(0, spread)) for _ in range(honest_sources))
        lies = attack(honest, 2, name, direction)

        best = best_of_everything(honest, 2, name, direction, said, previous)

        found = price_of([*honest, *lies], name)
        assert found is not None
        assert best is not None
        assert found >= best if direction == "up" else found <= best


PRICES = st.lists(st.integers(5_000, 7_000), min_size=1, max_size=7)
# A set has another order in another process, and pytest's workers must find the same tests.
IN_ORDER = sorted(MONOTONE, key=lambda each: each.name)


@pytest.mark.parametrize("aggregator", IN_ORDER, ids=lambda each: each.name)
@given(data=st.data(), cents=PRICES, more=st.integers(0, 500))
def test_a_higher_quote_never_lowers_these(aggregator, data, cents, more):
    volumes = data.draw(st.lists(st.integers(1, 9_999), min_size=len(cents), max_size=len(cents)))
    place = data.draw(st.integers(0, len(cents) - 1))

    def price(cents):
        return aggregator.function(
            [
                StockPrice("AAPL", from_ticks(each), Decimal(volume), "", ORIGIN, Decimal(1))
                for each, volume in zip(cents, volumes, strict=True)
            ]
        )

    raised = [*cents]
    raised[place] += more
    assert price(raised) >= price(cents)


# --- What they do


BOUNDED = PriceValidation(min_price=Decimal("149.245"), max_price=Decimal("155.504"))


@pytest.mark.parametrize(
    ("name", "honest", "direction", "rules", "reference", "price"),
    [
        ("mean", [15_000, 15_000], "up", STRICT, 15_000, "165.00"),
        ("mean", [15_000, 15_000], "down", STRICT, 15_000, "135.00"),
        # 10 % of $150.01 is $15.001; of $150.09, $15.009.
        ("mean", [15_000, 15_000], "up", STRICT, 15_001, "165.01"),
        ("mean", [15_000, 15_000], "down", STRICT, 15_001, "135.01"),
        ("mean", [15_000, 15_000], "down", STRICT, 15_009, "135.09"),
        ("mean", [15_000, 15_000], "up", BOUNDED, 15_000, "155.50"),
        ("mean", [15_000, 15_000], "down", BOUNDED, 15_000, "149.25"),
        # Median 150.02, MAD 0.02: the filter ends at 150.08, and $165 would be left out.
        ("mad_filter", [15_000, 15_002], "up", STRICT, 15_000, "150.08"),
        # 100 cents apart: the grid is coarser than a cent. Median 151.00, MAD 1.00, end 154.00.
        ("mad_filter", [15_000, 15_100], "up", STRICT, 15_000, "154.00"),
    ],
)
def test_a_lie_is_the_last_cent_that_pays(name, honest, direction, rules, reference, price):
    [lie] = attack(make_quotes(honest), 1, name, direction, rules, before(reference))
    assert lie.price == Decimal(price)


@pytest.mark.parametrize("name", ["vwap", "volume_weighted_median"])
def test_volume_is_whatever_a_liar_says(name):
    honest = make_quotes([15_000] * 6)
    lies = attack(honest, 1, name, "up", STRICT, before(15_000))
    assert lies[0].volume == STRICT.max_volume
    price = price_of([*honest, *lies], name, STRICT, before(15_000))
    assert price is not None
    assert price > Decimal("164.99")


def test_while_the_chain_is_re_anchored_a_lie_must_agree_with_the_others():
    rules = PriceValidation(
        widening_percent=Decimal(0), reanchor_after=2, reanchor_sources=3, min_sources=2
    )
    honest, previous = make_quotes([15_000] * 3), before(30_000, missed=2)
    lies = attack(honest, 1, "mean", "up", rules, previous)
    assert lies[0].price == Decimal("165.00")
    assert price_of([*honest, *lies], "mean", rules, previous) == Decimal("153.75")


def test_an_outlier_rule_is_taken_into_account():
    def far_from_all(quote, quotes, previous, epoch):
        return sum(abs(quote.price - other.price) > 3 for other in quotes) > 1

    honest, options = make_quotes([15_000, 15_000, 15_000]), {"outlier": far_from_all}
    [lie] = attack(honest, 1, "mean", "up", STRICT, before(15_000), **options)
    assert lie.price == Decimal("153.00")


def test_a_rule_that_punishes_the_far_end_is_seen_through():
    # Above $160, whoever quotes costs the five at $154.90 their say.
    def drops_the_middle(quote, quotes, previous, epoch):
        return quote.price == Decimal("154.9") and max(each.price for each in quotes) > 160

    honest, options = make_quotes([15_000] * 3 + [15_490] * 5), {"outlier": drops_the_middle}
    [lie] = attack(honest, 1, "mean", "up", STRICT, before(15_000), **options)
    assert lie.price == Decimal("160.00")


def test_liars_need_not_say_the_same_where_that_would_give_them_away():
    def copies(quote, quotes, previous, epoch):
        return sum(quote.price == each.price for each in quotes) > 1

    honest, options = make_quotes([15_000, 15_001]), {"outlier": copies}
    lies = attack(honest, 2, "mean", "up", STRICT, before(15_000), **options)
    price = price_of([*honest, *lies], "mean", STRICT, before(15_000), **options)
    assert price is not None
    assert price >= Decimal("155.00")


# --- Who, when, and where nothing can be done


def test_each_liar_quotes_once_for_the_symbol_and_the_time():
    now = ORIGIN + timedelta(days=3)
    lies = most_extreme([], ["b", "a"], replace(known("mean"), symbol="IBM", timestamp=now), "up")
    assert [(lie.source, lie.symbol, lie.timestamp) for lie in lies] == [
        ("b", "IBM", now),
        ("a", "IBM", now),
    ]


@pytest.mark.parametrize(("direction", "price"), [("up", "150.07"), ("down", "150.01")])
def test_where_nothing_validates_liars_quote_an_honest_price(direction, price):
    rules = PriceValidation(max_deviation_percent=Decimal(0), widening_percent=Decimal(0))
    previous = PreviousConsensus(Decimal("200.005"), EPOCH - 1)  # no whole cent is within 0 %
    [lie] = attack(make_quotes([15_001, 15_007]), 1, "mean", direction, rules, previous)
    assert lie.price == Decimal(price)


@both_ways
@given(cents=st.lists(st.integers(14_000, 16_000), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_liars_always_gain_at_least_what_silence_would(direction, cents):
    honest = make_quotes(cents)
    for name in OWN:
        alone = price_of(honest, name, STRICT, before(15_000))
        lies = attack(honest, 2, name, direction, STRICT, before(15_000))
        moved = price_of([*honest, *lies], name, STRICT, before(15_000))
        assert moved is not None
        if alone is not None:
            assert moved >= alone if direction == "up" else moved <= alone


@pytest.mark.parametrize("liars", [["honest_0"], ["liar", "liar"]])
def test_a_liar_is_none_of_the_honest_and_named_once(liars):
    with pytest.raises(InvalidInput, match=r"liars: .* other sources than the honest"):
        most_extreme(make_quotes([1]), liars, known("mean"), "up")
