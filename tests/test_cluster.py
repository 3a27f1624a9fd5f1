"""A sweep on a cluster of Dask's, as it is."""

import pandas as pd
import pytest

from streamlet_lab import sweep

distributed = pytest.importorskip("distributed")
BASE = {"epochs": 4, "market.traders": 0, "signatures": "none"}


def test_a_local_cluster_of_two_workers_gives_the_same_frame():
    over = {"nodes": [4, 5]}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = sweep(BASE, over, repeats=2, executor=client.get_executor())
    pd.testing.assert_frame_equal(there.frame, sweep(BASE, over, repeats=2).frame)
