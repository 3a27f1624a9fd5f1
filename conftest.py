"""What tests and doctests share."""

from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

from streamlet_lab.kinds import registers


@pytest.fixture(autouse=True)
def nothing_left_registered() -> Iterator[None]:
    """Forget what a test or an example registered: others go through all that there is."""
    with ExitStack() as stack:
        for kinds in registers().values():
            stack.enter_context(mock.patch.dict(kinds._kinds))
        yield
