"""The whole system: prices, consensus and market from one configuration."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import partial

import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.checks import Status
from streamlet_lab.config import make_config, make_stock
from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import GenesisPrice, NoPrice, PriceConsensus, decode_payload
from streamlet_lab.prices.daily_history import load_bars
from streamlet_lab.simulator import Monitor, NodeFault, faults

NO_TRADERS = {"traders": 0}
Forge = Callable[[PriceConsensus], bytes]


def _frames_equal(one, other):
    return all(frame.equals(other.frames[name]) for name, frame in one.frames.items())


# --- Running


def test_the_default_experiment_is_safe_and_lively():
    result = sl.Experiment(seed=1).run()

    assert result.safe
    assert {check.status for check in result.checks.values()} == {Status.HOLDS}
    assert result.summary["finalized_blocks"] == result.summary["epochs"] - 1
    assert result.summary["trades"] > 0
    assert set(result.orders.intent) == {"honest", "far"}


def test_progress_is_reported_once_an_epoch():
    reports = []
    sl.Experiment(epochs=5, market=NO_TRADERS).run(
        progress=lambda epoch, epochs: reports.append((epoch, epochs))
    )

    assert reports == [(epoch, 5) for epoch in range(5)]


class _Counter(Monitor):
    def __init__(self):
        self.epochs = self.final = 0

    def epoch_started(self, time, epoch, leader):
        self.epochs += 1

    def finalized(self, time, node, block):
        self.final += node == "observer"


def test_watching_changes_nothing():
    experiment, watcher = sl.Experiment(epochs=12, seed=1), _Counter()
    watched = experiment.run(monitors=[watcher], progress=lambda epoch, epochs: None)

    assert _frames_equal(watched, experiment.run())
    assert (watcher.epochs, watcher.final) == (12, 11)


def test_an_experiment_shows_what_is_not_default():
    assert repr(sl.Experiment()) == "Experiment()"
    assert repr(sl.Experiment(epochs=12, seed=1)) == "Experiment(epochs=12, seed=1)"


# --- What one setting changes, and what it leaves alone


def test_every_receiver_may_verify_for_itself():
    settings = {"epochs": 12, "seed": 1, "faults": {"node_3": "crash@6"}}
    remembered = sl.Experiment(**settings).run()
    repeated = sl.Experiment(**settings, remember_verifications=False).run()

    assert _frames_equal(remembered, repeated)
    assert repeated.signatures == remembered.signatures
    assert repeated.verifications > 3 * remembered.verifications


def test_without_signatures_the_prices_are_the_same():
    signed = sl.Experiment(epochs=12, seed=1).run()
    unsigned = sl.Experiment(epochs=12, seed=1, signatures="none").run()

    assert _frames_equal(signed, unsigned)
    assert signed.signatures >= 12 * (1 + 3)
    assert (unsigned.signatures, unsigned.verifications) == (0, 0)
    assert unsigned.summary["signatures"] == "none"


QUOTES = ["epoch", "source", "price_micros", "volume", "true_price"]
ORDERS = ["order_id", "time_s", "side", "type", "quantity", "price_cents", "true_price"]


@pytest.mark.parametrize(
    ("setting", "frames"),
    [
        ({"faults": {"node_3": "silent_leader"}}, {"quotes": QUOTES, "orders": ORDERS}),
        ({"nodes": 7}, {"quotes": QUOTES, "orders": ORDERS}),
        ({"network": {"median_delay": "200ms"}}, {"quotes": QUOTES, "orders": ORDERS}),
        ({"market": {"traders": 3}}, {"quotes": QUOTES}),
        ({"prices": {"voter_policy": "bounds"}}, {"quotes": QUOTES}),
        ({"echo": False}, {"quotes": QUOTES}),
        ({"prices": {"min_volume": 10**6}}, {"orders": ORDERS}),
        ({"market": {"band_percent": 1}}, {"orders": ORDERS}),
        ({"market": {"without_reference": "allow"}}, {"orders": ORDERS}),
    ],
)
def test_a_setting_does_not_reshuffle_quotes_or_orders(setting, frames):
    base = sl.Experiment(epochs=15, seed=2).run()
    other = sl.Experiment(epochs=15, seed=2, **setting).run()
    for name, columns in frames.items():
        pd.testing.assert_frame_equal(base.frames[name][columns], other.frames[name][columns])


def test_the_strict_rule_can_lock_the_price_out_for_good():
    """After a move of more than 10 % no honest price is ever valid again; widening lets it in.

    AAPL fell by 52 % on the 149th day of the stretch.
    """
    settings = {"feed": "aapl-2000", "epochs": 200, "market": NO_TRADERS}
    strict = sl.Experiment(**settings, prices={"deviation_rule": "strict"}).run()
    widened = sl.Experiment(**settings).run()

    assert (strict.epochs.claim[148:] == "no_price").all()
    assert strict.summary["finalized_blocks"] == 199
    assert (widened.epochs.claim[153:] == "price_consensus").mean() > 0.9


# --- A Byzantine leader


@pytest.mark.parametrize("price", ["-1", "0", "0.001", "1e12", "999999999999.99"])
@pytest.mark.parametrize("nodes", [1, 4])
def test_no_lie_stops_a_run(price, nodes):
    """Even where everyone lies: the price is refused as a setting, or the run goes to its end."""
    lie = sl.Fault("lying_leader", count=nodes, parameters={"price": price})
    try:
        experiment = sl.Experiment(nodes=nodes, epochs=8, faults=[lie])
    except InvalidInput:
        return
    assert len(experiment.run().epochs) == 8


class _Forger(NodeFault):
    """Replaces the claim of an honest leader by another payload."""

    def __init__(self, start, stop, forge):
        super().__init__(start, stop)
        self.forge = forge

    def wrap(self, application):
        return _ForgingApplication(application, self.forge)


class _ForgingApplication:
    def __init__(self, honest, forge):
        self.honest, self.forge = honest, forge
        self.judge = honest.judge

    def make_payload(self, epoch, ancestors, observation):
        payload, attachment = self.honest.make_payload(epoch, ancestors, observation)
        claim = decode_payload(payload)
        return self.forge(claim) if isinstance(claim, PriceConsensus) else payload, attachment


def _changed(**changes):
    def forge(claim):
        forged = replace(claim)
        for name, value in changes.items():  # whatever no claim can be
            object.__setattr__(forged, name, value)
        return forged.to_payload()

    return forge


def _moved(name, by):
    def forge(claim):
        return _changed(**{name: getattr(claim, name) + Decimal(by)})(claim)

    return forge


def _without_price(reason):
    def forge(claim):
        return NoPrice(claim.symbol, reason, claim.timestamp).to_payload()

    return forge


FORGERIES = {
    "no bytes": lambda claim: b"",
    "no JSON": lambda claim: b"\xff\x00",
    "a genesis": lambda claim: GenesisPrice("AAPL", Decimal(150)).to_payload(),
    "another symbol": _changed(symbol="MSFT"),
    "a symbol that no encoding has": _changed(symbol="\ud800"),
    "a price between the cents": _moved("consensus_price", "0.001"),
    "a VWAP between the cents": _moved("volume_weighted_price", "0.001"),
    "a fraction of a share": _moved("total_volume", "0.5"),
    "the largest volume": _changed(total_volume=Decimal(10**12 - 1)),
    "the largest price": _changed(consensus_price=Decimal("999999999999.999999")),
    "a huge number of sources": _changed(price_count=10**30),
    "a negative number of sources": _changed(price_count=-(10**30)),
    "no price": _without_price("the feeds are down"),
    "no price and no reason": _without_price(""),
    "no price and a broken line": _without_price("a\rb"),
    "no price and a reason that no encoding has": _without_price("\ud800"),
    "no price and a long reason": _without_price("x" * 100_000),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("policy", ["observe", "bounds"])
def test_whatever_a_leader_writes_the_run_goes_on(forgery, policy, monkeypatch, tmp_path):
    kind = partial(_Forger, forge=FORGERIES[forgery])
    monkeypatch.setitem(faults.NODE_FAULTS._kinds, "forger", kind)
    settings = {"prices": {"voter_policy": policy}, "signatures": "none"}
    result = sl.Experiment(epochs=8, faults=[sl.Fault("forger", count=1)], **settings).run()
    result.save(tmp_path / "result.zip")

    assert _frames_equal(result, sl.Result.load(tmp_path / "result.zip"))
    assert result.safe
    final = result.epochs[result.epochs.finalized_s.notna()]
    assert len(final) >= 4
    assert final.consensus_price.dropna().between(50, 500).all()


# --- Real prices


def test_real_prices_go_through_the_whole_system():
    result = sl.Experiment(feed="aapl-2012", epochs=100, seed=1).run()
    closes = [bar.close for bar in load_bars("AAPL", 2012)[:100]]

    assert result.symbol == "AAPL"
    assert result.safe
    assert result.summary["finalized_prices"] == 99
    assert result.summary["epochs_without_price"] == 0
    assert result.summary["trades"] > 0
    assert list(result.epochs.true_price) == [float(close) for close in closes]
    # Three sources of 1 bp each and a rounding to cents: 5 bp is eight deviations away.
    for cents, close in zip(result.epochs.consensus_cents, closes, strict=True):
        assert abs(Fraction(int(cents), 100) / Fraction(close) - 1) < Fraction(5, 10_000)


def test_a_whole_year_can_be_replayed_and_not_a_day_more():
    result = sl.Experiment(feed="aapl-2012", epochs=250, signatures="none").run()

    assert result.epochs.timestamp.iloc[-1] == "2012-12-31T00:00:00+00:00"
    with pytest.raises(InvalidInput, match=r"epochs: 251 .* at most 250: .*'aapl-2012'"):
        sl.Experiment(feed="aapl-2012", epochs=251)


def _year(feed, epochs, **prices):
    return sl.Experiment(
        feed=feed, epochs=epochs, signatures="none", market=NO_TRADERS, prices=prices
    ).run()


@pytest.mark.parametrize(
    ("feed", "day", "wait"),
    [
        ("aapl-2000", "2000-06-21", 4),  # split: 101.25, then 48.89 % away on the fifth day
        ("aapl-2000", "2000-09-29", 5),  # no split: 53.50, 58.77 % away on the fifth day
        ("aapl-2005", "2005-02-28", 5),  # split: 88.99, 51.89 % away on the fifth day
        ("msft-2003", "2003-02-18", 5),  # split: 48.30, 50.17 % away on the fifth day
    ],
)
def test_after_a_split_the_price_is_found_again(feed, day, wait):
    """On the day of the jump 10 % are allowed, on the fifth 50 %, on the sixth 60 %."""
    symbol, year = feed.split("-")
    epochs = _year(feed, len(load_bars(symbol.upper(), int(year))), splits="keep").epochs
    split = next(i for i, time in enumerate(epochs.timestamp) if time.startswith(day))

    assert list(epochs.claim[split : split + wait]) == ["no_price"] * wait
    assert epochs.claim[split + wait] == "price_consensus"


def test_an_experiment_is_a_plain_value_before_it_runs():
    experiment = sl.Experiment(epochs=6, seed=1)
    copies = [
        copy.copy(experiment),
        copy.deepcopy(experiment),
        pickle.loads(pickle.dumps(experiment)),
    ]
    results = [one.run().orders for one in (experiment, *copies, experiment)]
    for orders in results[1:]:
        pd.testing.assert_frame_equal(orders, results[0])


def _highest(prices):
    return max(prices)


@pytest.mark.parametrize(
    ("given", "changed", "same"),
    [
        ({"network": {"delta": 2}}, {"network.delta": 1}, {"network": {"delta": 1}}),
        ({"epochs": 9}, {"feed": "msft-2012"}, {"epochs": 9, "feed": "msft-2012"}),
        (
            {"prices": {"sources": 7, "aggregator": _highest}},
            {"prices.voter_policy": "evidence", "seed": 2, "nodes": 7},
            {
                "prices": {"sources": 7, "aggregator": _highest, "voter_policy": "evidence"},
                "seed": 2,
                "nodes": 7,
            },
        ),
        (
            {"faults": {"node_3": "crash@4"}, "market": {"traders": ["momentum"]}},
            {"network": {"gst": "5s"}},
            {
                "faults": {"node_3": "crash@4"},
                "market": {"traders": ["momentum"]},
                "network": {"gst": 5},
            },
        ),
    ],
)
def test_an_experiment_with_replaced_settings_is_the_one_that_has_them(given, changed, same):
    before = sl.Experiment(**given)
    after = before.replace(**changed)

    assert after.config == sl.Experiment(**same).config
    assert before.config == sl.Experiment(**given).config
    with pytest.raises(InvalidInput, match=r"^nodes: "):
        before.replace(nodes=0)


def test_an_experiment_runs_the_configuration_that_it_has():
    other = sl.Experiment(epochs=4, seed=2, nodes=7)
    experiment = sl.Experiment(epochs=6, seed=1)
    experiment.config = other.config
    pd.testing.assert_frame_equal(experiment.run().orders, other.run().orders)


def test_a_reference_is_tried_with_the_true_price():
    asked = []

    def opening(price):
        asked.append(price(0))
        return iter([sl.Publication(1, price(0), 0)])

    sl.Experiment(epochs=3, prices={"base_price": 160}, market={"reference": opening})
    assert asked == [160_000_000]


def test_a_frame_is_read_once_for_the_check_and_the_run():
    times = pd.date_range("2024-01-15", periods=6, freq="D", tz="UTC")
    frame = pd.DataFrame({"time": times, "price": 150.0, "volume": 1_000})
    config = make_config(feed=frame, epochs=4)
    assert make_stock(config, "AAPL").path is make_stock(config, "AAPL").path


def test_the_bare_protocol_does_not_mind_what_is_wrong_with_prices_and_market():
    settings = {"prices": {"aggregator": "no_such"}, "market": {"band": "no_such"}}
    assert sl.run_protocol(epochs=4, **settings).safe
    with pytest.raises(InvalidInput, match=r"^prices.aggregator: 'no_such'"):
        sl.Experiment(epochs=4, **settings)
    with pytest.raises(InvalidInput, match=r"^network.delays: 'no_such'"):
        sl.run_protocol(epochs=4, network={"delays": "no_such"})


def test_everything_that_is_imported_by_a_star_is_meant():
    names = set(sl.__all__)
    assert {"Experiment", "run_protocol", "sweep", "studies", "AAPLPriceSimulator"} <= names
    assert not names & {"config", "logging", "prices", "result", "types", "units", "values"}
