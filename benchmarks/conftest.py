"""``--smoke``: only show that the benchmarks run, on small sizes, with no figure worth reading."""

import gc

import pytest

from . import timing


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--smoke", action="store_true", help="small sizes, each once")


def pytest_configure(config: pytest.Config) -> None:
    timing.smoke = config.getoption("smoke")


@pytest.fixture(autouse=True)
def _apart() -> None:
    """Keep the collector from looking, in each benchmark, at what those before it left."""
    gc.collect()
    gc.freeze()
