"""What a trader sees."""

import pytest

from streamlet_lab.matching import MarketState

from .floor import view


@pytest.mark.parametrize("state", MarketState)
def test_orders_are_matched_as_they_come_in_an_open_market_and_at_its_limits(state):
    assert view(state=state).is_continuous is (state in ("open", "limit"))
