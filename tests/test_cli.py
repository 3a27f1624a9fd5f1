"""The command line: what it prints, byte by byte, and how it says no."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streamlet_lab.cli import main

GOLDEN = Path(__file__).parent / "golden"

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
def test_prints_the_golden_output(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(COMMANDS[name]) == 0
    printed = capsys.readouterr()
    assert printed.out == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert printed.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_one_document_and_nothing_else(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*COMMANDS[name], "--json", "--plots", str(tmp_path / "charts")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["config"]["nodes"] == 4
    assert list((tmp_path / "charts").glob("*.png"))


def test_the_finalized_prices_of_the_document_are_those_of_the_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(COMMANDS["stock-consensus"])
    text = capsys.readouterr().out
    main([*COMMANDS["stock-consensus"], "--json"])
    for number, final in enumerate(json.loads(capsys.readouterr().out)["finalized"], start=1):
        price, block = final["consensus_price"], final["block_hash"][:8]
        assert f"  Finalized {number}: ${price} (Block: {block}...)\n" in text


def test_the_trading_demo_trades_nothing_and_rejects_the_extreme_price(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main([*COMMANDS["consensus-trading"], "--json"])
    buy, sell, extreme = json.loads(capsys.readouterr().out)["orders"]
    assert (buy["accepted"], buy["trades"]) == (True, 0)
    assert (sell["accepted"], sell["trades"]) == (True, 0)
    assert (extreme["accepted"], extreme["reason"]) == (False, "outside_band")
    assert "deviates 20.00% from consensus" in extreme["message"]


def test_run_writes_four_charts_and_names_the_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    charts, saved = tmp_path / "charts", tmp_path / "run.zip"
    arguments = ["run", "--epochs", "20", "--plots", str(charts), "--save", str(saved)]
    assert main(arguments) == 0
    names = {"prices.png", "vwap.png", "latency.png", "rejections.png"}
    assert {path.name for path in charts.iterdir()} == names
    assert str(charts) in capsys.readouterr().out
    assert saved.exists()


def test_run_takes_an_experiment_file_and_options_win(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text('epochs = 10\nnodes = 7\nfaults = {node_6 = "crash@4"}\n', encoding="utf-8")
    arguments = ["run", str(file), "--seed", "5", "--json", "--plots", str(tmp_path / "charts")]
    assert main(arguments) == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert (config["epochs"], config["nodes"], config["seed"]) == (10, 7, 5)
    assert config["faults"][0]["kind"] == "crash"


def test_long_runs_report_their_progress_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["streamlet", "--epochs", "500", "--json"]) == 0
    printed = capsys.readouterr()
    assert "epoch 450 of 500" in printed.err
    json.loads(printed.out)


MISTAKES = {
    "nodes": (["stock-consensus", "--nodes", "0"], "nodes: 0"),
    "epochs": (["streamlet", "--epochs", "-3"], "epochs: -3"),
    "feed": (["stock-consensus", "--feed", "tsla"], "feed: 'tsla'"),
    "history too short": (["run", "--feed", "aapl-2012", "--epochs", "400"], "epochs: 400"),
    "fault": (["streamlet", "--faults", "node_1=explode"], "faults: 'explode'"),
    "fault node": (["streamlet", "--faults", "node_9=crash"], "faults: 'node_9'"),
    "fault syntax": (["streamlet", "--faults", "crash"], "--faults: 'crash'"),
    "fault epoch": (["streamlet", "--faults", "node_1=crash@-5"], "faults: 'crash@-5'"),
    "fault without prices": (["streamlet", "--faults", "node_1=lying_leader"], "faults: 'lying_l"),
    "save": (["run", "--save", "result.csv"], "--save: 'result.csv'"),
    "missing file": (["run", "no-such-file.toml"], "no-such-file.toml: cannot be read"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_line_and_exit_code_2(
    name: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, start = MISTAKES[name]
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {start}")
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "below"), [("--plots", ""), ("--plots", "more"), ("--save", "run.zip")]
)
def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_runs(
    option: str, below: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "charts"
    file.write_text("in the way", encoding="utf-8")
    assert main(["run", option, str(file / below)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"streamlet-lab: error: {option}: ")
    assert str(file) in printed.err
    assert file.read_text(encoding="utf-8") == "in the way"


@pytest.mark.parametrize("command", ["run", "stock-consensus", "consensus-trading", "streamlet"])
def test_every_help_text_has_an_example_that_works(
    command: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    _, _, example = " ".join(capsys.readouterr().out.split()).partition("example: streamlet-lab ")
    assert example.startswith(command)
    assert main(example.split()) == 0


def test_the_module_and_a_closed_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlet_lab", "streamlet", "--epochs", "300"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"=====")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) in (0, 141)


if __name__ == "__main__":
    import contextlib
    import io

    for golden_name, golden_arguments in COMMANDS.items():
        with contextlib.redirect_stdout(io.StringIO()) as text:
            main(golden_arguments)
        (GOLDEN / f"{golden_name}.txt").write_text(text.getvalue(), encoding="utf-8")
