"""Honest documents of every kind, made when a test needs them: what damage starts from."""

import hashlib
import io
import json
import math
import tempfile
import zipfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from matching import lobster

from streamlet_lab import Experiment
from streamlet_lab.keys import Ed25519Keyring
from streamlet_lab.prices import StockPrice
from streamlet_lab.prices.attestation import sign_quote
from streamlet_lab.store import Outcome, open_store

#: The manifest of a saved result, and its digests in it.
MANIFEST, DIGESTS = "result.json", "sha256"
LOBSTER_NAME = "MSFT_2012-06-21_34200000_37800000_message_50.csv"

SETTINGS = {
    "epochs": 3,
    "nodes": 4,
    "epoch_length": "1s",
    "faults": {"node_3": "crash@1", "external_feed": "biased@1-2"},
    "network": {"delta": "60ms", "slow_nodes": {"node_1": 2}, "clock_skew": {"node_2": "1ms"}},
    "prices": {"aggregator": "median", "sources": ["a", {"name": "external_feed", "lag": "1s"}]},
    "market": {"traders": ["momentum", {"kind": "noise_trader", "rate": 0.2}], "band": "luld"},
}
TOML = b"""\
epochs = 3
epoch_length = "250ms"
symbols = ["AAPL"]
faults = [{kind = "equivocate", count = 1, start = 2}, {kind = "stale", nodes = ["external_feed"]}]
[network]
median_delay = 0.02
partitions = [{start = "1s", stop = "2s", groups = "node_0,node_1|node_2,node_3"}]
[prices]
base_price = "152.45"
path_parameters = {}
[market]
traders = 3
band_percent = "5"
"""
STUDIES = [
    b"""\
measure = ["trades"]
[quasi_random]
count = 4
seed = 1
log = ["network.delta"]
bounds.nodes = [4, 16]
bounds.network.delay_spread = [0.1, 0.9]
bounds.network.delta = ["100ms", "2s"]
""",
    b"""\
repeats = 40
seed = 3
measure = ["trades", "orders"]
until = {trades = 0.5, orders = 2}
on_error = "raise"
[base]
epochs = 3
market.traders = 2
[over]
nodes = [4, 7]
network.delta = {slow = "1s", fast = 0.1}
""",
    b"""\
repeats = 31
measure = ["safe"]
until = 0.1
[[over]]
nodes = 4
"network.delta" = "100ms"
[[over]]
nodes = 5
network.delta = "200ms"
""",
]
MESSAGES = lobster.MESSAGES.encode()
HISTORY = b"""\
date,open,high,low,close,volume,adj_close
2000-03-01,118.56,132.06,118.5,130.31,9616100,4.186662803811
2000-03-02,127.0,127.94,120.69,122.0,2779100,3.9196750983419
"""
FRAME = {
    "unit": "us",
    "zone": "America/New_York",
    "time": ["2024-09-06T13:30", "2024-09-07T13:30", "2024-09-08T13:30"],
    "price": [185.9, 185.92, 182.16],
    "volume": [100, 0, 7],
    "types": {"price": "float32"},
}


STUDY = {"version": "1", "points": [{"nodes": 4}]}, ("nodes", "repeat", "seed")

_MEMORY = Path("/dev/shm")
#: For the files of this process and its forks, in memory where that can be had. Made at once, so
#: that it is the parent's, which removes it: forks end without tidying up.
_FOLDER = tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)


def file(data, name):
    """The path of a file of this content."""
    path = Path(_FOLDER.name, name)
    path.write_bytes(data)
    return path


@cache
def result():
    """A run with a market, and with evidence against one node."""
    market = {"traders": 3, "samples_per_epoch": 2}
    return Experiment(epochs=5, faults={"node_3": "equivocate"}, market=market).run()


@cache
def signed_quotes():
    """Quotes of two sources, and the keyring that they are signed with."""
    keyring = Ed25519Keyring(["bourse", "broker"], seed=1)
    quotes = [
        StockPrice.create("AAPL", "152.45", 1_000, "bourse", confidence="0.05"),
        StockPrice.create("AAPL", "152.46", "12.5", "broker"),
    ]
    return tuple(sign_quote(quote, 3, keyring) for quote in quotes), keyring


@cache
def saved():
    """The members of a saved result by their names; the manifest is without digests."""
    path = Path(_FOLDER.name, "honest.zip")
    result().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members[MANIFEST])
    del manifest[DIGESTS]
    return {**members, MANIFEST: json.dumps(manifest).encode()}


@cache
def store():
    """The store of a sweep: a run, one without a number, and one that failed."""
    path = Path(_FOLDER.name, "honest.db")
    with open_store(path, *STUDY) as opened:
        opened.keep({0: Outcome({"late": 0.1}), 1: Outcome({"late": math.nan})})
        opened.keep({2: Outcome({}, "ValueError: no")})
    return path.read_bytes()


def archive(members):
    """A saved result with these members and the right digests of all, if there is a manifest."""
    members = dict(members)
    with suppress(ValueError, RecursionError, TypeError):  # no object of JSON goes in as it is
        manifest = json.loads(members[MANIFEST])
        texts = {**members, MANIFEST: json.dumps(manifest).encode()}
        digests = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
        members[MANIFEST] = json.dumps({**manifest, DIGESTS: digests}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()
