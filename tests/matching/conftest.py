from decimal import Decimal

import pytest

from streamlet_lab.matching import ConsensusBand, ConsensusMatchingEngine, Reference

from .calling import SECOND, engine_at, limit


@pytest.fixture
def engine():
    """An engine whose reference is the description's $152.45, known since one second."""
    engine = ConsensusMatchingEngine("AAPL")
    engine.set_reference(Reference(Decimal("152.45"), SECOND, "a1b2c3d4"))
    return engine


@pytest.fixture
def keeping_engine():
    """An engine whose band leaves resting orders alone, with a sell order at $100.00.

    Its reference moved from $100.00 to $152.45, so that the order rests outside.
    """
    engine = engine_at("100.00", band=ConsensusBand(resting="keep"))
    engine.submit(limit("s-1", "sell", "100.00", 100))
    engine.set_reference(Reference(Decimal("152.45"), SECOND, "a1b2c3d4"))
    return engine
