"""Charts as PNG: the same bytes for the same result."""

import io
from pathlib import Path
from typing import Final

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from streamlet_lab.charts.figures import Page, Run, Shown, block_tree_page, pages_of
from streamlet_lab.charts.style import STYLE, WHITE
from streamlet_lab.files import write_atomically
from streamlet_lab.result import Result

_DPI: Final = 150


def save_charts(result: Result, directory: str | Path) -> list[Path]:
    """Write the four charts as PNG, and three more for each symbol after the first.

    Parameters
    ----------
    result : Result
    directory : path
        Made if it is not there; files of the same names are replaced.

    Returns
    -------
    list of Path
        ``prices.png``, ``vwap.png``, ``latency.png`` and ``rejections.png``; for a further symbol
        MSFT ``prices_MSFT.png``, ``vwap_MSFT.png`` and ``rejections_MSFT.png``.
    """
    pages = pages_of(result.config.symbols)
    return [_save(page, result, Path(directory) / f"{name}.png") for name, page in pages.items()]


def save_protocol_chart(run: Run, directory: str | Path) -> list[Path]:
    """Write the block tree of a run as PNG.

    Parameters
    ----------
    run : ProtocolRun or Result
    directory : path
        Made if it is not there.

    Returns
    -------
    list of Path
        ``protocol.png``.
    """
    return [_save(block_tree_page(), run, Path(directory) / "protocol.png")]


def to_png(figure: Figure, compress_level: int = 6) -> bytes:
    """Return a figure as PNG: drawn by Agg in the charts' style, and free of versions and dates.

    Parameters
    ----------
    figure : Figure
    compress_level : int
        From 1, fastest, to 9, smallest.
    """
    buffer = io.BytesIO()
    with matplotlib.style.context(STYLE, after_reset=True):
        # ``savefig`` would draw everything twice.
        FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
            buffer, metadata={"Software": None}, pil_kwargs={"compress_level": compress_level}
        )
    return buffer.getvalue()


def _save(page: Page[Shown], shown: Shown, path: Path) -> Path:
    figure = Figure(figsize=page.size, dpi=_DPI, facecolor=WHITE)
    page.put_on(figure, shown)
    write_atomically(path, to_png(figure))
    return path
