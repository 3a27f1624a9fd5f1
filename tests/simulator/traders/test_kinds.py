"""Kinds by their names, and traders from a configuration."""

from functools import partial

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.simulator.traders import (
    Trader,
    make_traders,
    own_trader_kinds,
    trader_kind,
    trader_kinds,
)
from streamlet_lab.simulator.traders.simple_traders import Informed, Momentum

from .floor import Traders, view

OWN = (
    "fat_finger",
    "informed",
    "manipulator",
    "market_maker",
    "momentum",
    "noise_trader",
    "scripted",
)


class Patient(Trader):
    """Somebody's own."""

    def __init__(self, seat, *, discount=1.0):
        super().__init__(seat)
        self.discount = discount

    def act(self, view):
        return [self.buy(10, view.true_price - self.discount)]


def make(kind, parameters=None, **fields):
    (one,) = make_traders([Traders(kind, parameters=parameters or {}, **fields)], ["AAPL"], seed=0)
    return one


# --- The register


def test_the_labs_own_kinds():
    assert trader_kinds() == own_trader_kinds() == OWN


def test_ones_own_kind_is_made_by_its_name():
    assert trader_kind("patient")(Patient) is Patient
    assert trader_kinds() == tuple(sorted([*OWN, "patient"]))
    assert own_trader_kinds() == OWN
    one = make("patient", {"discount": 2.5})
    assert (type(one), one.name, one.discount) == (Patient, "patient_0", 2.5)


class Idle(Trader):
    """Does not say how to act."""


class Unrelated:
    """No trader."""

    def act(self, view):
        return []


@pytest.mark.parametrize("kind", [Idle, Unrelated, Trader, lambda seat: Patient(seat), None])
def test_what_cannot_act_is_not_registered(kind):
    with pytest.raises(InvalidInput, match=r"a subclass of Trader with a method act$"):
        trader_kind("mine")(kind)
    assert trader_kinds() == OWN


def test_a_kind_cannot_have_an_unknown_intent():
    expected = r"^Evil\.intent: 'evil' is not valid; expected one of honest, far, manipulating$"
    with pytest.raises(InvalidInput, match=expected):

        class Evil(Patient):
            intent = "evil"


# --- From a configuration


def test_traders_are_numbered_within_their_kind_and_sit_in_every_market():
    configs = [
        Traders("momentum", count=2),
        Traders("informed"),
        Traders("momentum", rate=3.0, parameters={"lookback": 2}),
    ]
    made = make_traders(configs, ["AAPL", "IBM"], seed=0)
    assert [(one.name, one.symbol, one.rate) for one in made] == [
        ("momentum_0", "AAPL", 1.0),
        ("momentum_0", "IBM", 1.0),
        ("momentum_1", "AAPL", 1.0),
        ("momentum_1", "IBM", 1.0),
        ("informed_0", "AAPL", 1.0),
        ("informed_0", "IBM", 1.0),
        ("momentum_2", "AAPL", 3.0),
        ("momentum_2", "IBM", 3.0),
    ]
    assert [type(one) for one in made] == [Momentum] * 4 + [Informed] * 2 + [Momentum] * 2


def test_a_kind_may_be_a_class_or_a_function():
    def generous(seat, *, discount):
        return Patient(seat, discount=-discount)

    assert (make(Patient).name, make(Patient).discount) == ("patient_0", 1.0)
    made = make(generous, {"discount": 3.0})
    assert (made.name, made.discount) == ("generous_0", -3.0)
    assert make(partial(Patient, discount=4.0)).discount == 4.0


def actions(traders, name, symbol):
    (one,) = (one for one in traders if (one.name, one.symbol) == (name, symbol))
    return [(one.decide(view()), one.wait()) for _ in range(20)]


def test_a_trader_does_the_same_whatever_others_and_other_symbols_there_are():
    alone = make_traders([Traders("noise_trader", count=2)], ["IBM"], seed=5)
    crowd = make_traders(
        [Traders("fat_finger", count=3), Traders("noise_trader", count=9)],
        ["AAPL", "MSFT", "IBM"],
        seed=5,
    )
    name = "noise_trader_1"
    assert actions(alone, name, "IBM") == actions(crowd, name, "IBM")


def test_each_trader_of_each_symbol_and_seed_draws_for_itself():
    configs = [Traders("noise_trader", count=2)]
    seen = {
        tuple(one.wait() for _ in range(3))
        for seed in (0, 1)
        for one in make_traders(configs, ["AAPL", "IBM"], seed)
    }
    assert len(seen) == 8


# --- Bad input


@pytest.mark.parametrize(
    ("config", "field", "expected"),
    [
        (Traders("daytrader"), "market.traders", "one of fat_finger, informed, manipulator, "),
        (Traders("daytrader"), "market.traders", "must be registered before"),
        (Traders(Idle), "market.traders", "a subclass of Trader with a method act"),
        (Traders(Unrelated), "market.traders", "a subclass of Trader with a method act"),
        (Traders(lambda seat: Unrelated()), "market.traders.<lambda>", "a Trader, which"),
        (Traders(Momentum, parameters={"context": 3}), "market.traders.momentum.context", "one"),
        (Traders(Idle2 := type("Idle2", (Patient,), {"__init__": Trader.__init__}),
                 parameters={"x": 1}), "market.traders.idle2.x", "no parameters"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused(config, field, expected):
    with pytest.raises(InvalidInput) as caught:
        make_traders([config], ["AAPL"], seed=0)
    assert caught.value.field == field
    assert expected in caught.value.expected


WRONG = {
    "noise_trader": {
        "spread_percent": (-0.1, 100.1, "1", True),
        "market_order_share": (-0.1, 1.1, [1]),
        "size": (0, -5, 1.5, True, "10", 1_000_000_001),
    },
    "fat_finger": {"from_percent": (-1, 101), "to_percent": (-1, 101, 5), "size": (0,)},
    "informed": {"noise_percent": (-1, 101), "edge_percent": (-1, 101), "size": (0,)},
    "market_maker": {
        "half_spread_percent": (0, -1, 51),
        "size": (0, 2.0),
        "inventory_limit": (0, 99, 1e3),
        "skew_percent": (-1, 51),
        "reference_weight": (-0.1, 1.1),
    },
    "momentum": {"lookback": (0, 1.0, 100_001), "threshold_percent": (-1,), "size": (0,)},
    "scripted": {"script": (1, "buy", {"at": 1})},
    "manipulator": {"threshold_percent": (-1, 101), "edge_percent": (-1, 101), "size": (0,)},
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, parameters in WRONG.items()
        for name, values in parameters.items()
        for value in values
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_its_name(kind, name, value):
    with pytest.raises(InvalidInput) as caught:
        make(kind, {name: value})
    assert caught.value.field == f"market.traders.{kind}.{name}"


def test_every_parameter_of_every_kind_is_tried():
    assert tuple(sorted(WRONG)) == OWN
    for kind, parameters in WRONG.items():
        with pytest.raises(InvalidInput) as caught:
            make(kind, {"nonsense": 1})
        assert caught.value.expected == f"one of the parameters {', '.join(parameters)}"
