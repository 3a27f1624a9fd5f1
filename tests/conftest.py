"""What all tests share."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from hypothesis import settings

# Timing is nobody's business here, and a red run must be red again.
settings.register_profile("lab", deadline=None, derandomize=True)
settings.load_profile("lab")


@pytest.fixture(autouse=True)
def no_figure_left_open() -> Iterator[None]:
    """Close what a test drew with pyplot: open figures are global state."""
    yield
    plt.close("all")
