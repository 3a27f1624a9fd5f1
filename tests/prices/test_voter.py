"""What an honest leader claims, and what an honest voter objects to."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import (
    ORIGIN,
    GenesisPrice,
    NoPrice,
    PreviousConsensus,
    PriceConsensus,
    PriceRound,
    PriceValidation,
    QuoteReason,
    StockPrice,
    Voter,
    aggregators,
    decode_payload,
    find_aggregator,
)
from streamlet_lab.prices.aggregation import median

RULES = PriceValidation()
PREVIOUS = PreviousConsensus(Decimal("150.00"), 6)
EPOCH = 7
OWN = PriceConsensus("AAPL", Decimal("152.00"), Decimal("152.10"), Decimal(4500), 3, ORIGIN)
NOTHING_SEEN = NoPrice("AAPL", "1 of 3 sources valid, 2 needed", ORIGIN)


def _quotes(prices, volumes=(1500,) * 7):
    return [
        StockPrice.create("AAPL", price, volume, f"source_{index}")
        for index, (price, volume) in enumerate(zip(prices, volumes, strict=False))
    ]


def test_valid_quotes_make_a_consensus():
    quotes = _quotes(["152.00", "152.20", "9999"], [1000, 2000, 3000])
    evaluation = PriceRound(RULES, "AAPL", EPOCH, PREVIOUS, ORIGIN).evaluate(quotes)

    assert evaluation.claim == PriceConsensus(
        "AAPL", Decimal("152.10"), Decimal("152.13"), Decimal(3000), 2, ORIGIN
    )
    assert [check.quote for check in evaluation.checks] == quotes
    assert [check.reason for check in evaluation.checks] == [
        QuoteReason.VALID,
        QuoteReason.VALID,
        QuoteReason.ABOVE_MAX_PRICE,
    ]
    assert evaluation.previous == PREVIOUS


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        (["152", "49", "501"], "1 of 3 sources valid, 2 needed"),
        (["49", "49", "501"], "0 of 3 sources valid, 2 needed"),
        (["152"], "1 of 1 sources valid, 2 needed"),
        ([], "0 of 0 sources valid, 2 needed"),
    ],
)
def test_fewer_than_two_valid_sources_make_no_price(prices, reason):
    evaluation = PriceRound(RULES, "AAPL", EPOCH, PREVIOUS, ORIGIN).evaluate(_quotes(prices))

    assert evaluation.claim == NoPrice("AAPL", reason, ORIGIN)


@given(
    micros=st.lists(st.integers(4_000, 60_000).map(lambda cents: 10_000 * cents), max_size=5)
    | st.lists(st.integers(164_990_000, 165_060_000), max_size=5)
    | st.lists(st.integers(40_000_000, 600_000_000), max_size=5),
    volumes=st.lists(st.integers(0, 10_000), min_size=5, max_size=5),
    previous=st.none()
    | st.builds(
        PreviousConsensus,
        (st.integers(14_995, 15_005) | st.integers(5_000, 50_000)).map(
            lambda amount: Decimal(amount).scaleb(-2)
        ),
        st.integers(-1, 6),
    ),
    policy=st.sampled_from(["observe", "bounds", "evidence"]),
    aggregator=st.sampled_from([find_aggregator(name) for name in aggregators()]),
)
def test_honest_voters_accept_an_honest_leader(micros, volumes, previous, policy, aggregator):
    """All nodes of an epoch see the same quotes."""
    quotes = _quotes([Decimal(price).scaleb(-6) for price in micros], volumes)
    voter = Voter("AAPL", RULES, policy, Decimal(0), aggregator)
    claim = voter.round(EPOCH, previous, ORIGIN).evaluate(quotes).claim

    assert voter.objection(decode_payload(claim.to_payload()), claim, previous) is None


def _objection(claim, own=OWN, previous=PREVIOUS, **settings):
    return Voter("AAPL", RULES, **settings).objection(claim, own, previous)


@pytest.mark.parametrize("policy", ["observe", "bounds"])
@pytest.mark.parametrize(
    ("claim", "objection"),
    [
        (GenesisPrice("AAPL", Decimal("152.00")), "a genesis payload in a later block"),
        (replace(OWN, symbol="MSFT"), "symbol MSFT instead of AAPL"),
        (NoPrice("MSFT", "none", ORIGIN), "symbol MSFT instead of AAPL"),
        (replace(OWN, timestamp=ORIGIN + timedelta(microseconds=1)), "timestamp of another epoch"),
        (NoPrice("AAPL", "none", ORIGIN - timedelta(1)), "timestamp of another epoch"),
        (replace(OWN, price_count=1), "1 sources, 2 needed"),
        (replace(OWN, total_volume=Decimal(299)), "volume 299 below the threshold of 3 sources"),
        (replace(OWN, consensus_price=Decimal("49.99")), "consensus price 49.99 outside 50 to 500"),
        (replace(OWN, consensus_price=Decimal(9999)), "consensus price 9999 outside 50 to 500"),
        (replace(OWN, volume_weighted_price=Decimal("500.01")), "VWAP 500.01 outside 50 to 500"),
        (
            replace(OWN, consensus_price=Decimal("165.01")),
            "consensus price 165.01 too far from the previous consensus 150.00",
        ),
        (
            replace(OWN, volume_weighted_price=Decimal("134.99")),
            "VWAP 134.99 too far from the previous consensus 150.00",
        ),
    ],
)
def test_the_rules_hold_for_claims_under_either_policy(claim, objection, policy):
    assert _objection(claim, policy=policy) == objection


@pytest.mark.parametrize("policy", ["observe", "bounds", "evidence"])
@pytest.mark.parametrize("own", [OWN, NOTHING_SEEN])
def test_what_the_voter_would_have_claimed_is_accepted(own, policy):
    assert _objection(own, own, policy=policy) is None


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"total_volume": Decimal(300)}, "volume 300 too far from 4500"),
        ({"price_count": 2}, "2 sources where this node observes 3"),
        ({"consensus_price": Decimal(160)}, "consensus price 160 too far from 152.00"),
        ({"volume_weighted_price": Decimal(160)}, "VWAP 160 too far from 152.10"),
    ],
)
def test_only_own_quotes_show_a_claim_within_the_rules_to_be_false(changes, objection):
    claim = replace(OWN, **changes)

    assert _objection(claim, policy="bounds") is None
    assert (_objection(claim, policy="observe") or "").startswith(objection)


def _at(price):
    return replace(OWN, consensus_price=Decimal(price), volume_weighted_price=Decimal(price))


@given(
    own=st.integers(14_000, 16_000),
    claimed=st.integers(14_000, 16_000),
    tolerance=st.integers(0, 1_000),
)
def test_the_tolerance_is_exact(own, claimed, tolerance):
    said, seen = (_at(Decimal(cents).scaleb(-2)) for cents in (claimed, own))
    objection = _objection(said, seen, tolerance_percent=Decimal(tolerance) / 100)

    assert (objection is None) == (abs(Fraction(claimed, own) - 1) <= Fraction(tolerance, 10_000))


@pytest.mark.parametrize(
    ("policy", "own", "objection"),
    [
        ("bounds", OWN, None),
        ("bounds", NOTHING_SEEN, None),
        ("observe", OWN, "no price where this node observes 152.00"),
        ("observe", NOTHING_SEEN, None),
    ],
)
def test_a_leader_without_a_price_is_believed_by_who_has_none(policy, own, objection):
    claim = NoPrice("AAPL", "the feeds are down", ORIGIN)
    assert _objection(claim, own, policy=policy) == objection


def test_without_a_previous_consensus_only_the_bounds_count():
    claim = replace(OWN, consensus_price=Decimal(500), volume_weighted_price=Decimal(50))

    assert _objection(claim, previous=None, policy="bounds") is None


@pytest.mark.parametrize("tolerance", ["-0.01", "0.001"])
def test_an_impossible_tolerance_is_refused(tolerance):
    with pytest.raises(InvalidInput, match=rf"tolerance_percent: '{tolerance}' .* hundredths"):
        Voter("AAPL", RULES, tolerance_percent=Decimal(tolerance))


@pytest.mark.parametrize("policy", ["observe", "bounds"])
@pytest.mark.parametrize(
    ("previous", "price", "accepted"),
    [
        ("150.00", "165.00", True),
        ("150.00", "135.00", True),
        ("150.09", "165.10", True),  # 165.099 is in the corridor, and 165.10 in cents
        ("150.04", "165.05", False),  # 165.044 is the last, and 165.04 in cents
        ("150.04", "165.04", True),
        ("150.09", "135.08", True),  # 135.081
        ("150.06", "135.05", True),  # 135.054
        ("150.06", "135.04", False),
    ],
)
def test_the_corridor_is_that_of_prices_before_they_were_rounded(previous, price, accepted, policy):
    """Else a source that quotes the last micro-dollar could have honest leaders refused."""
    claim = _at(price)
    before = PreviousConsensus(Decimal(previous), 6)

    assert (_objection(claim, claim, before, policy=policy) is None) == accepted


# --- Where the aggregator tolerates liars, a source may tell nodes different things


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"volume_weighted_price": Decimal("160.00")}, None),
        ({"total_volume": Decimal(400)}, None),
        ({"price_count": 2}, None),
        ({"price_count": 4}, None),
        ({"price_count": 6}, "6 sources where this node observes 3"),
        ({"total_volume": Decimal(299)}, "volume 299 below the threshold of 3 sources"),
        (
            {"total_volume": Decimal(30_000_000_001)},
            "volume 30000000001 above the limit of 3 sources",
        ),
        (
            {"volume_weighted_price": Decimal("165.01")},
            "VWAP 165.01 too far from the previous consensus 150.00",
        ),
        (
            {"consensus_price": Decimal("152.77")},
            "consensus price 152.77 too far from 152.00, which this node observes",
        ),
        (
            {"consensus_price": Decimal("151.23")},
            "consensus price 151.23 too far from 152.00, which this node observes",
        ),
    ],
)
def test_only_what_liars_cannot_move_is_compared(changes, objection):
    assert _objection(replace(OWN, **changes), aggregator=median) == objection


# --- Evidence


@pytest.mark.parametrize(
    ("claim", "own", "objection"),
    [
        (
            replace(OWN, consensus_price=Decimal("152.01")),
            OWN,
            "consensus_price 152.01 where the signed quotes give 152.00",
        ),
        (
            replace(OWN, volume_weighted_price=Decimal("152.09")),
            OWN,
            "volume_weighted_price 152.09 where the signed quotes give 152.10",
        ),
        (replace(OWN, price_count=2), OWN, "price_count 2 where the signed quotes give 3"),
        (
            replace(OWN, total_volume=Decimal(4501)),
            OWN,
            "total_volume 4501 where the signed quotes give 4500",
        ),
        (NOTHING_SEEN, OWN, "no price where the signed quotes give 152.00"),
        (
            OWN,
            NOTHING_SEEN,
            "a price where the signed quotes give none: 1 of 3 sources valid, 2 needed",
        ),
        (
            replace(NOTHING_SEEN, reason="no"),
            NOTHING_SEEN,
            "reason 'no' where the signed quotes give none: 1 of 3 sources valid, 2 needed",
        ),
        (replace(OWN, symbol="MSFT"), OWN, "symbol MSFT instead of AAPL"),
        (
            replace(OWN, timestamp=ORIGIN + timedelta(microseconds=1)),
            OWN,
            "timestamp of another epoch",
        ),
        (GenesisPrice("AAPL", Decimal(152)), OWN, "a genesis payload in a later block"),
    ],
)
def test_what_differs_from_the_evidence_is_named(claim, own, objection):
    assert _objection(claim, own, policy="evidence") == objection
