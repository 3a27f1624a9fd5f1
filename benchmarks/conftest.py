"""``--smoke``: only show that the benchmarks run, on small sizes, with no figure worth reading."""

import pytest

from . import timing


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--smoke", action="store_true", help="small sizes, each once")


def pytest_configure(config: pytest.Config) -> None:
    timing.smoke = config.getoption("smoke")
