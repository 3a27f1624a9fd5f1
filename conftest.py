"""What tests and doctests share."""

from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

from streamlet_lab.matching.band import REGISTER as _BANDS
from streamlet_lab.prices import dishonest, models, outliers
from streamlet_lab.prices.aggregators import _AGGREGATORS
from streamlet_lab.simulator import faults, links, references
from streamlet_lab.simulator.traders import kinds

REGISTERS = (
    _AGGREGATORS,
    _BANDS,
    dishonest._KINDS,
    models._MODELS,
    outliers._RULES,
    faults._KINDS,
    kinds._KINDS,
    links._KINDS,
    references._KINDS,
)


@pytest.fixture(autouse=True)
def nothing_left_registered() -> Iterator[None]:
    """Forget what a test or an example registered: others go through all that there is."""
    with ExitStack() as stack:
        for register in REGISTERS:
            stack.enter_context(mock.patch.dict(register._things))
        yield
