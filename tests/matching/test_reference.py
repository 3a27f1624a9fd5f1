from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import ConsensusMatchingEngine, MarketState, Reference

from .calling import limit


@dataclass
class Consensus:
    consensus_price: Decimal
    block_hash: str


class DescriptionNetwork:
    """Offers the one call of the description, with new objects at each call."""

    def __init__(self, *finalized):
        self.finalized = [*finalized]

    def get_finalized_consensus_prices(self):
        return [Consensus(*pair) for pair in self.finalized]


@pytest.mark.parametrize("price", [Decimal("NaN"), Decimal(0), Decimal("-1"), Decimal("152.455")])
def test_bad_price_is_refused(price):
    with pytest.raises(InvalidInput) as caught:
        Reference(price, 0)
    assert caught.value.field == "price"


@pytest.mark.parametrize("time", [-1, 0.5, True, "now"])
def test_bad_time_is_refused(time):
    with pytest.raises(InvalidInput, match="whole microseconds") as caught:
        Reference(Decimal("152.45"), time)
    assert caught.value.field == "time"


def test_network_of_the_description_gives_its_last_finalized_price():
    network = DescriptionNetwork()
    engine = ConsensusMatchingEngine("AAPL", network)
    assert engine.get_latest_consensus_price() is None
    network.finalized = [(Decimal("152.45"), "a1b2"), (Decimal("153.12"), "e5f6")]
    assert engine.get_latest_consensus_price() == Decimal("153.12")


def test_price_from_a_list_is_known_from_the_command_that_first_saw_it():
    network = DescriptionNetwork((Decimal("152.45"), "a1b2"))
    engine = ConsensusMatchingEngine("AAPL", network)
    engine.submit(limit("b-1", "buy", "150.00"), 1_000)
    engine.submit(limit("b-2", "buy", "151.00"), 4_000)
    assert engine.reference == Reference(Decimal("152.45"), 1_000, "a1b2")
    network.finalized.append((Decimal("152.45"), "e5f6"))
    engine.submit(limit("b-3", "buy", "151.00"), 5_000)
    assert engine.reference == Reference(Decimal("152.45"), 5_000, "e5f6")


@pytest.mark.parametrize("price", [150.1, "150.1", Decimal("150.100")])
def test_a_price_from_a_list_is_new_once_however_it_is_written(price):
    engine = ConsensusMatchingEngine("AAPL", DescriptionNetwork((price, "a1b2")))
    for time in (0, 10, 20):
        engine.submit(limit(f"b-{time}", "buy", "150.00"), time)
    assert engine.reference == Reference(Decimal("150.10"), 0, "a1b2")


def test_copy_of_an_engine_and_its_network_goes_by_its_own_clock():
    network = DescriptionNetwork()
    engine = ConsensusMatchingEngine("AAPL", network)
    again, its_network = deepcopy((engine, network))
    its_network.finalized.append((Decimal("152.45"), "a1b2"))
    again.submit(limit("b-1", "buy", "150.00"), 1_000)
    assert again.reference.time == 1_000
    assert (engine.now, engine.reference, len(engine.book)) == (0, None, 0)


def test_network_without_a_reference_is_refused():
    with pytest.raises(InvalidInput, match=r"reference\(\) or get_finalized_consensus_prices\(\)"):
        ConsensusMatchingEngine("AAPL", object())


def test_reference_is_preferred_to_the_list():
    class Both(DescriptionNetwork):
        def reference(self):
            return Reference(Decimal("153.12"), 7)

    engine = ConsensusMatchingEngine("AAPL", Both((Decimal("152.45"), "a1b2")))
    assert engine.get_latest_consensus_price() == Decimal("153.12")


def test_only_the_consensus_must_lie_on_the_cent_grid_and_kinds_are_known():
    price = Decimal("152.4567")
    assert Reference(price, 0, kind="auction").price == price
    with pytest.raises(InvalidInput):
        Reference(price, 0)
    with pytest.raises(InvalidInput, match="'consensus' or 'oracle': others are the band's"):
        ConsensusMatchingEngine("AAPL").set_reference(Reference(price, 0, kind="auction"))
    with pytest.raises(InvalidInput, match="'consensus' or 'oracle' or 'trades' or 'auction'"):
        Reference(Decimal("152.45"), 0, kind="rumour")


def test_the_operator_needs_no_answer_from_the_network():
    class Unreachable:
        def reference(self):
            raise ConnectionError

    engine = ConsensusMatchingEngine("AAPL", Unreachable())
    engine.advance(5)
    engine.halt(10)
    assert engine.market is MarketState.HALTED
    engine.resume(20)
    engine.end_day(30)
    assert engine.market is MarketState.OPEN
