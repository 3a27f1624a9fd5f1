"""Every decoder of the lab: reads bytes as it would meet them, and uses what it takes.

What is taken must be of use: printed, written and read again it is the same.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from math import prod
from unittest import mock

import pandas as pd

from streamlet_lab import Result, cli, commands
from streamlet_lab.columns import COLUMNS, PROTOCOL_COLUMNS
from streamlet_lab.config import load_config, make_config, read_settings
from streamlet_lab.config.runnable import check_runnable
from streamlet_lab.consensus import (
    Evidence,
    FinalityProof,
    ProofRejected,
    PublicKeys,
    is_proven,
    verify_proof,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.frames.tables import read_frame
from streamlet_lab.grid import sweep
from streamlet_lab.prices import ReplayPath, daily_history
from streamlet_lab.prices.attestation import (
    admissible_quotes,
    decode_quotes,
    encode_quotes,
    objection_to_quotes,
)
from streamlet_lab.prices.lobster import read_lobster
from streamlet_lab.prices.payload import decode_claims, encode_claims
from streamlet_lab.scenarios import Scenario, scenario, scenario_names
from streamlet_lab.scenarios.syntax import read_chain, write_chain
from streamlet_lab.simulator.script import Delivery, Step
from streamlet_lab.store import open_store
from streamlet_lab.study_file import load_study
from streamlet_lab.texts import parse_json
from streamlet_lab.units import format_duration, to_decimal, to_microseconds, to_ticks

from . import honest
from .guard import check_shown, taken

_TAG = re.compile("<[^>]*>")
_TAGS = {"<table>", "</table>", "<tr>", "</tr>", "</th>", "</td>"} | {
    f"<{cell} style='text-align:left'>" for cell in ("th", "td")
}
# Of what is taken, only this much is also run.
_MOST_EPOCHS, _MOST_NODES, _MOST_POINTS = 12, 7, 100


@dataclass(frozen=True)
class Target:
    """A decoder by its name, honest inputs of it, and how many damaged ones CI tries."""

    name: str
    use: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    examples: int = 100

    def __str__(self):
        return self.name


def _payload(data):
    claims = decode_claims.__wrapped__(data)
    check_shown(repr(claims))
    assert encode_claims(claims) == data


def _payload_seeds():
    blocks = honest.result().ledger.tree.blocks()
    claims = [claim for block in blocks for claim in decode_claims(block.payload)]
    two = [(claim, replace(claim, symbol="MSFT")) for claim in claims]
    return [encode_claims(some) for some in (*zip(claims, strict=True), *two)]


def _quotes(data):
    quotes = decode_quotes.__wrapped__(data)
    check_shown(repr(quotes))
    assert encode_quotes(quotes) == data
    _, keyring = honest.signed_quotes()
    known = 3, ("AAPL",), ("bourse", "broker"), keyring
    check_shown(objection_to_quotes(quotes, *known) or "")
    admissible_quotes(quotes, *known)


def _quotes_seeds():
    quotes, _ = honest.signed_quotes()
    return [encode_quotes(some) for some in (quotes, quotes[:1], ())]


def _document(kind, judge, data):
    read = commands._read_document(honest.file(data, "document.json"), kind.from_document)
    check_shown(repr(read))
    with taken():
        assert kind.from_document(parse_json(read.to_json())) == read
    judge(read)


def _document_seeds(make):
    return [make(honest.result()).to_json().encode()]


def _proof(result):
    return result.proof(2)


def _judge_proof(proof):
    check_shown(repr(verify_proof(proof, honest.result().keys)))


def _judge_keys(keys):
    check_shown(repr(verify_proof(_proof(honest.result()), keys)))


def _judge_evidence(evidence):
    is_proven(evidence, honest.result().keys.keys)


@cache
def _honest_frame(name, market):
    known = COLUMNS if market else PROTOCOL_COLUMNS
    return read_frame(name, honest.saved()[f"{name}.csv"], known[name])


def _read_frame(name, content, columns):
    """Read those that nobody damaged only once: they are most of the work."""
    if content == honest.saved()[f"{name}.csv"]:
        return _honest_frame(name, columns is COLUMNS[name])
    return read_frame(name, content, columns)


@mock.patch("streamlet_lab.result.read_frame", _read_frame)
def _saved(data):
    result = Result.load(honest.file(data, "first.zip"))
    check_shown(repr(result))
    assert {*_TAG.findall(result._repr_html_())} <= _TAGS
    assert result.market_quality is not None
    for epoch in result.epochs["epoch"].head(3).tolist():
        with suppress(InvalidInput, ProofRejected):
            verify_proof(result.proof(epoch), result.keys)
    first, second = (honest.file(b"", name) for name in ("second.zip", "third.zip"))
    with taken():
        result.save(first)
        Result.load(first).save(second)
    assert first.read_bytes() == second.read_bytes()


def _member(name, data):
    _saved(honest.archive({**honest.saved(), name: data}))


def _member_seeds(name):
    return [honest.saved()[name]]


def _frame_member(data):
    name, _, content = data.partition(b"\n")
    if (member := f"{name.decode('latin-1')}.csv") in honest.saved():
        _member(member, content)


def _frame_member_seeds():
    return [
        name.removesuffix(".csv").encode() + b"\n" + b"".join(content.splitlines(True)[:4])
        for name, content in honest.saved().items()
        if name.endswith(".csv")
    ]


def _config(suffix, data):
    config = load_config(honest.file(data, f"config{suffix}"))
    check_shown(repr(config))
    with taken():
        assert read_settings(config.to_document()) == config
    check_runnable(config)


@cache
def _parser():
    return cli._parser()


def _option(name, data):
    # As a shell hands them over: bytes without a NUL.
    given = [f"{name}={os.fsdecode(part)}" for part in data.split(b"\0")]
    check_runnable(make_config(**commands._settings(_parser().parse_args(["run", *given]))))


def _store(data):
    with open_store(honest.file(data, "store.db"), *honest.STUDY) as store:
        kept = store.kept()
        check_shown(repr(kept))
        with taken():
            store.keep(kept)
            assert repr(store.kept()) == repr(kept)


def _study(data):
    study = load_study(honest.file(data, "study.toml"))

    def stop(config):  # all is read and planned by now
        raise KeyboardInterrupt

    over = study["over"]
    is_grid = isinstance(over, dict) and all(
        isinstance(each, dict | list) for each in over.values()
    )
    points = (
        prod(map(len, over.values())) if is_grid else len(over) if hasattr(over, "__len__") else 0
    )
    if points <= _MOST_POINTS:
        check_shown(repr(sweep(**study, run=stop)))


def _scenario(data):
    read = Scenario.load(honest.file(data, "scenario.txt"))
    check_shown(repr(read))
    again = honest.file(b"", "again.txt")
    read.save(again)
    with taken():
        assert Scenario.load(again) == read
    config = read.config
    if config is None or (config.epochs <= _MOST_EPOCHS and config.nodes <= _MOST_NODES):
        check_shown(repr(read.run()))


def _messages(data):
    frame = read_lobster(honest.file(data, honest.LOBSTER_NAME))
    assert frame["time"].is_monotonic_increasing
    assert (frame["price"] > 0).all()
    assert (frame["volume"] > 0).all()
    _replay(frame)


def _history(data):
    folder = honest.file(data, "aapl.csv").parent
    digest = honest.hashlib.sha256(data).hexdigest()
    honest.file(f"{digest}  aapl.csv\n".encode(), daily_history.CHECKSUMS)
    with mock.patch.object(daily_history, "data_directory", return_value=folder):
        bars = daily_history._read_bars.__wrapped__("AAPL")
    assert all(bar.low > 0 for bar in bars)


def _frame(data):
    try:
        given = json.loads(data)
        columns = {name: given[name] for name in ("time", "price", "volume")}
        frame = pd.DataFrame(columns).astype(given["types"])
        times = pd.to_datetime(frame["time"], format="ISO8601").astype("datetime64[us]")
        times = times.dt.as_unit(given["unit"])
        frame["time"] = times.dt.tz_localize(given["zone"]) if given["zone"] else times
    except Exception:  # whatever pandas says: nobody has such a frame
        return
    make_config(feed=frame, epochs=1)
    _replay(frame)


def _replay(frame):
    path = ReplayPath(frame)
    for time in (0, path.duration // 2, path.duration - 1):
        check_shown(str((path.price(time), path.volume(time), path.timestamp(time))))


def _texts(data):
    text = os.fsdecode(data)
    for read in _TEXTS:
        try:
            read(text)
        except InvalidInput as error:
            check_shown(str(error))


def _duration(text):
    assert to_microseconds(format_duration(to_microseconds(text))) == to_microseconds(text)


def _chain(text):
    assert read_chain(write_chain(read_chain(text))) == read_chain(text)


_TEXTS = (
    _duration,
    _chain,
    lambda text: to_ticks(to_decimal(text)),
    daily_history.parse_feed_name,
    partial(Fault.parse, "node_3"),
    Step.parse,
    Delivery.parse,
)

TARGETS = {
    target.name: target
    for target in (
        Target("payload", _payload, _payload_seeds),
        Target("quotes", _quotes, _quotes_seeds),
        Target(
            "proof",
            partial(_document, FinalityProof, _judge_proof),
            partial(_document_seeds, _proof),
        ),
        Target(
            "keys",
            partial(_document, PublicKeys, _judge_keys),
            partial(_document_seeds, lambda result: result.keys),
        ),
        Target(
            "evidence",
            partial(_document, Evidence, _judge_evidence),
            partial(_document_seeds, lambda result: result.evidence["node_3"]),
        ),
        Target("result file", _saved, lambda: [honest.archive(honest.saved())], 30),
        Target(
            "result manifest",
            partial(_member, honest.MANIFEST),
            partial(_member_seeds, honest.MANIFEST),
            30,
        ),
        Target(
            "result ledger",
            partial(_member, "ledger.json"),
            partial(_member_seeds, "ledger.json"),
            30,
        ),
        Target("result frame", _frame_member, _frame_member_seeds, 30),
        Target("toml", partial(_config, ".toml"), lambda: [honest.TOML]),
        Target("json", partial(_config, ".json"), lambda: [json.dumps(honest.SETTINGS).encode()]),
        Target(
            "--set",
            partial(_option, "--set"),
            lambda: [
                b"prices.aggregator=median\0network.gst=5s\0nodes=7",
                b'faults=[{kind = "crash", count = 1}]',
            ],
        ),
        Target(
            "--faults",
            partial(_option, "--faults"),
            lambda: [b"node_3=crash@4-6, external_feed=biased"],
        ),
        Target(
            "scenario",
            _scenario,
            lambda: [scenario(name).text.encode() for name in scenario_names()],
            60,
        ),
        Target("store", _store, lambda: [honest.store()]),
        Target("study", _study, lambda: honest.STUDIES),
        Target("lobster messages", _messages, lambda: [honest.MESSAGES]),
        Target("history", _history, lambda: [honest.HISTORY]),
        Target("frame", _frame, lambda: [json.dumps(honest.FRAME).encode()]),
        Target(
            "texts",
            _texts,
            lambda: [
                b"250ms",
                b"0..3-5A",
                b"152.45",
                b"aapl-2012",
                b"crash@4-6",
                b"node_2,node_3 vote 4A to node_0 at 41us",
                b"deliver votes of 0..2 from node_0 to node_2 sent 0us..30us at 40us",
            ],
            200,
        ),
    )
}
