"""What the README says is true: its picture, its figures, its commands, its links."""

import re
import sys
from inspect import get_annotations
from itertools import chain
from pathlib import Path
from statistics import fmean

import pytest

import streamlet_lab as sl
from streamlet_lab.cli import main
from tools import measure_defaults
from tools.packaged_readme import standalone

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_picture_is_what_its_command_draws(tmp_path):
    """To renew it: run the command with ``--plots`` and copy ``prices.png`` into docs/."""
    command = re.search(r"The picture is `python3 lab.py (.+?)`", README)
    assert command is not None
    assert main([*command[1].split(), "--plots", str(tmp_path)]) == 0
    assert (tmp_path / "prices.png").read_bytes() == (ROOT / "docs" / "prices.png").read_bytes()


@pytest.mark.slow
def test_its_figures_are_what_the_measuring_script_prints(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["measure_defaults.py"])
    measure_defaults.main()
    assert capsys.readouterr().out.strip() in README


def test_its_commands_work(tmp_path, monkeypatch, capsys):
    block = README.split("## The commands")[1].split("```")[1]
    commands = re.findall(r"^python3 lab.py ([^#\n]+?)\s*(?:#.*)?$", block, flags=re.MULTILINE)
    assert len(commands) == 10
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.toml").write_text("epochs = 12\n", encoding="utf-8")
    study = "repeats = 2\nbase.epochs = 4\nbase.market.traders = 0\n"
    (tmp_path / "study.toml").write_text(study, encoding="utf-8")
    for command in commands:
        # A search of 20 runs has each of its parts.
        assert main(command.replace("--runs 1000", "--runs 20").split()) == 0, command


def test_its_python_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = [rest.split("```")[0] for rest in README.split("```python\n")[1:]]
    assert len(blocks) == 5
    names = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)


def luld_runs(seeds, **traders):
    """Run the LULD market of the README with some seeds."""
    (block,) = (one.split("```")[0] for one in README.split("```python\n")[1:] if "busy =" in one)
    call = block.split("busy = ")[1].split("\nbusy")[0]
    config = eval(call.replace(").run()", ").config"), {"sl": sl})
    market = type(config.market).model_validate(config.market.model_dump() | traders)
    for seed in range(seeds):
        seeded = config.model_copy(update={"seed": seed, "market": market})
        yield sl.Experiment.from_config(seeded).run()


@pytest.mark.slow
def test_in_its_luld_market_typing_errors_make_limit_states_and_no_pauses():
    states = [state for result in luld_runs(40) for state in result.bands["state"]]
    assert states.count("limit") > 40
    assert "auction" not in states


@pytest.mark.slow
def test_where_traders_look_once_a_minute_it_stands_still_for_about_a_third_of_the_time():
    traders = ["market_maker", {"kind": "informed", "count": 3}, "fat_finger"]
    shares = [result.market_numbers["halted_share"] for result in luld_runs(30, traders=traders)]
    assert 0.28 < fmean(shares) < 0.39


def test_every_method_that_the_docs_name_is_there():
    page = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md"))
    named = re.findall(r"`([A-Z]\w+)\.(\w+)(?:\(.*?\))?`", page)
    assert all(hasattr(sl, name) for name in sl.__all__)  # each is imported when it is asked for
    modules = [module for name, module in sys.modules.items() if name.startswith("streamlet_lab")]
    classes = {cls for module in modules for cls in vars(module).values() if isinstance(cls, type)}
    ours = [cls for cls in classes if cls.__module__.startswith("streamlet_lab")]
    members = {
        (cls.__name__, name)
        for cls in ours
        for name in chain(dir(cls), *(get_annotations(base) for base in cls.__mro__))
    }
    assert len(named) > 30
    assert [pair for pair in named if pair not in members] == []


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


LINK = r"(!?)\[([^\]]*)\]\(([^)]+)\)"


def test_as_packaged_it_describes_its_pictures_and_names_its_pages():
    packaged = standalone(README)
    pictures = [words for mark, words, _ in re.findall(LINK, README) if mark]
    assert len(pictures) > 3
    assert re.findall(LINK, packaged) == []
    assert [words in packaged for words in pictures] == [True] * len(pictures)
    assert "\n[docs/bench.md](docs/bench.md) has" in README
    assert "\ndocs/bench.md has" in packaged
    assert "The glossary (docs/glossary.md) has" in packaged


def test_as_packaged_it_links_to_the_repository_where_there_is_one():
    text = "![a b](docs/a.png) and [c](d.md#e), [f](https://g.example/h), [i](#j)"
    assert standalone(text, "https://k.example/l/") == (
        "![a b](https://k.example/l/raw/HEAD/docs/a.png) and "
        "[c](https://k.example/l/blob/HEAD/d.md#e), [f](https://g.example/h), [i](#j)"
    )
