from decimal import Decimal

import pytest

from streamlet_lab.matching import ConsensusMatchingEngine, Reference


@pytest.fixture
def engine():
    """An engine whose reference is the description's $152.45, known since one second."""
    engine = ConsensusMatchingEngine("AAPL")
    engine.set_reference(Reference(Decimal("152.45"), 1_000_000, "a1b2c3d4"))
    return engine
