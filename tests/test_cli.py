"""The command line: what it prints, byte by byte, and how it says no."""

import json
import re
import shlex
from pathlib import Path
from unittest import mock

import pytest

import streamlet_lab as sl
from streamlet_lab.cli import main
from streamlet_lab.consensus import FinalityRule
from streamlet_lab.scenarios import Scenario

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"

# To renew after an intended change: python tests/test_cli.py
COMMANDS = {
    "stock-consensus": ["stock-consensus", "--epochs", "12", "--nodes", "4"],
    "stock-consensus-crash": ["stock-consensus", "--epochs", "8", "--faults", "node_1=crash@3"],
    "stock-consensus-history": ["stock-consensus", "--epochs", "4", "--feed", "aapl-2012"],
    "consensus-trading": ["consensus-trading", "--nodes", "4"],
    "streamlet": ["streamlet", "--epochs", "8"],
    "streamlet-silent": ["streamlet", "--epochs", "8", "--faults", "node_3=silent_leader@2-6"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_prints_the_golden_output(name, capsys):
    assert main(COMMANDS[name]) == 0
    printed = capsys.readouterr()
    assert printed.out == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert printed.err == ""


@pytest.mark.parametrize("name", ["stock-consensus-crash", "consensus-trading", "streamlet"])
def test_json_is_one_document_and_nothing_else(name, capsys, tmp_path):
    assert main([*COMMANDS[name], "--json", "--plots", str(tmp_path / "charts")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"]["nodes"] == 4
    assert list((tmp_path / "charts").glob("*.png"))


def test_the_trading_demo_trades_nothing_and_rejects_the_extreme_price(capsys):
    main([*COMMANDS["consensus-trading"], "--json"])
    buy, sell, extreme = json.loads(capsys.readouterr().out)["orders"]
    assert (buy["accepted"], buy["trades"]) == (True, 0)
    assert (sell["accepted"], sell["trades"]) == (True, 0)
    assert (extreme["accepted"], extreme["reason"]) == (False, "outside_band")
    assert "deviates 20.00% from consensus" in extreme["message"]


@pytest.mark.parametrize("command", ["stock-consensus", "consensus-trading", "streamlet"])
def test_a_demo_runs_the_descriptions_experiment(command, capsys):
    assert main([command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"] == sl.description().config.to_document()


def test_the_trading_demo_has_the_band_that_is_set(capsys):
    main(["consensus-trading", "--epochs", "3", "--set", "market.band_percent=25", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert [order["accepted"] for order in document["orders"]] == [True, True, True]
    assert document["orders"][2]["trades"] == 1


def test_run_writes_four_charts_and_names_the_folder(capsys, tmp_path):
    charts, saved = tmp_path / "charts", tmp_path / "run.zip"
    arguments = ["run", "--epochs", "20", "--plots", str(charts), "--save", str(saved)]
    assert main(arguments) == 0
    names = {"prices.png", "vwap.png", "latency.png", "rejections.png"}
    assert {path.name for path in charts.iterdir()} == names
    assert str(charts) in capsys.readouterr().out
    assert saved.exists()


# --- Several symbols

SYMBOLS = ["--set", 'symbols=["AAPL", "MSFT"]']


def test_run_shows_and_draws_every_symbol(capsys, tmp_path):
    assert main(["run", "--epochs", "9", *SYMBOLS, "--plots", str(tmp_path / "charts")]) == 0
    text = capsys.readouterr().out
    assert "AAPL, MSFT: quotes, consensus, finality, trades\n" in text
    assert "\n...\nEpoch 7, AAPL:\n" in text
    assert re.search(r"s: \d+ shares of (AAPL|MSFT) at \$", text)
    further = {"prices_MSFT.png", "vwap_MSFT.png", "rejections_MSFT.png"}
    assert further < {path.name for path in (tmp_path / "charts").iterdir()}
    assert all(name in text.splitlines()[-1] for name in further)


# --- Any other setting, one by one


def _configured(arguments, capsys, command="stock-consensus"):
    """The settings that a command says it ran with."""
    assert main([command, "--epochs", "2", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["config"]


# What is typed, where it ends up, and as what.
SET = [
    ("prices.aggregator=median", "prices.aggregator", "median"),
    ('prices.aggregator="median"', "prices.aggregator", "median"),
    ("prices.deviation_rule=re-anchor", "prices.deviation_rule", "re-anchor"),
    (" prices.aggregator = median ", "prices.aggregator", "median"),
    ("network.gst=5s", "network.gst", "5s"),
    ("quorum=2f+1", "quorum", "2f+1"),
    ("nodes=7", "nodes", 7),
    ("nodes=+07", "nodes", 7),
    ("prices.volatility=2.5", "prices.volatility", 2.5),
    ("prices.volatility=.5", "prices.volatility", 0.5),
    ("prices.base_price=200.10", "prices.base_price", "200.1"),
    ("echo=false", "echo", False),
    ('prices.sources=["a", "b"]', "prices.sources", ["a", "b"]),
    ("prices.path_parameters={beta=0.5}", "prices.path_parameters", {"beta": 0.5}),
    ("prices.assets.AAPL.trend=0.5", "prices.assets", {"AAPL": {"trend": 0.5}}),
    ("epochs=3", "epochs", 3),
]


@pytest.mark.parametrize(("typed", "setting", "expected"), SET)
def test_any_setting_can_be_set(typed, setting, expected, capsys):
    value = _configured(["--set", typed], capsys)
    for key in setting.split("."):
        value = value[key]
    assert (value, type(value)) == (expected, type(expected))


def test_options_and_settings_win_over_a_file_and_leave_the_rest_of_it(tmp_path, capsys):
    file = tmp_path / "experiment.toml"
    history = tmp_path / "history.csv"
    history.write_text("Date,Close,Volume\n2024-01-15,99,500\n2024-01-16,99.5,600\n", "utf-8")
    text = 'epochs = 9\nnodes = 7\nfaults = {node_6 = "crash@4"}\n'
    text += f"feed = '{history}'\n"
    text += '[prices]\naggregator = "median"\nmin_volume = 7\nsources = 5\n'
    file.write_text(text, encoding="utf-8")
    words = [str(file), "--set", "prices.aggregator=vwap", "--plots", str(tmp_path / "charts")]
    config = _configured([*words, "--seed", "5"], capsys, "run")
    assert (config["epochs"], config["nodes"], config["seed"]) == (2, 7, 5)
    assert config["faults"][0]["kind"] == "crash"
    assert config["prices"]["aggregator"] == "vwap"
    assert config["prices"]["min_volume"] == "7"
    assert len(config["prices"]["sources"]) == 5
    assert config["feed"].startswith("frame:")


def test_long_runs_report_their_progress_on_standard_error(capsys):
    assert main(["streamlet", "--epochs", "500", "--json"]) == 0
    printed = capsys.readouterr()
    assert "epoch 450 of 500" in printed.err
    json.loads(printed.out)


MISTAKES = {
    "stock-consensus --nodes 0": "nodes: 0",
    "stock-consensus --feed tsla": "feed: 'tsla'",
    "run --feed aapl-2012 --epochs 400": "epochs: 400",
    "streamlet --faults node_1=explode": "faults: 'explode'",
    "streamlet --faults crash": "faults: 'crash'",
    "streamlet --faults node_1=crash@-5": "faults: 'crash@-5'",
    "streamlet --faults node_1=lying_leader": "faults: 'lying_leader'",
    "run --save result.csv": "--save: 'result.csv'",
    "streamlet --set nodes": "--set: 'nodes' is not valid; expected SETTING=",
    "streamlet --set =7": "--set: '=7'",
    "stock-consensus --set ''": "--set: ''",
    "consensus-trading --set prices..sources=4": "--set: 'prices..sources=4'",
    "run --set 'gst now=5s'": "--set: 'gst now=5s'",
    "run --set colour=red": "setting: 'colour'",
    "run --set prices.colour=red": "prices: 'colour' is not valid",
    "run --set prices.sources=4 --set prices.sources.lag=2s": (
        "--set: 'prices.sources.lag=2s' is not valid; expected a setting; 'sources' has none below"
    ),
    "run --epochs 3 --set epochs.long=3": (
        "--set: 'epochs.long=3' is not valid; expected a setting; 'epochs' has none below it"
    ),
    "streamlet --set network.gst=soon": "network.gst: 'soon'",
    "streamlet --set nodes=": "nodes: ''",
    "scenario nope": "scenario: 'nope' is not valid; expected a file, or one of A1",
    "scenario ''": "scenario: '' is not valid; expected a file, or one of A1",
    "run no-such-file.toml": "no-such-file.toml: cannot be read",
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("rnu", "run"), ("run --epohcs 5", "--epochs"), ("fuzz --rnus=3", "--runs")],
)
def test_a_mistyped_command_or_option_gets_the_nearest_one(typed, meant, capsys):
    with pytest.raises(SystemExit):
        main(shlex.split(typed))
    assert capsys.readouterr().err.endswith(f" (did you mean '{meant}'?)\n")


@pytest.mark.parametrize("typed", MISTAKES)
def test_a_mistake_gets_one_line_and_exit_code_2(typed, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(typed)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {MISTAKES[typed]}")
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "below"), [("--plots", ""), ("--plots", "more"), ("--save", "run.zip")]
)
def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_runs(
    option, below, capsys, tmp_path
):
    file = tmp_path / "charts"
    file.write_text("in the way", encoding="utf-8")
    assert main(["run", option, str(file / below)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {option}: ")
    assert str(file) in printed.err
    assert file.read_text(encoding="utf-8") == "in the way"


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """A saved run, a proof and the keys, as files."""
    result = sl.Experiment(epochs=8, market={"traders": 0}).run()
    path = tmp_path_factory.mktemp("documents") / "run.zip"
    result.save(path)
    proof, keys = result.proof(5).to_document(), result.keys.to_document()
    return {
        "run.zip": path.read_bytes(),
        "proof.json": json.dumps(proof).encode(),
        "keys.json": json.dumps(keys).encode(),
        "study.toml": b"repeats = 2\nbase.epochs = 4\nbase.market.traders = 0",
    }


@pytest.fixture
def folder(documents, tmp_path, monkeypatch):
    """The folder that one is in, with these files."""
    monkeypatch.chdir(tmp_path)
    for name, content in documents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "kept.run").write_bytes(documents["run.zip"])
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    return tmp_path


ALL_COMMANDS = (
    "run",
    "stock-consensus",
    "consensus-trading",
    "streamlet",
    "proof",
    "keys",
    "verify",
    "scenario",
    "sweep",
    "fuzz",
    "notebooks",
)


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_help_text_has_an_example_that_works(command, folder, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    _, _, example = shown.partition("example: streamlet-lab ")
    assert example.startswith(command)
    assert main(example.split()) == 0


def test_notebooks_are_copied_without_links_to_what_stays_behind(tmp_path, capsys):
    lessons = {path.name: path for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert main(["notebooks", str(tmp_path / "lessons")]) == 0
    copies = {path.name: path for path in (tmp_path / "lessons").iterdir()}
    assert copies.keys() == lessons.keys()
    for name, copy in copies.items():
        code, original = (
            [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if "outputs" in cell]
            for path in (copy, lessons[name])
        )
        assert code == original
        links = re.findall(r"\]\((?!https?:)([^)#]+)", copy.read_text("utf-8"))
        assert {*links} <= copies.keys()
    assert capsys.readouterr().out.startswith(f"{len(lessons)} notebooks")


def test_notebooks_overwrites_no_file(tmp_path, capsys):
    (tmp_path / "02_streamlet.ipynb").touch()
    assert main(["notebooks", str(tmp_path)]) == 2
    assert "02_streamlet.ipynb" in capsys.readouterr().err
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]


# --- Documents for those who were not there


WRONG_DOCUMENTS = {
    "proof over its run": ("proof run.zip 5 --output run.zip", "--output: 'run.zip'"),
    "keys over its run": ("keys run.zip --output run.zip", "--output: 'run.zip'"),
    "under another name": ("keys kept.run --output ./kept.run", "--output: 'kept.run'"),
    "another saved run": ("keys kept.run --output run.zip", "--output: 'run.zip'"),
    "in capitals": ("keys run.zip --output NEW.ZIP", "--output: 'NEW.ZIP'"),
    "a folder": ("keys run.zip --output .", "--output: '.' is not valid; expected the name of a f"),
    "no block": ("proof run.zip 99", "block: 99"),
    "no hash": ("proof run.zip five", "block: 'five' is not valid; expected an epoch, or a hash"),
    "digits": (f"proof run.zip {'9' * 5000}", f"block: '{'9' * 249}… is not valid; expected an ep"),
    "swapped": ("verify keys.json --keys proof.json", "proof.json: keys.format: "),
    "keys as a proof": ("verify keys.json --keys keys.json", "keys.json: proof.format: "),
    "binary proof": ("verify binary --keys keys.json", "binary: not a text in UTF-8"),
    "binary keys": ("verify proof.json --keys binary", "binary: not a text in UTF-8"),
    "no keys": ("verify proof.json --keys none.json", "none.json: cannot be read"),
}


@pytest.mark.parametrize("name", WRONG_DOCUMENTS)
def test_a_mistake_with_documents_leaves_every_file_as_it_was(name, folder, capsys):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    arguments, start = WRONG_DOCUMENTS[name]
    assert main(arguments.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {start}")
    assert printed.err.count("\n") == 1
    assert len(printed.err) < 400
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


# --- The search


@pytest.mark.parametrize("lost", ["commands.show", "charts.save_charts"])
def test_a_run_is_saved_before_anything_else_can_fail(lost, tmp_path):
    saved, charts = tmp_path / "run.zip", tmp_path / "charts"
    arguments = ["run", "--epochs", "8", "--save", str(saved), "--plots", str(charts)]
    with mock.patch(f"streamlet_lab.{lost}", side_effect=OSError(28, "No space left")):
        assert main(arguments) == 2
    assert len(sl.Result.load(saved).epochs) == 8


@pytest.mark.parametrize("command", ["run --save .", "fuzz --save file", "fuzz --save file/more"])
def test_a_place_for_what_is_found_is_checked_before(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert main(command.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("streamlet-lab: error: --save: ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_finding_is_printed_even_if_it_cannot_be_saved(tmp_path, capsys):
    full = mock.patch.object(Scenario, "save", side_effect=OSError(28, "No space left"))
    rule = mock.patch("streamlet_lab.simulator.simulation.THREE_IN_A_ROW", FinalityRule(3, 0))
    search = ["fuzz", "--runs", "12", "--seed", "3", "--save", str(tmp_path / "findings")]
    with rule, full:
        assert main(search) == 1
    printed = capsys.readouterr().out
    assert "No space left" in printed.splitlines()[0].partition("; not saved: ")[2]
    assert "\nscenario run_" in printed
    assert (tmp_path / "findings").is_dir()


if __name__ == "__main__":
    import contextlib
    import io

    for golden_name, golden_arguments in COMMANDS.items():
        with contextlib.redirect_stdout(io.StringIO()) as text:
            main(golden_arguments)
        (GOLDEN / f"{golden_name}.txt").write_text(text.getvalue(), encoding="utf-8")
