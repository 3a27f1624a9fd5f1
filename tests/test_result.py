"""A result is saved whole, loaded whole or not at all, and can be run again."""

import gc
import io
import json
import pickle
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from statistics import fmean, median

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from streamlet_lab import (
    DataError,
    Experiment,
    InvalidInput,
    Result,
    StreamletLabError,
    StreamletNode,
    run_protocol,
)
from streamlet_lab.checks import CHECKS, Check, CheckResult, Status
from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.files import _digests, _pack
from streamlet_lab.frames import columns_of
from streamlet_lab.garbage import look_at_new_objects_only
from streamlet_lab.simulator import Market

BUSY = [{"kind": "noise_trader", "count": 20, "rate": 2.4}, {"kind": "fat_finger", "rate": 12}]

SCENARIOS = {
    "plain": {"epochs": 20},
    "faults": {
        "epochs": 20,
        "nodes": 7,
        "faults": {"node_5": "crash@4", "node_6": "silent_leader@2-9"},
        "market": {"traders": BUSY},
    },
    "lying": {"epochs": 10, "faults": [{"kind": "lying_leader", "count": 1}]},
    "outside": {"epochs": 8, "nodes": 5, "quorum": 3, "epoch_length": "0.9s"},
    "history": {"epochs": 15, "feed": "ibm-2008", "signatures": "none"},
    "nothing": {"epochs": 1, "nodes": 1, "market": {"traders": 0}},
    "stopped": {"epochs": 6, "faults": {"node_2": "crash", "node_3": "crash"}},
}


@pytest.fixture(scope="module", params=SCENARIOS)
def result(request):
    return Experiment(seed=5, **SCENARIOS[request.param]).run()


@pytest.fixture(scope="module")
def small():
    return Experiment(epochs=4, seed=1, market={"traders": 2}).run()


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "result.zip"
    small.save(path)
    return path


def _assert_equal(one, other):
    assert one.config == other.config
    assert one.symbol == other.symbol
    assert one.checks == other.checks
    assert (one.signatures, one.verifications) == (other.signatures, other.verifications)
    assert list(one.frames) == list(other.frames)
    for name, frame in one.frames.items():
        pd.testing.assert_frame_equal(frame, other.frames[name], check_exact=True)
    assert one.summary == other.summary
    assert repr(one) == repr(other)


# --- Saving and loading


def test_what_is_saved_is_loaded(result, tmp_path):
    result.save(tmp_path / "result.zip")
    loaded = Result.load(tmp_path / "result.zip")

    _assert_equal(loaded, result)
    for name, columns in COLUMNS.items():
        assert list(loaded.frames[name].columns) == list(columns)
        for column, what in columns.items():
            assert loaded.frames[name][column].dtype == what.dtype


def test_a_loaded_result_can_be_run_again(result, tmp_path):
    result.save(tmp_path / "one.zip")
    again = Experiment.from_config(Result.load(tmp_path / "one.zip").config).run()
    again.save(tmp_path / "two.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_saved_result_has_its_own_feed(tmp_path):
    times = pd.date_range("2024-03-04", periods=6, freq="B", tz="America/New_York")
    close = [100 + 0.1 * day for day in range(6)]
    history = pd.DataFrame({"Close": close, "Volume": 50_000}, index=times.rename("Date"))
    file = tmp_path / "history.csv"
    history.to_csv(file)
    result = Experiment(epochs=5, feed=str(file)).run()
    assert result.config == Experiment(epochs=5, feed=history).config
    result.save(tmp_path / "one.zip")
    file.unlink()

    loaded = Result.load(tmp_path / "one.zip")
    _assert_equal(loaded, result)
    assert "Cannot be run again" not in repr(loaded)
    again = Experiment.from_config(loaded.config).run()
    _assert_equal(again, result)
    loaded.save(tmp_path / "two.zip")
    assert (tmp_path / "two.zip").read_bytes() == (tmp_path / "one.zip").read_bytes()

    def cheaper(members):
        members["feed.csv"] = members["feed.csv"].replace(b",100.0,", b",99.0,")
        _resign(members)

    _rewrite(tmp_path / "one.zip", tmp_path / "changed.zip", cheaper)
    _assert_refused(tmp_path / "changed.zip", complaint="config.feed: ")


def test_every_frame_goes_to_parquet_and_back(small, tmp_path, monkeypatch):
    small.to_parquet(tmp_path / "frames")

    assert {file.stem for file in (tmp_path / "frames").iterdir()} == {*small.frames}
    for name, frame in small.frames.items():
        read = pd.read_parquet(tmp_path / "frames" / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, frame, check_exact=True)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StreamletLabError, match=r"pip install 'streamlet-lab\[parquet\]'"):
        small.to_parquet(tmp_path / "more")


def test_other_tools_can_open_the_file(small, saved):
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(
            [*(f"{name}.csv" for name in COLUMNS), "ledger.json", "result.json"]
        )
        manifest = json.loads(archive.read("result.json"))
        with archive.open("epochs.csv") as file:
            epochs = pd.read_csv(file)

    assert manifest["config"] == small.config.to_document()
    assert list(epochs.consensus_price) == list(small.epochs.consensus_price)


@pytest.mark.parametrize(
    "text", ["", "NA", "nan", "a,b", 'say "no"', "two\nlines", "a\r\nb", " x ", "Δ", "\x00"]
)
def test_any_text_survives(small, tmp_path, text):
    """Reasons may be written by a leader that is not honest."""
    blocks = small.blocks.assign(reason=pd.Series([text] * len(small.blocks), dtype="str"))
    result = replace(small, frames={**small.frames, "blocks": blocks})
    result.save(tmp_path / "result.zip")

    _assert_equal(Result.load(tmp_path / "result.zip"), result)


def test_every_property_of_the_lab_may_be_in_a_saved_result():
    def named(kind):
        own = [kind] if kind.__module__.startswith("streamlet_lab") and "name" in vars(kind) else []
        return own + [each for below in kind.__subclasses__() for each in named(below)]

    assert {check.name: check for check in named(Check)} == CHECKS


# --- What is not a saved result


def _assert_refused(path, *, complaint=""):
    with pytest.raises(DataError) as caught:
        Result.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "(None)" not in message
    assert "\n" not in message


def _rewrite(saved, path, change):
    """Write the saved result again with changed members, as a valid zip file."""
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    path.write_bytes(_pack(members))
    return path


@pytest.mark.parametrize("content", [b"", b"PK", b"hello", b"\x00" * 1_000])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "result.zip"
    path.write_bytes(content)

    _assert_refused(path, complaint="not a saved result")


def _changed(before, after):
    def change(content):
        assert before in content
        return content.replace(before, after)

    return change


@pytest.mark.parametrize(
    ("member", "change", "complaint"),
    [
        *((f"{name}.csv", None, "") for name in COLUMNS),
        ("result.json", None, ""),
        *((f"{name}.csv", lambda content: content + b"\n", " was changed") for name in COLUMNS),
        ("result.json", _changed(b'"AAPL"', b'"MSFT"'), " was changed"),
        ("result.json", _changed(b'"holds"', b'"violated"'), " was changed"),
        ("result.json", _changed(b"epochs", b"Epochs"), " was changed"),
    ],
)
def test_a_missing_or_changed_member_is_noticed(saved, tmp_path, member, change, complaint):
    def rewrite(members):
        content = members.pop(member)
        if change is not None:
            members[member] = change(content)

    path = _rewrite(saved, tmp_path / "result.zip", rewrite)
    _assert_refused(path, complaint=member + complaint)


def _manifest(change):
    def rewrite(members):
        manifest = json.loads(members["result.json"])
        change(manifest)
        members["result.json"] = json.dumps(manifest).encode()

    return rewrite


def test_another_format_is_named(saved, tmp_path):
    change = _manifest(lambda manifest: manifest.update(format="streamlet-lab result 5"))
    path = _rewrite(saved, tmp_path / "result.zip", change)

    _assert_refused(path, complaint="streamlet-lab result 5")


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.clear(),
        lambda manifest: manifest.update(config=None),
        lambda manifest: manifest.update(config=[]),
        lambda manifest: manifest.update(config={"nodes": 0}),
        lambda manifest: manifest.update(config={"colour": "red"}),
        lambda manifest: manifest.update(config={"faults": {"node_3": 3}}),
        lambda manifest: manifest.update(checks=None),
        lambda manifest: manifest.update(checks=[1]),
        lambda manifest: manifest.update(checks=[{}]),
        lambda manifest: manifest["checks"][0].update(status="perhaps"),
        lambda manifest: manifest["checks"][0].update(colour="red"),
        lambda manifest: manifest.update(sha256=None),
        lambda manifest: manifest.update(sha256=[]),
        lambda manifest: manifest["sha256"].pop("epochs.csv"),
        lambda manifest: manifest.pop("signatures"),
        lambda manifest: manifest.pop("verifications"),
    ],
    ids=range(16),
)
def test_a_damaged_manifest_is_refused(saved, tmp_path, change):
    _assert_refused(_rewrite(saved, tmp_path / "result.zip", _manifest(change)))


HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\n\u202e$x_{$"


def _document(member, *place):
    """Set what stands at a place of a JSON member, the last of the arguments."""
    *way, last, value = place

    def change(members):
        document = json.loads(members[member])
        table = document
        for each in way:
            table = table[each]
        table[last] = value
        members[member] = json.dumps(document).encode()

    return change


def _text(member, before, after):
    def change(members):
        assert before in members[member]
        members[member] = members[member].replace(before, after, 1)

    return change


def _cell(frame, column, value):
    def change(members):
        cells = pd.read_csv(io.BytesIO(members[f"{frame}.csv"]), dtype="str", keep_default_na=False)
        cells.loc[0, column] = value
        members[f"{frame}.csv"] = cells.to_csv(index=False, lineterminator="\n").encode()

    return change


def _resign(members):
    """Give a changed result the digests that it would have been saved with."""
    manifest = json.loads(members.pop("result.json"))
    manifest.pop("sha256", None)
    manifest["sha256"] = _digests(manifest, members)
    members["result.json"] = (json.dumps(manifest, indent=2) + "\n").encode()


def _write_hostile(saved, path, change):
    def rewrite(members):
        change(members)
        _resign(members)

    return _rewrite(saved, path, rewrite)


@pytest.mark.parametrize(
    "change",
    [
        *(
            _document("result.json", "signatures", bad)
            for bad in (None, -1, 1.5, True, [], {}, "1")
        ),
        *(_document("result.json", "verifications", bad) for bad in (None, 2**63, [1])),
        *(_document("result.json", "market", bad) for bad in (None, 1, "true", False)),
        *(_document("result.json", "checks", 0, "name", bad) for bad in (None, HOSTILE, 7, [])),
        _document("result.json", "checks", 0, "status", "perhaps"),
        _document("result.json", "checks", 0, "evidence", None),
        _document("result.json", "checks", [None]),
        _document("result.json", "excerpt", [1]),
        _document("result.json", "excerpt", "text"),
        _document("result.json", "evidence", [{}]),
        _document("result.json", "more", 1),
        _document("result.json", "config", "epochs", 10**400),
        *(_document("ledger.json", "quorum", bad) for bad in (None, 0, True, {}, [], "3", 2**63)),
        _document("ledger.json", "blocks", 0, "height", 2),
        _document("ledger.json", "blocks", 0, "parent", "AB" * 32),
        _document("ledger.json", "blocks", 0, "payload", "\u20ac"),
        _document("ledger.json", "blocks", 0, "votes", {}),
        _document("ledger.json", "blocks", 0, "votes", "node_0", None),
        _document("ledger.json", "finality", "consecutive", 10**9),
        _document("ledger.json", "keys", "quorum", 0),
        _document("ledger.json", "chain_id", "\ud800"),
        _document("ledger.json", "more", 1),
        _text("ledger.json", b'"quorum": 3', b'"quorum": 3, "quorum": 3'),
        *(
            _cell("epochs", "epoch", bad)
            for bad in ("-1", "1.5", "", "9" * 400, "1e300", "inf", "\u0661", "x")
        ),
        *(_cell("epochs", "price_count", bad) for bad in ("9" * 400, "1e400", "1.5", "-1")),
        *(_cell("epochs", "true_price", bad) for bad in ("9" * 400, "inf", "nan", "1_0", "0x1")),
        *(_cell("book", "true_price", bad) for bad in ("", "-inf")),
        *(_cell("book", "time_s", bad) for bad in ("-1", "")),
        *(_cell("book", "state", bad) for bad in ("", HOSTILE)),
        *(_cell("blocks", "notarized", bad) for bad in ("", "1", "yes")),
        *(_cell("epochs", "claim", bad) for bad in (HOSTILE, "Price")),
        _text("epochs.csv", b"epoch,", b"Epoch,"),
        _text("epochs.csv", b"epoch,", b"epoch,epoch,"),
        _text("epochs.csv", b"\n1,", b"\n1" + b"," * 200_000),
        _text("epochs.csv", b"node_", b"\xff"),
        _text("epochs.csv", b"node_", b'"'),
        lambda members: members.update({"trace.csv": b""}),
        lambda members: members.update({"more.csv": b""}),
        lambda members: members.pop("trace.csv"),
    ],
    ids=range(79),
)
@look_at_new_objects_only()  # not what other tests have left behind
def test_what_was_never_saved_is_refused_at_once_although_its_digests_match(
    saved, tmp_path, change
):
    began = time.process_time()
    _assert_refused(_write_hostile(saved, tmp_path / "result.zip", change))
    assert time.process_time() - began < 2


def _deflated(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        _deflated,
        lambda members: _pack(members) + b"\0",
        lambda members: b"\0" + _pack(members),
        lambda members: _pack({f"{'a' * (n % 9)}{n}.csv": b"" for n in range(20_000)} | members),
        lambda members: _pack(members).replace(_DIRECTORY, b"PK\1\3", 1),
    ],
    ids=["deflated", "longer", "shifted", "many members", "no directory"],
)
def test_an_archive_has_one_form_only(saved, tmp_path, make):
    path = tmp_path / "result.zip"
    with zipfile.ZipFile(saved) as archive:
        path.write_bytes(make({name: archive.read(name) for name in archive.namelist()}))
    began = time.process_time()
    _assert_refused(path)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("size", [2**31, 2**40])
def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, size):
    path = tmp_path / "result.zip"
    with path.open("wb") as file:
        file.truncate(size)

    _assert_refused(path, complaint=f"it has {size:,} bytes; expected at most 2,147,483,647")


def test_a_device_is_no_saved_result():
    with pytest.raises(DataError, match=r"^/dev/zero: cannot be read \(not a file\)$"):
        Result.load("/dev/zero")


@pytest.mark.parametrize(
    "change",
    [
        _document("result.json", "checks", 0, "evidence", HOSTILE),
        _document("result.json", "excerpt", [HOSTILE]),
        _document("result.json", "config", "symbols", ["<b>"]),
        _cell("blocks", "reason", HOSTILE),
        lambda members: (
            _cell("blocks", "refusals", "2")(members),
            _cell("blocks", "reason", HOSTILE)(members),
        ),
        _document("ledger.json", "blocks", 0, "votes", HOSTILE, "00"),
    ],
    ids=range(6),
)
def test_texts_of_others_are_shown_as_texts(saved, tmp_path, change):
    path = _write_hostile(saved, tmp_path / "result.zip", change)
    try:
        loaded = Result.load(path)
    except DataError:
        return
    page, text = loaded._repr_html_(), repr(loaded)
    assert page.isprintable()
    assert all(line.isprintable() for line in text.splitlines())
    assert not re.search("<(?!/?(table|tr|th|td)[ >])", page)
    assert re.sub("<[^>]*>", "", page).strip()
    loaded.save(tmp_path / "again.zip")
    _assert_equal(Result.load(tmp_path / "again.zip"), loaded)


def test_floats_come_back_exactly(small, tmp_path):
    """With values that come back otherwise where pandas is not told to be exact."""
    values = [2.7715077941825975e-163, 2.2790121708605243e274, 4.026380313612261e293, 0.1 + 0.2]
    book = small.book.assign(true_price=(values * len(small.book))[: len(small.book)])
    replace(small, frames={**small.frames, "book": book}).save(tmp_path / "result.zip")

    loaded = Result.load(tmp_path / "result.zip").book
    assert loaded["true_price"].tolist() == book["true_price"].tolist()


def _loads_equal_or_is_refused(small, path, content):
    path.write_bytes(content)
    try:
        loaded = Result.load(path)
    except DataError:
        return
    _assert_equal(loaded, small)


# Where in the file the names, sizes and methods are: behind this signature.
_DIRECTORY = b"PK\x01\x02"


@given(where=st.integers(0, 2**20), flip=st.integers(1, 255), in_directory=st.booleans())
@example(where=6, flip=0x54, in_directory=True).via("zip version 8.4")
@example(where=8, flip=0x01, in_directory=True).via("encrypted")
@example(where=8, flip=0x20, in_directory=True).via("patched data")
@example(where=8, flip=0x40, in_directory=True).via("strong encryption")
@example(where=10, flip=0x08, in_directory=True).via("deflated")
@example(where=10, flip=0x0C, in_directory=True).via("bzip2")
@example(where=10, flip=0x0E, in_directory=True).via("lzma")
@example(where=10, flip=0x80, in_directory=True).via("an unknown method")
@example(where=20, flip=0x40, in_directory=True).via("a compressed size that is too large")
@example(where=23, flip=0x40, in_directory=True).via("a compressed size beyond the file")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
def test_with_a_flipped_byte_it_loads_equal_or_is_refused(
    small, saved, tmp_path, where, flip, in_directory
):
    content = bytearray(saved.read_bytes())
    begin = content.find(_DIRECTORY) if in_directory else 0
    content[begin + where % (len(content) - begin)] ^= flip

    _loads_equal_or_is_refused(small, tmp_path / "result.zip", bytes(content))


# --- Looking at it


def test_the_summary_is_what_the_frames_say(result):
    epochs = result.epochs.to_dict("records")
    final = [row for row in epochs if row["finalized_s"] == row["finalized_s"]]
    config, summary = result.config, result.summary
    off = [
        abs(row["consensus_price"] / row["true_price"] - 1) * 10_000
        for row in final
        if row["claim"] == "price_consensus"
    ]
    latencies = [row["latency_s"] for row in final]
    expected = {
        "symbol": result.symbol,
        "feed": config.feed,
        "epochs": config.epochs,
        "nodes": config.nodes,
        "faulty_nodes": len(config.faulty_nodes),
        "quorum": config.votes_needed,
        "signatures": config.signatures,
        "outside_model": list(config.outside_model),
        "safe": True,
        "proposed_blocks": sum(row["block_hash"] != "" for row in epochs),
        "finalized_blocks": len(final),
        "sources": len(config.prices.sources),
        "faulty_sources": len(config.faulty_sources),
        "tolerated_sources": config.prices.tolerated_sources,
        "largest_displacement_bp": pytest.approx(max(off), abs=0.0005) if off else None,
        "finalized_prices": len(off),
        "epochs_without_price": sum(row["claim"] != "price_consensus" for row in epochs),
        "median_latency_s": round(median(latencies), 3) if final else None,
        "mean_latency_s": pytest.approx(fmean(latencies), abs=0.0005) if final else None,
    }
    assert {name: summary[name] for name in expected} == expected
    # What became of orders is that of the market's numbers, rounded where it is in seconds.
    for name, value in result.market_numbers.items():
        if name in summary:
            near = pytest.approx(value, abs=0.0005) if isinstance(value, float) else value
            assert summary[name] == near, name
    assert {"orders", "fair_stopped_rate", "halted_share"} <= summary.keys()
    assert json.loads(json.dumps(summary)) == summary


def test_a_result_prints_on_one_screen(result):
    lines = repr(result).splitlines()

    assert len(lines) <= 24
    assert result.config.feed in lines[0]
    assert str(result.config.epochs) in lines[0]
    for check in result.checks.values():
        assert any(f"{check.status}: {check.evidence}" in line for line in lines)
    for reason in result.outside_model:
        assert any(reason in line for line in lines)


def _line(result, label):
    """What stands behind a label."""
    (line,) = [line for line in repr(result).splitlines() if line.startswith(f"{label}  ")]
    return line.removeprefix(label).strip()


def test_the_text_tells_of_the_sources(small):
    assert _line(small, "Sources") == "3, 0 faulty, mean tolerates 0, voters: observe"
    liars = [{"kind": "biased", "count": 2, "parameters": {"bp": 400}}]
    prices = {"sources": 7, "aggregator": "median", "voter_policy": "evidence"}
    robust = Experiment(epochs=6, prices=prices, faults=liars).run()
    exposed = Experiment(epochs=6, prices={**prices, "aggregator": "mean"}, faults=liars).run()

    assert _line(robust, "Sources") == "7, 2 faulty, median tolerates 3, voters: evidence"
    assert robust.summary["largest_displacement_bp"] < 10
    assert 100 < exposed.summary["largest_displacement_bp"] < 130  # two sevenths of 400
    for result in (robust, exposed):
        farthest = result.summary["largest_displacement_bp"]
        assert _line(result, "Farthest from true") == f"{farthest:.1f} bp"


def test_the_farthest_price_is_that_of_any_symbol():
    prices = {"sources": 3, "assets": {"MSFT": {"base_price": 400}}}
    liars = [{"kind": "biased", "count": 1, "parameters": {"bp": 300}}]
    result = Experiment(epochs=6, symbols=["AAPL", "MSFT"], prices=prices, faults=liars).run()
    off = dict.fromkeys(result.config.symbols, 0.0)
    for row in result.prices.itertuples():
        if row.finalized_s == row.finalized_s and row.claim == "price_consensus":
            off[row.symbol] = max(
                off[row.symbol], abs(row.consensus_price / row.true_price - 1) * 10_000
            )

    assert min(off.values()) > 90
    assert result.summary["largest_displacement_bp"] == pytest.approx(max(off.values()), abs=5e-4)


SAVED_ELSEWHERE = """
import sys
from streamlet_lab import Experiment, SourceFault, source_fault_kind

@source_fault_kind("of_my_own")
class OfMyOwn(SourceFault):
    def quote(self, honest, scene, receiver):
        return None

fault = {"kind": "of_my_own", "count": 1}
result = Experiment(epochs=4, signatures="none", faults=[fault], market={"traders": 2}).run()
result.save(sys.argv[1])
print(repr(sorted((name, str(value)) for name, value in result.summary.items())))
"""


def test_a_result_with_ones_own_kind_of_sources_loads_where_nobody_registered_it(tmp_path):
    path = tmp_path / "result.zip"
    saved = subprocess.run(
        [sys.executable, "-c", SAVED_ELSEWHERE, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = Result.load(path)

    assert [fault.kind for fault in loaded.config.source_faults] == ["of_my_own"]
    assert loaded.config.faulty_sources == {"external_feed"}
    summary = repr(sorted((name, str(value)) for name, value in loaded.summary.items()))
    assert summary == saved.stdout.strip()
    assert _line(loaded, "Sources") == "3, 1 faulty, mean tolerates 0, voters: observe"
    with pytest.raises(
        InvalidInput, match=r"'of_my_own' .* of your own must be registered"
    ) as caught:
        Experiment.from_config(loaded.config)
    assert caught.value.field == "faults"


@pytest.mark.parametrize(
    ("statuses", "safe"),
    [
        ([], True),
        ([Status.HOLDS, Status.NOT_APPLICABLE], True),
        ([Status.HOLDS, Status.VIOLATED], False),
    ],
)
def test_a_result_is_safe_while_nothing_is_violated(small, statuses, safe):
    checks = {str(status): CheckResult(str(status), "", status, "") for status in statuses}
    result = replace(small, checks=checks)

    assert result.safe is safe
    assert result.summary["safe"] is safe


def test_orders_that_found_no_reference_are_told_apart_from_those_outside_the_band():
    stopped = Experiment(seed=5, signatures="none", **SCENARIOS["stopped"]).run()
    orders = len(stopped.orders)
    lines = [" ".join(line.split()) for line in repr(stopped).splitlines()]
    assert (
        f"Orders stopped {orders}, {orders} at entry (of these {orders} without a reference)"
        in lines
    )


def test_the_text_says_how_long_the_market_was_halted_and_what_was_repriced():
    fast = {"market_time_per_epoch": "1min", "prices": {"volatility": 20}, "signatures": "none"}
    traders = ["market_maker", {"kind": "noise_trader", "count": 20}, "fat_finger"]
    for seed in range(3):
        market = {"band": "luld", "traders": traders}
        result = Experiment(epochs=40, seed=seed, market=market, **fast).run()
        bands, summary = result.bands, result.summary
        # States last until the next row, or the end of the run.
        lasts = [*bands["time_s"][1:], 40.0] - bands["time_s"]
        closed = lasts[bands["state"] == "auction"].sum()
        assert summary["auctions"] > 0
        assert summary["halted_s"] == pytest.approx(closed, abs=0.001)
        assert summary["halted_share"] == pytest.approx(closed / 40)
        noun = "auction" if summary["auctions"] == 1 else "auctions"
        assert _line(result, "Halted") == (
            f"{summary['auctions']} {noun}, {closed:.1f} s ({closed / 40:.1%} of the time)"
        )
        repriced = result.orders[result.orders["clipped"]]
        assert summary["repriced_orders"] == len(repriced) > 0
        assert _line(result, "Repriced") == (
            f"{len(repriced)} to the band's edge, {repriced['fair'].sum()} of these fair"
        )


# --- Frames that are made when they are read


def test_frames_are_made_when_they_are_first_read_and_kept():
    result = Experiment(epochs=4, seed=1).run()
    columns = columns_of(result.frames)
    made = columns._made
    assert set(made) == set()
    trades = result.trades
    assert set(made) == {"trades"}
    assert result.summary["trades"] == len(trades)
    assert "book" not in made
    assert {name for name in made if not isinstance(made[name], dict)} == {"trades"}
    assert set(dict(result.frames)) == set(made) == set(COLUMNS)
    assert columns._rows is None  # what they were made of is let go
    assert result.trades.equals(trades)


def test_a_result_does_not_hold_its_simulation():
    def alive():
        gc.collect()
        return sum(isinstance(each, StreamletNode | Market) for each in gc.get_objects())

    before = alive()
    result = Experiment(epochs=4, seed=1).run()
    assert alive() == before
    assert len(result.epochs) == 4


def test_a_copy_of_a_result_has_all_frames(small):
    fresh = Experiment.from_config(small.config).run()
    _assert_equal(pickle.loads(pickle.dumps(fresh)), small)
    long = run_protocol(epochs=400, signatures="none")
    assert pickle.loads(pickle.dumps(long)).ledger.to_document() == long.ledger.to_document()


# --- The bare protocol


def test_a_result_without_a_market_has_empty_frames_of_the_market(tmp_path):
    run = run_protocol(epochs=8, faults={"node_3": "silent_leader"})
    market = ["prices", "quotes", "orders", "trades", "rejections", "bands", "book", "depth"]
    assert list(run.frames) == list(COLUMNS)
    assert not run.has_market
    for name, columns in PROTOCOL_COLUMNS.items():
        assert list(run.frames[name].columns) == list(columns)
        assert run.frames[name].empty == (name in [*market, "trace", "violation", "forensics"])
    run.save(tmp_path / "run.zip")
    loaded = Result.load(tmp_path / "run.zip")
    _assert_equal(loaded, run)
    assert loaded.proof(4).to_document() == run.proof(4).to_document()


def test_every_frame_is_documented_by_its_rows():
    for name in COLUMNS:
        assert getattr(Result, name).__doc__.startswith("One row for each ")
