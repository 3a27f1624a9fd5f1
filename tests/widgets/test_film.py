"""The film that the browser plays says what the frames and the summary of a result say."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import streamlet_lab as sl
from streamlet_lab.charts.series import band_steps
from streamlet_lab.widgets import film as films
from streamlet_lab.widgets.film import Film, make_film
from streamlet_lab.widgets.film_header import NUMBERS

DTYPES = {"f64": "<f8", "i32": "<i4", "u16": "<u2", "u8": "<u1"}
EQUIVOCATING = {"node_3": "equivocate", "node_2": "crash@4-9", "external_feed": "biased"}


@pytest.fixture(scope="module")
def result() -> sl.Result:
    return sl.Experiment(
        epochs=20,
        seed=3,
        trace=True,
        signatures="none",
        faults=EQUIVOCATING,
        network={"partitions": [{"groups": "node_0|node_1", "start": "5s", "stop": "7s"}]},
    ).run()


def read(film: Film, name: str) -> pd.DataFrame:
    """Read a table of a film back as a frame, with its texts."""
    table = film.header["tables"][name]
    columns = {}
    for each, column in table["columns"].items():
        values = np.frombuffer(film.buffers[column["buffer"]], DTYPES[column["type"]])
        assert len(values) == table["rows"]
        columns[each] = np.array(column["texts"])[values] if "texts" in column else values
    return pd.DataFrame(columns)


def named(film: Film, places: Any) -> list[str]:
    return [film.header["names"][place] for place in places]


def hashes(film: Film, places: Any) -> list[str]:
    known = read(film, "blocks")["hash8"]
    return ["" if place < 0 else known[place] for place in places]


def test_the_blocks_are_those_of_the_frames_after_genesis(result: sl.Result) -> None:
    film = make_film(result)
    blocks, frame = read(film, "blocks"), result.blocks

    assert blocks.iloc[0][["epoch", "height", "parent", "proposer"]].to_list() == [-1, 0, -1, -1]
    after = blocks.iloc[1:]
    assert after["hash8"].to_list() == frame["block_hash"].str[:8].to_list()
    assert hashes(film, after["parent"]) == frame["parent_hash"].str[:8].to_list()
    assert named(film, after["proposer"]) == frame["proposer"].to_list()
    for name in ("epoch", "height", "proposed_s", "votes", "claim"):
        assert after[name].to_list() == frame[name].to_list(), name
    np.testing.assert_array_equal(after["price"], frame["consensus_price"])
    assert after["notarized_s"].notna().to_list() == frame["notarized"].to_list()
    assert after["finalized_s"].notna().to_list() == frame["finalized"].to_list()


def test_what_became_of_an_epoch_is_that_of_its_block(result: sl.Result) -> None:
    film = make_film(result)
    blocks, epochs, frame = read(film, "blocks"), read(film, "epochs"), result.epochs

    assert hashes(film, epochs["block"]) == frame["block_hash"].str[:8].to_list()
    assert named(film, epochs["leader"]) == frame["leader"].to_list()
    for name in ("epoch", "start_s", "finalized_s", "latency_s", "vwap", "true_price"):
        np.testing.assert_array_equal(epochs[name], frame[name], name)
    has_block = epochs["block"] >= 0
    of_epoch = blocks.iloc[epochs["block"][has_block]]
    for name in ("finalized_s", "vwap"):
        np.testing.assert_array_equal(of_epoch[name], frame[name][has_block], name)
    assert of_epoch["reason"].to_list() == frame["reason"][has_block].to_list()


def test_an_epoch_begins_at_the_microsecond() -> None:
    settings = {"epoch_length": "300ms", "network": {"delta": "100ms"}}
    result = sl.Experiment(epochs=12, **settings).run()

    epochs = read(make_film(result), "epochs")
    assert epochs["start_s"].to_list() == result.epochs["start_s"].to_list()


def test_of_several_symbols_the_first_is_shown() -> None:
    result = sl.Experiment(epochs=8, symbols=["MSFT", "AAPL"], signatures="none").run()
    film = make_film(result)
    assert make_film(with_frames(result)) == film

    orders, rejections = read(film, "orders"), read(film, "rejections")
    own = result.orders[result.orders["symbol"] == "MSFT"]
    assert film.header["symbol"] == "MSFT"
    assert orders["order_id"].to_list() == own["order_id"].to_list()
    assert len(orders) < len(result.orders)
    stopped = result.rejections[result.rejections["symbol"] == "MSFT"]
    assert orders["order_id"].iloc[rejections["order"]].to_list() == stopped["order_id"].to_list()


def test_what_each_node_knew_and_what_arrived_are_there(result: sl.Result) -> None:
    film = make_film(result)
    known, arrivals = read(film, "known"), read(film, "arrivals")

    for table, frame, names in (
        (known, result.finality, ["node"]),
        (arrivals, result.trace, ["author", "sender", "receiver"]),
    ):
        assert hashes(film, table["block"]) == frame["block_hash"].str[:8].to_list()
        for name in names:
            assert named(film, table[name]) == frame[name].to_list()
        for name in {*table} & {"sent_s", "received_s", "notarized_s", "finalized_s"}:
            np.testing.assert_array_equal(table[name], frame[name], name)
    assert known["notarized_s"].is_monotonic_increasing
    assert arrivals["received_s"].is_monotonic_increasing
    assert arrivals["kind"].to_list() == (result.trace["kind"] == "vote").astype(int).to_list()


def test_a_vote_is_there_once_from_when_its_voter_sent_it(result: sl.Result) -> None:
    film = make_film(result)
    votes, trace = read(film, "votes"), result.trace
    own = trace[(trace["kind"] == "vote") & (trace["sender"] == trace["author"])]
    sent = own.groupby([own["block_hash"].str[:8], "author"])["sent_s"].min()

    keys = zip(hashes(film, votes["block"]), named(film, votes["voter"]), strict=True)
    assert dict(zip(keys, votes["sent_s"], strict=True)) == sent.to_dict()
    assert votes["sent_s"].is_monotonic_increasing


def test_orders_meet_the_block_that_their_reference_comes_from(result: sl.Result) -> None:
    film = make_film(result)
    orders, blocks, frame = read(film, "orders"), read(film, "blocks"), result.orders

    for name in ("order_id", "time_s", "quantity", "trader", "status", "reason", "intent", "kind"):
        assert orders[name].to_list() == frame[name].to_list(), name
    for name in ("price", "true_price", "reference_age_s"):
        np.testing.assert_array_equal(orders[name], frame[name], name)
    assert (orders["side"] == 1).to_list() == (frame["side"] == "sell").to_list()
    met = orders[orders["reference_block"] >= 0]
    assert len(met) == frame["reference_epoch"].notna().sum() > 0
    np.testing.assert_array_equal(blocks["price"].iloc[met["reference_block"]], met["reference"])


def test_a_rejection_names_its_order(result: sl.Result) -> None:
    film = make_film(result)
    rejections, orders, frame = read(film, "rejections"), read(film, "orders"), result.rejections

    assert orders["order_id"].iloc[rejections["order"]].to_list() == frame["order_id"].to_list()
    for name in ("time_s", "price", "deviation_percent", "reference_age_s"):
        np.testing.assert_array_equal(rejections[name], frame[name], name)
    assert rejections["verdict"].to_list() == frame["verdict"].to_list()


def test_the_true_price_is_there_wherever_a_frame_knows_it(result: sl.Result) -> None:
    path = read(make_film(result), "path").set_index("time_s")["true_price"]

    assert path.index.is_monotonic_increasing
    assert path.index.is_unique
    for frame in (result.orders, result.trades, result.rejections):
        np.testing.assert_array_equal(path.loc[frame["time_s"]], frame["true_price"])


@pytest.mark.parametrize("band", ["consensus", "luld"])
def test_the_band_is_what_the_charts_draw(band: str) -> None:
    settings = {"market_time_per_epoch": "1min", "signatures": "none"}
    result = sl.Experiment(epochs=30, market={"band": band}, **settings).run()
    drawn, steps = read(make_film(result), "band"), band_steps(result, "AAPL")

    steps = steps.drop_duplicates("time_s", keep="last", ignore_index=True)
    pd.testing.assert_frame_equal(
        drawn[["time_s", "state", "reference", "low", "high"]],
        steps.rename(columns={"reference_price": "reference"}),
    )


def test_the_numbers_are_those_of_the_summary(result: sl.Result) -> None:
    header, summary = make_film(result).header, result.summary

    assert {each["name"]: each["value"] for each in header["numbers"]} == {
        name: summary[name] for name in NUMBERS
    }
    texts = {each["name"]: each["text"] for each in header["numbers"]}
    assert texts["finalized_blocks"] == f"{summary['finalized_blocks']} of 24"
    assert texts["median_latency_s"] == f"{summary['median_latency_s']:.3f} s"
    assert texts["fair_stopped_rate"] in str(result)


def test_the_header_says_what_was_run(result: sl.Result) -> None:
    header = make_film(result).header

    assert header["title"] == (
        "20 epochs of AAPL on 4 nodes, quorum 3; seed 3; without signatures; node_3: equivocate; "
        "node_2: crash from epoch 4 until epoch 9; external_feed: biased; 1 partition"
    )
    assert header["faults"][1] == {
        "name": "node_2",
        "kind": "crash",
        "down": True,
        "start_s": 4.0,
        "stop_s": 9.0,
    }
    assert [each["down"] for each in header["faults"]] == [False, True, False]
    partition = {"groups": [["node_0"], ["node_1"]], "one_way": False, "start_s": 5, "stop_s": 7}
    assert header["partitions"] == [partition]


def test_a_violation_has_its_instant() -> None:
    faults = {"node_3": "split", "node_4": "split"}
    settings = {"nodes": 5, "quorum": 3, "faults": faults, "signatures": "none"}
    header = make_film(sl.Experiment(epochs=40, **settings).run()).header

    assert not header["safe"]
    first = next(one for one in header["violations"] if one["check"] == "consistency")
    assert 0 < first["time_s"] <= header["end_s"]
    assert not first["sentence"].startswith("at ")


def with_frames(result: sl.Result) -> sl.Result:
    """Return a result, all of whose frames have been read, and so are kept as frames."""
    for name in result.frames:
        getattr(result, name)
    return result


def test_a_loaded_result_gives_the_same_film(result: sl.Result, tmp_path: Any) -> None:
    result.save(tmp_path / "run.zip")
    assert make_film(sl.Result.load(tmp_path / "run.zip")) == make_film(result)


def test_a_bare_protocol_has_no_market() -> None:
    film = make_film(sl.run_protocol(epochs=8, trace=True))

    assert not film.header["has_market"]
    assert {*film.header["tables"]} == {"blocks", "known", "epochs", "arrivals", "votes"}
    assert read(film, "blocks")["price"].isna().all()


@pytest.mark.parametrize("trace", [False, True])
def test_without_a_trace_or_with_too_long_a_one_no_message_flies(
    trace: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "MOST_ARRIVALS", 10)
    film = make_film(sl.Experiment(epochs=5, trace=trace).run())

    assert not film.header["has_trace"]
    assert read(film, "arrivals").empty
    assert read(film, "votes").empty
    assert not read(film, "known").empty


def test_nothing_proposed_leaves_genesis_alone() -> None:
    crashed = {f"node_{number}": "crash" for number in range(4)}
    film = make_film(sl.Experiment(epochs=3, trace=True, faults=crashed).run())

    assert len(read(film, "blocks")) == 1
    assert read(film, "epochs")["block"].to_list() == [-1, -1, -1]


def test_a_summary_has_nothing_to_play() -> None:
    with pytest.raises(sl.InvalidInput, match="record"):
        make_film(sl.Experiment(epochs=3, record="summary").run())
