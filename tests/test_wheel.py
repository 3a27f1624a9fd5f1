"""The wheel, unpacked somewhere else, is a whole lab: the package, its data and its notebooks."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import streamlet_lab as sl

ROOT = Path(__file__).resolve().parents[1]

# Without `site` no .pth file is read, so that the editable install of the checkout is not seen.
ASK = """
import sys
sys.path[:0] = sys.argv[1:]
import streamlet_lab
from streamlet_lab.prices.daily_history import data_directory, load_bars
print(streamlet_lab.__file__)
print(data_directory())
print(len(load_bars("AAPL", 2012)), load_bars("AAPL", 2012)[0].close)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The wheel's content in a folder of its own."""
    built = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(built)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    place = tmp_path_factory.mktemp("elsewhere").resolve()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


@pytest.mark.slow
def test_the_wheel_works_elsewhere(unpacked):
    third_party = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, str(unpacked), *third_party],
        cwd=unpacked,
        check=True,
        capture_output=True,
        text=True,
    )
    package, data, bars = answer.stdout.splitlines()

    assert Path(package) == unpacked / "streamlet_lab" / "__init__.py"
    assert Path(data) == unpacked / "streamlet_lab" / "data"
    assert bars == "250 411.23"


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "files"), [("data", "*"), ("notebooks", "*.ipynb")])
def test_the_wheel_carries_the_data_with_their_provenance_and_the_notebooks(
    unpacked, folder, files
):
    shipped = {file.name: file.read_bytes() for file in (ROOT / folder).glob(files)}
    carried = unpacked / "streamlet_lab" / folder

    assert {file.name: file.read_bytes() for file in carried.iterdir()} == shipped


@pytest.mark.slow
def test_the_wheel_has_its_version_and_a_readme(unpacked):
    (metadata,) = (file.read_text("utf-8") for file in unpacked.glob("*.dist-info/METADATA"))

    assert f"\nVersion: {sl.__version__}\n" in metadata
    assert "\n# streamlet_lab\n" in metadata


@pytest.mark.slow
def test_the_wheel_holds_nothing_but_the_package_and_its_metadata(unpacked):
    package, metadata = sorted(place.name for place in unpacked.iterdir())

    assert package == "streamlet_lab"
    assert metadata.endswith(".dist-info")
