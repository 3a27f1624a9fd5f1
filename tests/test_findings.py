"""What once took minutes or gigabytes, or ended in an error of Python's: one line, exit code 2.

Limits are checked before work is done, so memory is what is bounded here, and no time is measured.
"""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamlet_lab.cli import main

HASH = "00" * 32
KEYS = {"format": "streamlet-lab keys 1", "chain_id": "a", "genesis": HASH, "quorum": 1}
PROOF = {"format": "streamlet-lab finality proof 1", "chain_id": "a", "payload": "", "headers": []}
HEADER = {"epoch": 0, "height": 1, "parent": HASH, "payload_hash": HASH, "attachment_hash": "x"}
GOOD_KEYS = json.dumps({**KEYS, "keys": {"node_0": HASH}})

#: Beyond those that tests/test_texts.py and tests/fuzz/findings.py have.
CONFIGURATIONS = {
    "unknown.json": (
        json.dumps({f"key_{number}": 1 for number in range(200_000)}),
        "at most 100,000 values",
    ),
    "known.toml": ("".join(f"a.{n} = 1\n" for n in range(20_000)), "setting: 'a' is not valid"),
    "large.toml": ("epoch_length = 0x" + "f" * 240, "epoch_length: an integer of 960 bits is not"),
    "less_nested.toml": ("faults = " + "[" * 30 + "]" * 30, "faults: [[[[[[[[['…']]]"),
    "samples.toml": (f"network.samples = [{'-1,' * 99_999}]", "network.samples.0: -1 is not valid"),
    "list.json": ("[]", "not a table of settings"),
}
CHAIN, BLOCKS = "0..9999", "at most 50,000 blocks, counted wherever they are named"
SCENARIOS = {
    "chain.txt": (f"chain {'-'.join([CHAIN] * 1_000)}", f"line 2: blocks: 'chain {CHAIN}-"),
    "notarize.txt": (f"chain {CHAIN}\nnotarize {' '.join([CHAIN] * 100)}", BLOCKS),
    "expect.txt": (f"chain 0\nexpect longest {'|'.join([CHAIN] * 100)}", BLOCKS),
    "again.txt": (
        f"chain {CHAIN}\n" + f"expect longest {CHAIN}\n" * 9,
        "line 6: blocks: 'expect longest 0..9999' is not",
    ),
    "views.txt": (
        f"chain {CHAIN}\n" + "".join(f"notarize 0 in v{number}\n" for number in range(2_000)),
        "fewer blocks, views or expectations",
    ),
    "looks.txt": (
        f"chain {CHAIN}\n" + "expect final none\n" * 999,
        "fewer blocks, views or expectations",
    ),
    "lines.txt": ("expect guilty none\n" * 2_501, "line 2502: lines: 'expect guilty none' is not"),
    "long.txt": ("#" * 1_000_000, "at most 1,000,000 characters"),
    "faults.txt": ("faults = 3\nnode_3 votes 2 at 9us\nrun 3", "line 2: faults: 3 is not valid"),
    "closed.txt": ("network = {loss = 0}\nnetwork.delta = 1\nrun 3", "line 3: setting: 'network."),
    "closed_again.txt": ("network.delta = 1\nnetwork = {}\nrun 3", "line 3: setting: 'network = {"),
    "digits.txt": ("run ٣", "line 2: run: '٣' is not valid"),
    "time.txt": ("node_3 votes 2 at ٩us\nrun 3", "line 2: at: '٩us' is not valid"),
    "sent.txt": (f"lose votes sent {'.' * 100_000} x\nrun 3", "line 2: delivery: 'lose votes sent"),
    "setting.txt": (f"{'.'.join('a' * 100)} = 1\nrun 3", "at most 16 parts of a name"),
    "utf-16.txt": ("run 3".encode("utf-16").decode("latin-1"), "not a text in UTF-8"),
}
DOCUMENTS = {
    "half.json": ({**PROOF, "chain_id": "\ud800"}, "not a JSON document"),
    "headers.json": ({**PROOF, "headers": [HEADER] * 20_000}, "0.attachment_hash: 'x' is not"),
    "signatures.json": ({**PROOF, "votes": [[1] * 100_000] * 3}, "proof.votes.0.0: 1 is not valid"),
    "payload.json": ({**PROOF, "payload": {"hex": "0" * 10**7}}, "proof.payload: {'hex': '000"),
}
PUBLIC_KEYS = {
    "many.json": ({f"n{number}": 0 for number in range(40_001)}, "at most 40,000 names"),
    "bad.json": ({f"n{number}": "0" for number in range(20_000)}, "keys.keys.n0: '0' is not valid"),
}


@contextmanager
def bounded(megabytes: int) -> Iterator[None]:
    """Have the process take no more than so much memory beyond what it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    has = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = has * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize(
    ("words", "text", "complaint"),
    [
        *((f"run {file}", *row) for file, row in CONFIGURATIONS.items()),
        *(
            (f"scenario {file}", f"scenario x: y\n{text}", complaint)
            for file, (text, complaint) in SCENARIOS.items()
        ),
        *(
            (f"verify {file} --keys keys", json.dumps(document), complaint)
            for file, (document, complaint) in DOCUMENTS.items()
        ),
        *(
            (f"verify keys --keys {file}", json.dumps({**KEYS, "keys": keys}), complaint)
            for file, (keys, complaint) in PUBLIC_KEYS.items()
        ),
        ("run missing.toml", None, "missing.toml: cannot be read (No such file or directory)"),
        ("run .", None, ".: cannot be read (Is a directory)"),
        (f"scenario {'x' * 5_000}", None, "expected a file, or one of A1"),
        (f"run --faults node_3=crash@{'9' * 5_000}", None, "a kind with epochs as numbers"),
        ("run --faults node_3=crash@٣", None, "a kind with epochs as numbers"),
        (f"run --set {'.'.join('a' * 10_000)}=1", None, "expected SETTING=VALUE"),
        (f"run --set epochs={'9' * 5_000}", None, "epochs: '999"),
        ("run --set epochs=٣", None, "epochs: '٣' is not valid"),
        (f"run --set faults={'[' * 900}{']' * 900}", None, "a value as in TOML; not a TOML"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_it_is_refused_in_one_line(words, text, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command, *rest = words.split(" ")
    Path("keys").write_text(GOOD_KEYS, encoding="utf-8")
    if text is not None:
        file = next(word for word in reversed(rest) if word.endswith((".toml", ".json", ".txt")))
        Path(file).write_bytes(text.encode("latin-1" if file == "utf-16.txt" else "utf-8"))

    with bounded(256):
        assert main([command, *rest]) == 2

    said = capsys.readouterr().err
    assert said.startswith("streamlet-lab: error: ")
    assert complaint in said
    assert said.count("\n") == 1
    assert len(said) < 3_000


@pytest.mark.parametrize("number", ["٣", "9" * 5_000, "3.0", "1e3", ""])
def test_an_option_takes_the_digits_of_whole_numbers(number, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--epochs", number])

    assert "is not a whole number" in capsys.readouterr().err[-400:]


@pytest.mark.parametrize("form", ["keys.json", "run.toml", "run.json", "story.txt"])
def test_each_text_may_have_a_byte_order_mark(form, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    texts = {
        "keys.json": (["verify", form, "--keys", form], GOOD_KEYS, "proof.format"),
        "run.toml": (["run", form], "nodes = 0", "nodes: 0 is not valid"),
        "run.json": (["run", form], '{"nodes": 0}', "nodes: 0 is not valid"),
        "story.txt": (["scenario", form], "scenario a: b\nrun 0", "line 2: run: '0' is not valid"),
    }
    words, text, complaint = texts[form]
    Path(form).write_text(text, encoding="utf-8-sig")

    assert main(words) == 2
    assert complaint in capsys.readouterr().err
