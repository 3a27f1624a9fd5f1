"""What a trader sees."""

import pytest

from streamlet_lab.matching import MarketState

from .floor import view


def test_the_mid_lies_between_the_best_prices():
    assert view(best_bid=149.0, best_ask=150.0).mid == 149.5


@pytest.mark.parametrize("fields", [{}, {"best_bid": 149.0}, {"best_ask": 150.0}])
def test_without_both_sides_there_is_no_mid(fields):
    assert view(**fields).mid is None


@pytest.mark.parametrize("state", MarketState)
def test_orders_are_matched_as_they_come_in_an_open_market_and_at_its_limits(state):
    assert view(state=state).is_continuous is (state in ("open", "limit"))
