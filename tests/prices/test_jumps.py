"""Jumps of the true price that a configuration lists."""

import math
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.config import make_stock
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import JumpingPath, make_path

HOUR = 3_600_000_000


def jumping(*jumps, base_price=150, **settings):
    def path():
        return make_path("simulated", 3, HOUR, base_price=Decimal(base_price), **settings)

    return path(), JumpingPath(path(), [(at, Fraction(factor)) for at, factor in jumps])


def test_the_price_is_multiplied_from_the_very_instant_on_and_rounded_half_even():
    plain, jumped = jumping((5 * HOUR, "1.08"), (9 * HOUR + 1, "0.5"))
    for time in (0, 5 * HOUR - 1, 5 * HOUR, 9 * HOUR, 9 * HOUR + 1, 20 * HOUR):
        price = plain.price(time)
        for at, factor in ((5 * HOUR, Fraction("1.08")), (9 * HOUR + 1, Fraction("0.5"))):
            price = round(price * factor) if time >= at else price
        assert jumped.price(time) == price
    for name in ("symbol", "base_price", "bounds", "duration"):
        assert getattr(jumped, name) == getattr(plain, name)
    assert jumped.volume(7 * HOUR) == plain.volume(7 * HOUR)
    assert jumped.timestamp(7 * HOUR) == plain.timestamp(7 * HOUR)


@pytest.mark.parametrize(
    ("base_price", "factor", "there"),
    [
        (400, 2, "312.50"),  # 800 is 1.6 × 500, and 500 / 1.6 as far inside
        (100, "0.25", "100"),  # 25 is half of 50
        (500, 1, "500"),
        (100, 5, "500"),
        (100, 200, "200"),  # down to 500 / 40, and from there up to 50 × 4
    ],
)
def test_a_jump_is_reflected_at_the_bounds(base_price, factor, there):
    _, jumped = jumping((0, factor), base_price=base_price)
    assert jumped.price(0) == pytest.approx(int(Decimal(there) * 1_000_000), abs=2)


@given(
    st.lists(
        st.tuples(st.integers(0, 9 * HOUR), st.fractions("1/1000", 11, max_denominator=10**4)),
        max_size=3,
    ),
    st.integers(0, 9 * HOUR),
)
def test_a_price_is_within_the_bounds_and_its_own_before_the_first_jump(jumps, time):
    plain, jumped = jumping(*jumps)
    assert 50_000_000 <= jumped.price(time) <= 500_000_000
    if all(at > time for at, _ in jumps):
        assert jumped.price(time) == plain.price(time)


FRAME = pd.DataFrame(
    {"time": pd.date_range("2024-01-15", periods=9, freq="D"), "price": 80.0, "volume": 100}
)


@pytest.mark.parametrize("feed", ["simulated", "history", FRAME], ids=["simulated", "real", "own"])
@pytest.mark.parametrize("market_time", ["6.5h", "1ms"])
def test_a_jump_comes_at_its_instant_of_protocol_time(feed, market_time):
    settings = {"epochs": 8, "signatures": "none", "market_time_per_epoch": market_time}
    jumps = [{"at": "3141592us", "percent": "8"}]
    plain = sl.Experiment(**settings, feed=feed).run()
    jumped = sl.Experiment(**settings, feed=feed, prices={"jumps": jumps}).run()

    ratio = (jumped.epochs["true_price"] / plain.epochs["true_price"]).round(6)
    assert ratio.tolist() == [1.0] * 4 + [1.08] * 4
    paths = [run.config for run in (plain, jumped)]
    pace = Fraction(paths[0].market_time_per_epoch, 1_000_000)
    last, first = math.floor(3_141_591 * pace), math.ceil(3_141_592 * pace)
    before, after = (make_stock(config, config.symbols[0]).path for config in paths)
    assert after.price(last) == before.price(last)
    assert after.price(first) == round(before.price(first) * Fraction("1.08"))


def test_each_symbol_may_have_jumps_of_its_own():
    prices = {"jumps": [{"at": "1s", "percent": 10}], "assets": {"IBM": {"jumps": []}}}
    config = sl.Experiment(symbols=["AAPL", "IBM"], prices=prices).config
    plain = sl.Experiment(symbols=["AAPL", "IBM"]).config
    for symbol, factor in (("AAPL", 1.1), ("IBM", 1)):
        prices = [make_stock(each, symbol).path.price(6 * HOUR * 2) for each in (config, plain)]
        assert prices[0] / prices[1] == pytest.approx(factor)


def test_a_configuration_without_jumps_is_saved_as_it_always_was(tmp_path):
    assert "jumps" not in sl.ExperimentConfig().to_document()["prices"]
    config = sl.ExperimentConfig(prices={"jumps": [{"at": "1.5s", "percent": -7.25}]})
    config.save(tmp_path / "jump.toml")
    assert sl.config.load_config(tmp_path / "jump.toml") == config


@pytest.mark.parametrize(
    ("jump", "field", "expected"),
    [
        ({"at": "1s", "percent": -100}, "percent", "a number above -100, and at most 1,000"),
        ({"at": "1s", "percent": "1001"}, "percent", "a number above -100, and at most 1,000"),
        ({"at": "1s", "percent": None}, "percent", "a finite decimal number such as 152.45"),
        ({"at": -1, "percent": 8}, "at", "a duration of whole microseconds, zero or more"),
        ({"percent": 8}, None, "a value for 'at' too, which is missing"),
    ],
)
def test_what_is_no_jump_is_refused(jump, field, expected):
    with pytest.raises(InvalidInput) as caught:
        sl.Experiment(prices={"jumps": [jump]})
    place = "prices.jumps.0" + (f".{field}" if field else "")
    assert (caught.value.field, caught.value.expected) == (place, expected)
