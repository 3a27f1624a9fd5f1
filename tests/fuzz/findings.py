"""What once broke a decoder, as code: the name of its target, bytes, and whether they are taken."""

import io
import json
import struct
import zipfile

import pytest

from . import honest
from .targets import TARGETS

_DEEP = b"[" * 100_000
_HUGE = "9" * 5_000


def _in_place(text, *place, value):
    """A document with another value at a place, which is JSON text, valid or not."""
    document = json.loads(text)
    *above, last = place
    holder = document
    for step in above:
        holder = holder[step]
    holder[last] = "here"
    return json.dumps(document).replace('"here"', value).encode()


def _in_manifest(*place, value):
    return lambda: _in_place(honest.saved()[honest.MANIFEST], *place, value=value)


def _in_ledger(*place, value):
    return lambda: _in_place(honest.saved()["ledger.json"], *place, value=value)


def _overlapping():
    """A small zip whose directory names the one large member 5,000 times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("epochs.csv"), bytes(4_000_000))
    content = buffer.getvalue()
    _, size, start = struct.unpack("<HII", content[-12:-2])
    entry = content[start : start + size]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5_000, 5_000, 5_000 * size, start, 0)
    return content[:start] + entry * 5_000 + end


def _wide_frame():
    wide = b"," + b",".join(b"%d" % column for column in range(200_000)) + b"\n"
    header, row = honest.saved()["epochs.csv"].splitlines()[:2]
    return b"epochs\n" + header + wide + row + b"," * 200_000 + b"\n"


def _long_number_in_a_frame():
    header, row = honest.saved()["epochs.csv"].decode().splitlines()[:2]
    return f"epochs\n{header}\n{'9' * 400},{row.partition(',')[2]}\n".encode()


def _many_keys():
    keys = ", ".join(f'"n{node}": ""' for node in range(1_000_000))
    head = '"format": "streamlet-lab keys 1", "chain_id": "x", "genesis": "", "quorum": 1'
    return f'{{{head}, "keys": {{{keys}}}}}'.encode()


def _unknown_keys(form):
    return "".join(form.format(key) for key in range(1_000_000)).encode()


def _scenario(*lines):
    return "\n".join(["scenario x: y", *lines, ""]).encode()


def _frame(**changes):
    return lambda: json.dumps({**honest.FRAME, **changes}).encode()


# Target, what it is, its bytes, and whether it is to be taken; None is either.
_FINDINGS = [
    # A manifest and a ledger whose digests are right
    *(
        (
            "result ledger",
            f"epoch {value[:9]}",
            _in_ledger("blocks", 0, "epoch", value=value),
            False,
        )
        for value in ("1.5", "null", "9223372036854775808", "1" + "0" * 400, _HUGE, "true", '"1"')
    ),
    *(
        ("result ledger", f"quorum {value}", _in_ledger("quorum", value=value), False)
        for value in ("NaN", "[]", "{}", "-1", "1e999")
    ),
    ("result ledger", "brackets", lambda: _DEEP, False),
    ("result manifest", "brackets", lambda: _DEEP, False),
    ("result manifest", "huge", _in_manifest("signatures", value=_HUGE), False),
    *(
        ("result manifest", f"{name} {value}", _in_manifest(name, value=value), False)
        for name in ("signatures", "verifications")
        for value in ("NaN", "[]", "{}", "-1", "true")
    ),
    *(
        ("result manifest", f"name {value}", _in_manifest("checks", 0, "name", value=value), False)
        for value in ("null", '"<img src=x onerror=alert(1)>"', "[]", '"\\u001b[2J"')
    ),
    ("result frame", "200,000 columns", _wide_frame, False),
    ("result frame", "400 digits", _long_number_in_a_frame, False),
    ("result file", "overlapping members", _overlapping, False),
    # Configurations
    ("toml", "hexadecimal", lambda: b"epoch_length = 0x" + b"f" * 2_000, False),
    ("toml", "hexadecimal nodes", lambda: b"nodes = 0x" + b"f" * 5_000, False),
    ("toml", "digits", lambda: b"nodes = " + b"9" * 5_000, False),
    ("toml", "nesting of 900", lambda: b"x = " + b"[" * 900 + b"]" * 900, False),
    ("toml", "a key of 10,000 parts", lambda: b".".join([b"a"] * 10_000) + b" = 1", False),
    ("toml", "a key of 100,000 parts", lambda: b".".join([b"a"] * 100_000) + b" = 1", False),
    ("toml", "a million keys", lambda: _unknown_keys("a{} = 0\n"), False),
    ("toml", "other digits", lambda: 'epoch_length = "١٥٠s"'.encode(), False),
    ("toml", "byte order mark", lambda: b"\xef\xbb\xbf" + honest.TOML, True),
    ("toml", "UTF-16", lambda: honest.TOML.decode().encode("utf-16"), False),
    ("json", "a name twice", lambda: b'{"nodes": 4, "nodes": 7}', False),
    ("json", "digits", lambda: b'{"nodes": ' + b"9" * 5_000 + b"}", False),
    ("json", "brackets", lambda: b'{"nodes": ' + _DEEP + b"}", False),
    ("json", "nesting of 900", lambda: b'{"nodes": ' + b"[" * 900 + b"]" * 900 + b"}", False),
    ("json", "a million keys", lambda: b'{"nodes": 4' + _unknown_keys(', "{}": 0') + b"}", False),
    ("json", "infinite", lambda: b'{"nodes": 1e999}', False),
    ("json", "byte order mark", lambda: b'\xef\xbb\xbf{"nodes": 4}', True),
    ("keys", "a million", _many_keys, False),
    ("--set", "digits", lambda: b"nodes=" + b"9" * 5_000, False),
    ("--set", "hexadecimal", lambda: b"epoch_length=0x" + b"f" * 2_000, False),
    ("--set", "brackets", lambda: b"nodes=" + _DEEP, False),
    ("--set", "parts", lambda: b".".join([b"a"] * 10_000) + b"=1", False),
    ("--set", "an inner key's parts", lambda: b"a={" + b".".join([b"a"] * 9_999) + b"=1}", False),
    ("--faults", "digits", lambda: b"node_3=crash@" + b"9" * 5_000, False),
    ("--faults", "other digits", lambda: "node_3=crash@٤".encode(), False),
    # Scenarios
    (
        "scenario",
        "faults = 3",
        lambda: _scenario("node_3 votes 2 at 9us", "faults = 3", "run 3"),
        False,
    ),
    (
        "scenario",
        "2,000 settings",
        lambda: _scenario(*(f"x.a{n} = 1" for n in range(2_000)), "run 1"),
        False,
    ),
    ("scenario", "long chains", lambda: _scenario("chain " + "-".join(["0..9999"] * 1_000)), False),
    (
        "scenario",
        "long chains expected",
        lambda: _scenario("chain 0", "expect final " + "|".join(["0..9999"] * 1_000)),
        False,
    ),
    (
        "scenario",
        "notarized again",
        lambda: _scenario("chain 0..9999", "notarize" + " 0..9999" * 100),
        None,
    ),
    ("scenario", "byte order mark", lambda: b"\xef\xbb\xbf" + _scenario("chain 0"), True),
    # Data
    ("lobster messages", "byte order mark", lambda: b"\xef\xbb\xbf" + honest.MESSAGES, True),
    *(
        ("lobster messages", what, lambda row=row: honest.MESSAGES + row, False)
        for what, row in [
            ("no shares", b"34201,1,9,0,1000000,1\n"),
            ("price", b"34201,4,9,1,-1,1\n"),
        ]
    ),
    ("frame", "a midnight that does not exist", _frame(zone="America/Santiago"), True),
    ("frame", "the year 20000", _frame(time=["2024-01-01", "20000-01-01"], zone=None), None),
    ("frame", "infinite", _frame(price=[1e400, 1, 1]), False),
]

FINDINGS = [
    pytest.param(TARGETS[target], make, taken, id=f"{target}: {what}")
    for target, what, make, taken in _FINDINGS
]
