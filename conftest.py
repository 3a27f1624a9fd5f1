"""What tests and doctests share."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

import streamlet_lab.experiment  # noqa: F401  (fills the kinds)
from streamlet_lab.kinds import Kinds

ALL_KINDS = {
    id(kinds): kinds
    for name, module in [*sys.modules.items()]
    if name.startswith("streamlet_lab")
    for kinds in vars(module).values()
    if isinstance(kinds, Kinds)
}


@pytest.fixture(autouse=True)
def nothing_left_registered() -> Iterator[None]:
    """Forget what a test or an example registered: others go through all that there is."""
    with ExitStack() as stack:
        for kinds in ALL_KINDS.values():
            stack.enter_context(mock.patch.dict(kinds._kinds))
        yield
