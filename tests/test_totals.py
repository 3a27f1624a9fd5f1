"""What a run that is recorded as a summary gives, and what it refuses."""

import pytest

import streamlet_lab as sl

EPOCHS = 200
LUCK = {"band": "luld", "traders": ["market_maker", "momentum", "noise_trader"]}

RUNS = {
    "default": {},
    "seven nodes": {
        "nodes": 7,
        "faults": {"node_6": "silent_leader", "node_5": "withhold_votes"},
        "signatures": "ed25519",
    },
    "crashed": {"faults": [{"kind": "crash", "nodes": ["node_3"], "start": 50}]},
    "an equivocator and a liar": {
        "nodes": 7,
        "faults": {"node_6": "equivocate", "node_2": "lying_leader", "external_feed": "biased"},
    },
    "unsafe": {
        "nodes": 5,
        "quorum": "2f+1",
        "epochs": 150,
        "faults": {"node_3": "equivocate", "node_4": "double_vote"},
        "network": {"bad_periods": [{"start": 0, "stop": "60s"}], "held": 0.6},
    },
    "halts": {"market": LUCK, "market_time_per_epoch": "1min"},
    "an oracle": {"market": {"reference": "heartbeat", "band": "volatility_auction"}},
    "two symbols": {"symbols": ["AAPL", "MSFT"]},
    "a bad period": {
        "network": {"bad_periods": [{"start": "40s", "stop": "150s"}], "slowdown": 30, "loss": 0.3}
    },
}


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
def test_a_summary_is_the_same_whatever_is_kept_beside_it(settings):
    settings = {"epochs": EPOCHS, "signatures": "none", "seed": 5, **settings}
    whole = sl.Experiment(**settings).run()
    summary = sl.Experiment(**settings, record="summary").run()

    assert summary.summary == whole.summary
    assert (str(summary), summary._repr_html_()) == (str(whole), whole._repr_html_())
    assert summary.checks == whole.checks
    assert summary.evidence == whole.evidence
    assert summary.excerpt == whole.excerpt[-1:]
    assert summary.has_market


def test_so_it_is_of_the_bare_protocol():
    settings = {"epochs": EPOCHS, "signatures": "none", "faults": {"node_1": "silent_leader"}}
    summary = sl.run_protocol(**settings, record="summary")

    assert summary.summary == sl.run_protocol(**settings).summary
    assert not summary.has_market


@pytest.fixture(scope="module")
def small():
    return sl.Experiment(epochs=12, record="summary").run()


@pytest.mark.parametrize(
    "read",
    [
        lambda result, path: result.orders,
        lambda result, path: dict(result.frames),
        lambda result, path: result.market_quality,
        lambda result, path: result.market_numbers,
        lambda result, path: result.sensitivity(),
        lambda result, path: result.plot.prices(),
        lambda result, path: result.proof(3),
        lambda result, path: result.save(path),
    ],
)
def test_what_is_not_recorded_is_refused_by_name(read, small, tmp_path):
    with pytest.raises(sl.InvalidInput, match=r"record.*'summary'.*'all'"):
        read(small, tmp_path / "run.zip")
    assert not [*tmp_path.iterdir()]


def test_a_trace_is_no_summary():
    with pytest.raises(sl.InvalidInput, match=r"record.*'all' with a trace"):
        sl.Experiment(trace=True, record="summary")
    with pytest.raises(sl.InvalidInput, match=r"record.*'all' or 'summary'"):
        sl.Experiment(record="some")


def test_a_configuration_names_only_what_is_not_usual(tmp_path):
    experiment = sl.Experiment(record="summary")
    experiment.save(tmp_path / "run.toml")

    assert sl.Experiment.load(tmp_path / "run.toml").config == experiment.config
    assert "record" not in sl.Experiment().config.to_document()


def test_an_id_is_refused_again_where_a_trader_of_ones_own_sends_it_again():
    """Also long after the order was over; of the lab's own traders none does that."""

    class Stubborn(sl.Trader):
        sent = None

        def act(self, view):
            self.sent = self.sent or self.buy(10, view.true_price, time_in_force="ioc")
            return [self.sent]

    market = {"traders": [Stubborn], "without_reference": "allow"}
    settings = {"epochs": EPOCHS, "signatures": "none", "market": market}
    whole = sl.Experiment(**settings).run()

    assert sl.Experiment(**settings, record="summary").run().summary == whole.summary
    assert set(whole.orders["reason"][1:]) == {"duplicate_id"}


def test_a_sweep_of_summary_numbers_keeps_no_frames(monkeypatch):
    recorded = []
    run = sl.Experiment.run

    def noted(experiment):
        recorded.append(experiment.config.record)
        return run(experiment)

    monkeypatch.setattr(sl.Experiment, "run", noted)
    base = {"epochs": 12, "signatures": "none"}
    swept = sl.sweep(base, {"nodes": [4, 7]}, repeats=2)
    sl.sweep(base, {"nodes": [4]}, repeats=1, measure=lambda result: {"rows": len(result.orders)})

    assert recorded == ["summary"] * 4 + ["all"]
    assert swept.frame["finalized_blocks"].tolist() == [11.0] * 4
