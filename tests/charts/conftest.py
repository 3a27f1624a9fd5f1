"""No test of charts opens a window."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True, scope="session")
def _headless():
    plt.switch_backend("Agg")
