"""Accounts are true under every band: clipped orders, auctions, pauses and halts too."""

from collections import Counter

import pytest

from streamlet_lab.matching import MarketState, Repriced, StateChanged, Uncrossed, make_band
from streamlet_lab.matching.watch import bands
from streamlet_lab.simulator.traders import make_traders

from .floor import SECOND, SYMBOL, Floor, Traders
from .test_accounts import KINDS, Audit

COUNTS = (4, 2, 2, 2, 2, 1, 3)

#: What must have happened, so that the test is one of these events.
MUST_SEE = {"clip": Repriced, "luld": Uncrossed, "volatility_auction": Uncrossed}

SHORT = {
    "luld": {"window": "20s", "hold": "2s", "limit": "1s", "pause": "5s"},
    "volatility_auction": {"dynamic_percent": 1, "call": "5s"},
}


@pytest.mark.parametrize("name", bands())
def test_accounts_are_true_under_every_band(name):
    configs = [Traders(kind, count) for kind, count in zip(KINDS, COUNTS, strict=True)]
    floor = Floor(
        make_traders(configs, [SYMBOL], seed=3),
        lambda time: 150.0 + 0.1 * time / SECOND,
        band=make_band(name, 2, SHORT.get(name, {})),
    )
    audit = Audit(floor)
    for step, reference in enumerate((150, 153, 150, 158, 160, 150)):
        floor.set_reference(reference, step * 10 * SECOND)
        audit.check()
        floor.run((step + 1) * 10 * SECOND, audit.check)
        audit.check()
    kinds = Counter(type(event) for event in floor.engine.events)
    if name in MUST_SEE:
        assert kinds[MUST_SEE[name]] > 0
    if MUST_SEE.get(name) is Uncrossed:
        states = {one.state for one in floor.engine.events if isinstance(one, StateChanged)}
        assert MarketState.AUCTION in states
    assert sum(one.position for one in floor.traders.values()) == 0
