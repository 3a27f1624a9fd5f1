"""Sources quote around one path, each for itself."""

import pytest

from streamlet_lab.prices import SIMULATED, SOURCES, TRADING_DAY, QuoteFeed, make_path


@pytest.mark.parametrize(
    ("name", "length", "epochs"),
    [
        (SIMULATED, TRADING_DAY, 20),
        (SIMULATED, TRADING_DAY // 390, 400),
        ("aapl-2012", TRADING_DAY, 250),
    ],
)
def test_every_source_quotes_the_path_once_in_each_epoch_in_a_fixed_order(
    name: str, length: int, epochs: int
) -> None:
    """At the pace of the market."""
    feed = QuoteFeed(make_path(name, 0, length), length, 0)
    for epoch in range(epochs):
        quotes, true_price = feed.quotes(epoch), feed.path.price(epoch * length) / 1e6
        assert tuple(quote.source for quote in quotes) == SOURCES
        assert {(quote.symbol, quote.timestamp) for quote in quotes} == {
            ("AAPL", feed.path.timestamp(epoch * length))
        }
        assert [float(quote.price) for quote in quotes] == [pytest.approx(true_price, rel=1e-3)] * 3


def test_a_path_follows_the_model_of_its_name() -> None:
    """Golden values of a day each; those of the default are in test_determinism.py."""
    second_days = {
        name: make_path(SIMULATED, 1, TRADING_DAY, path_model=name).price(2 * TRADING_DAY)
        for name in ("gjr_garch", "gbm", "merton", "regime")
    }

    assert second_days == {
        "gjr_garch": 150_776_929,
        "gbm": 148_687_555,
        "merton": 153_297_370,
        "regime": 158_187_055,
    }
    default = make_path(SIMULATED, 1, TRADING_DAY)
    assert default.price(2 * TRADING_DAY) == second_days["gjr_garch"]


def test_a_simulated_price_moves_ten_times_in_an_epoch() -> None:
    path = make_path(SIMULATED, 0, TRADING_DAY)

    assert len({path.price(step * TRADING_DAY // 20) for step in range(20)}) == 10
