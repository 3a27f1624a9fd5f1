from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching.auction import Clearing, clearing


def curves(bids, asks, ticks):
    """What is bid for and what is offered at a price, added up order by order."""
    demand = sum(quantity for limit, quantity in bids if limit >= ticks)
    supply = sum(quantity for limit, quantity in asks if limit <= ticks)
    return demand, supply


def naive_clearing(bids, asks, reference):
    """Look at every price of the range, and keep what each rule keeps."""
    limits = [limit for limit, _ in (*bids, *asks)]
    if not limits:
        return None
    outcomes = {}
    for ticks in range(min(limits), max(limits) + 1):
        demand, supply = curves(bids, asks, ticks)
        outcomes[ticks] = min(demand, supply), demand - supply
    most = max(traded for traded, _ in outcomes.values())
    if most == 0:
        return None
    left = {ticks: surplus for ticks, (traded, surplus) in outcomes.items() if traded == most}
    least = min(map(abs, left.values()))
    left = {ticks: surplus for ticks, surplus in left.items() if abs(surplus) == least}
    buyers = [ticks for ticks, surplus in left.items() if surplus > 0]
    sellers = [ticks for ticks, surplus in left.items() if surplus < 0]
    if buyers and sellers:
        candidates = [max(buyers), min(sellers)]
    elif buyers:
        candidates = [max(buyers)]
    elif sellers:
        candidates = [min(sellers)]
    else:
        candidates = list(left)
    if reference is None:
        reference = Fraction(min(candidates) + max(candidates), 2)
    ticks = min(candidates, key=lambda ticks: (abs(ticks - reference), ticks % 2))
    return Clearing(ticks, most, left[ticks])


HALF = Fraction(1, 2)
RULES = {
    # At 100 to 101 only 200 shares are offered; at 102 there are 500, and 400 are bid for.
    "most shares trade": (
        [(103, 100), (102, 300), (100, 400)],
        [(100, 200), (102, 300)],
        dict.fromkeys([None, 90, 110], (102, 400, -100)),
    ),
    # 300 shares trade at 101 and at 102; at 101 there are 500 buyers, at 102 there are 400.
    "of those the fewest are left over": (
        [(102, 400), (101, 100)],
        [(101, 300)],
        dict.fromkeys([None, 90, 110], (102, 300, 100)),
    ),
    "left over buyers take the highest price": (
        [(105, 300)],
        [(100, 200)],
        dict.fromkeys([None, 90, 110], (105, 200, 100)),
    ),
    # Every price from 100 to 105 serves all. The middle, without a reference, is 102.5.
    "with nobody left over the nearest to the reference, of two the even tick": (
        [(105, 200)],
        [(100, 200)],
        {90: (100, 200, 0), 102: (102, 200, 0), 110: (105, 200, 0), None: (102, 200, 0)}
        | {102 + HALF + Fraction(1, 100): (103, 200, 0)}
        | {101 + HALF: (102, 200, 0), 102 + HALF: (102, 200, 0), 103 + HALF: (104, 200, 0)},
    ),
    # 100 shares trade at 101, where 100 buyers are left, and at 102, where it is 100 sellers.
    "between pressures of both signs the reference decides": (
        [(102, 100), (101, 100)],
        [(101, 100), (102, 100)],
        {90: (101, 100, 100), 110: (102, 100, -100)},
    ),
    # At the limits 101 and 104 somebody is left over, at 102 and 103 nobody.
    "a price between limits counts where it leaves nobody over": (
        [(105, 100), (101, 50)],
        [(100, 100), (104, 50)],
        {110: (103, 100, 0), 90: (102, 100, 0)},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_of_the_clearing_price(rule):
    bids, asks, expected = RULES[rule]
    for reference, outcome in expected.items():
        exact = None if reference is None else Fraction(reference)
        assert clearing(bids, asks, exact) == Clearing(*outcome)


@pytest.mark.parametrize(
    ("bids", "asks"),
    [([], []), ([(100, 1)], []), ([], [(100, 1)]), ([(99, 5), (98, 5)], [(100, 5), (101, 5)])],
)
def test_without_a_bid_as_high_as_an_ask_there_is_no_price(bids, asks):
    assert clearing(bids, asks, Fraction(100)) is None


orders = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), max_size=8)
references = st.none() | st.fractions(Fraction(0), Fraction(14), max_denominator=4)


@given(bids=orders, asks=orders, reference=references)
@settings(deadline=None, max_examples=400)
@example(bids=[(8, 2), (4, 1)], asks=[(3, 2), (7, 1)], reference=None)
def test_clearing_is_what_a_search_over_every_price_finds(bids, asks, reference):
    assert clearing(bids, asks, reference) == naive_clearing(bids, asks, reference)


@given(bids=orders, asks=orders, reference=references)
@settings(deadline=None)
def test_what_is_left_after_the_auction_does_not_cross(bids, asks, reference):
    outcome = clearing(bids, asks, reference)
    if outcome is None:
        return
    demand, supply = curves(bids, asks, outcome.ticks)
    assert outcome.quantity == min(demand, supply)
    assert outcome.surplus == demand - supply
    # Whoever is willing beyond the price is served: only those at the price may be left over.
    above, _ = curves(bids, asks, outcome.ticks + 1)
    _, below = curves(bids, asks, outcome.ticks - 1)
    assert above <= outcome.quantity
    assert below <= outcome.quantity
