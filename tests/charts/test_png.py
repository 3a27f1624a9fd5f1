"""Charts as files: named, whole, and the same bytes for the same result."""

import os
import struct
import subprocess
import sys

import matplotlib as mpl
import pytest

from streamlet_lab import Experiment
from streamlet_lab.charts import save_charts, save_protocol_chart

from .runs import run

NAMES = ["prices.png", "vwap.png", "latency.png", "rejections.png"]
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


def test_four_charts_are_written_into_a_new_folder(tmp_path):
    folder = tmp_path / "new" / "charts"
    paths = save_charts(run("default"), folder)
    assert paths == [folder / name for name in NAMES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)


def test_no_chart_carries_a_date_or_a_version(tmp_path):
    paths = save_protocol_chart(run("default"), tmp_path)
    assert paths == [tmp_path / "protocol.png"]
    for content in read([*paths, *save_charts(run("default"), tmp_path)]):
        assert set(chunks(content)) == {"IHDR", "pHYs", "IDAT", "IEND"}


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
