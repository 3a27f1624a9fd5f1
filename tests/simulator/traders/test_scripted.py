"""Orders that a configuration lists, each at its instant."""

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.errors import InvalidInput

OTHERS = [{"kind": "noise_trader", "count": 9, "rate": 0.5}, "momentum"]
SCRIPT = [
    {"at": "4321001us", "side": "sell", "quantity": 7},
    {"at": 2.5, "side": "buy", "quantity": 100, "price": "999.99", "intent": "far"},
    {"at": "4321001us", "side": "buy", "quantity": 3, "price": 120.5},
    {"at": 0, "side": "buy", "quantity": 1, "price": "150"},
]


def run(*traders, **settings):
    return sl.Experiment(epochs=8, signatures="none", market={"traders": traders}, **settings).run()


def scripted(*orders):
    return {"kind": "scripted", "parameters": {"script": [*orders]}}


def own(orders):
    return orders[orders["kind"] == "scripted"]


def test_each_order_is_sent_at_its_instant():
    orders = own(run(*OTHERS, scripted(*SCRIPT)).orders)
    columns = ["order_id", "time_s", "side", "quantity", "type", "intent"]
    assert [*orders[columns].itertuples(index=False, name=None)] == [
        ("scripted_0/AAPL/0", 0.0, "buy", 1, "limit", "honest"),
        ("scripted_0/AAPL/1", 2.5, "buy", 100, "limit", "far"),
        ("scripted_0/AAPL/2", 4.321001, "sell", 7, "market", "honest"),
        ("scripted_0/AAPL/3", 4.321001, "buy", 3, "limit", "honest"),
    ]
    assert orders["price"].tolist()[:2] == [150.0, 999.99]


def test_nobody_elses_orders_change_before_it_nor_their_draws_and_ids_ever():
    plain = run(*OTHERS).orders
    orders = run(*OTHERS, scripted(*SCRIPT[1:3])).orders
    others = orders[orders["kind"] != "scripted"].reset_index(drop=True)
    blind = others["kind"] == "noise_trader"
    sent = ["time_s", "order_id", "side", "price", "quantity"]
    pd.testing.assert_frame_equal(
        others[blind][sent].reset_index(drop=True),
        plain[plain["kind"] == "noise_trader"][sent].reset_index(drop=True),
    )
    assert others["order_id"].is_unique


def test_orders_of_a_list_go_to_the_market_of_each_symbol():
    orders = own(run(scripted(*SCRIPT), symbols=["AAPL", "IBM"]).orders)
    assert orders.groupby("symbol").size().to_dict() == {"AAPL": 4, "IBM": 4}


def test_a_script_is_saved_and_run_again(tmp_path):
    result = run(*OTHERS, scripted(*SCRIPT))
    result.save(tmp_path / "run.zip")
    again = sl.Experiment.from_config(sl.Result.load(tmp_path / "run.zip").config).run()
    pd.testing.assert_frame_equal(again.orders, result.orders)


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"quantity": 0}, ".quantity", "a whole number from 1 to 1,000,000,000"),
        ({"side": "hold"}, ".side", "'buy' or 'sell'"),
        ({"at": -1}, ".at", "a duration of whole microseconds, zero or more"),
        ({"price": "0"}, ".price", "a price of at least a cent"),
        ({"price": "150.001"}, ".price", "a multiple of the tick size 0.01"),
        ({"intent": "evil"}, ".intent", "'honest', 'far' or 'manipulating'"),
        ({"colour": "red"}, ".colour", "one of the parameters at, side, quantity, price, intent"),
        (None, "", "a table of parameters by their names"),
        ({"at": ...}, "", "a value for at too, which is missing"),
    ],
)
def test_what_is_no_order_is_refused(changed, field, expected):
    order = {"at": 1, "side": "buy", "quantity": 1, **(changed or {})}
    order = {name: value for name, value in order.items() if value is not ...}
    with pytest.raises(InvalidInput) as caught:
        run(scripted(SCRIPT[0], order if changed else 5))
    assert caught.value.field == f"market.traders.scripted.script.1{field}"
    assert caught.value.expected == expected
