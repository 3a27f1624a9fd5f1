"""Charts as files: named, whole, and the same bytes for the same result."""

import os
import struct
import subprocess
import sys

import matplotlib as mpl
import pytest

from streamlet_lab import Experiment, run_protocol
from streamlet_lab.charts import save_charts, to_png
from streamlet_lab.charts.plots import PAGES

from .runs import run

NAMES = ["prices", "vwap", "latency", "rejections"]
SCRIPT = """
import sys
from streamlet_lab import Experiment
from streamlet_lab.charts import save_charts
save_charts(Experiment(epochs=20, faults={"node_3": "crash@5"}).run(), sys.argv[1])
"""


def chunks(content):
    """The names of a PNG file's chunks."""
    position, names = 8, []
    while position < len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        names.append(name.decode())
        position += length + 12
    return names


def read(paths):
    return [path.read_bytes() for path in paths]


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (lambda: run("default"), NAMES),
        (
            lambda: run("two symbols"),
            [*NAMES, *(f"{name}_MSFT" for name in NAMES if name != "latency")],
        ),
        (lambda: run_protocol(epochs=3), ["protocol"]),
    ],
)
def test_charts_are_written_into_a_new_folder_without_a_date_or_a_version(made, names, tmp_path):
    folder = tmp_path / "new" / "charts"
    paths = save_charts(made(), folder)
    assert paths == [folder / f"{name}.png" for name in names]
    assert {*folder.iterdir()} == {*paths}
    for path in paths:
        assert set(chunks(path.read_bytes())) == {"IHDR", "pHYs", "IDAT", "IEND"}
        name, _, symbol = path.stem.partition("_")
        page, options = PAGES.get(name, PAGES["block_tree"]), {"symbol": symbol} if symbol else {}
        assert path.read_bytes() == to_png(page.make(made(), 150, **options))


def test_the_users_own_settings_do_not_matter(tmp_path):
    plain = read(save_charts(run("default"), tmp_path / "plain"))
    with mpl.rc_context({"font.size": 20, "savefig.bbox": "tight", "path.simplify": False}):
        changed = read(save_charts(run("default"), tmp_path / "changed"))
    assert changed == plain


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path):
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / hash_seed)]
        subprocess.run(command, check=True, env=environment)
    here = save_charts(Experiment(epochs=20, faults={"node_3": "crash@5"}).run(), tmp_path / "here")
    for path in here:
        first, second = (tmp_path / seed / path.name for seed in ("1", "2"))
        assert path.read_bytes() == first.read_bytes() == second.read_bytes()
