"""The block chart of the bare protocol: which blocks become final?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from streamlet_lab.charts import style
from streamlet_lab.charts.layout import head, legend_below, mark_along_bottom, mark_size


def draw_protocol(axes: Axes, epochs: pd.DataFrame) -> None:
    """Draw every block at its epoch and height, with a line to its parent.

    Parameters
    ----------
    axes : Axes
        Drawn on, from empty.
    epochs : DataFrame
        See :data:`~streamlet_lab.columns.PROTOCOL_COLUMNS`.
    """
    blocks = epochs[epochs["height"].notna()]
    size = mark_size(len(epochs))
    final, notarized = blocks["finalized_s"].notna(), blocks["notarized_s"].notna()
    parents = np.column_stack([blocks["parent_epoch"], blocks["height"] - 1])
    ends = np.column_stack([blocks["epoch"], blocks["height"]])
    axes.add_collection(LineCollection(list(np.stack([parents, ends], axis=1)), **style.PARENT))
    axes.plot(-1, 0, label="genesis", **style.GENESIS)
    for name, group, look in (
        ("final", blocks[final], style.FINAL),
        ("notarized", blocks[notarized & ~final], style.NOTARIZED),
        ("proposed", blocks[~notarized], style.PROPOSED),
    ):
        label = f"{name} ({len(group)})"
        axes.plot(group["epoch"], group["height"], label=label, markersize=size, **look)
    silent = epochs["epoch"][epochs["height"].isna()]
    mark_along_bottom(axes, silent, "no proposal", style.MISSING)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Epoch")
    axes.set_ylabel("Height (blocks above genesis)")
    legend_below(axes)
    answer = f"{final.sum()} of {len(blocks)} proposed blocks are final after {len(epochs)} epochs"
    head(axes, "Which blocks become final?", answer)
