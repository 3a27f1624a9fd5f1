"""Two results are compared row by row: what differs is there, and nothing else."""

import pytest

from streamlet_lab import Experiment, InvalidInput, Result, run_protocol
from streamlet_lab.columns import COLUMNS
from streamlet_lab.comparison import KEYS

SETTINGS = {"epochs": 12, "seed": 5}


@pytest.fixture(scope="module")
def one():
    return Experiment(**SETTINGS).run()


def _rows(result, name):
    """Return the rows of a frame by their keys, as Python has them."""
    rows = {}
    for row in result.frames[name].astype(object).to_dict("records"):
        rows.setdefault(tuple(row[key] for key in KEYS[name]), []).append(
            {column: None if cell != cell or cell is None else cell for column, cell in row.items()}
        )
    return rows


def test_a_loaded_result_differs_in_nothing(one, tmp_path):
    one.save(tmp_path / "one.zip")
    found = one.compare(Result.load(tmp_path / "one.zip"))

    assert found.equal
    assert dict(found.frames) == {}
    assert "no setting, check or row" in repr(found)


@pytest.mark.parametrize(
    "changed",
    [
        {"market": {"band_percent": 2}},
        {"market": {"traders": [{"kind": "momentum", "count": 3}]}},
        {"epochs": 14, "faults": {"node_3": "equivocate@2"}},
        {"seed": 6},
    ],
)
def test_exactly_the_rows_that_differ_are_there(one, changed):
    other = Experiment(**SETTINGS | changed).run()
    found = one.compare(other)

    assert not found.equal
    for name in COLUMNS:
        mine, others = _rows(one, name), _rows(other, name)
        differing = {key for key in {*mine, *others} if mine.get(key) != others.get(key)}
        frame = found.frames.get(name)
        index = [] if frame is None else frame.reset_index()
        assert differing == {
            tuple(index[key].iloc[row] for key in KEYS[name]) for row in range(len(index))
        }, name
        if frame is not None:
            for column in frame.columns.unique(0):
                cells = frame[column].astype(object).where(frame[column].notna(), None)
                assert any(a != b for a, b in cells.itertuples(index=False)), (name, column)


def test_the_text_names_settings_with_both_values_and_counts_rows(one):
    found = one.compare(Experiment(**SETTINGS, quorum=4, market={"band_percent": 2}).run())

    assert "market.band_percent: 5 and 2; quorum: not set and 4" in repr(found)
    assert [*found.frames["settings"].loc["quorum"]] == ["not set", 4]
    orders = f"{len(found.frames['orders'])} of {found.rows['orders']} rows (AAPL "
    assert orders in repr(found)
    assert orders in found._repr_html_()
    assert found.rows["orders"] == len(one.orders)


def test_what_cannot_be_compared_is_refused(one):
    with pytest.raises(InvalidInput, match=r"^other: .*a result, such as"):
        one.compare(one.config)
    with pytest.raises(InvalidInput, match="both of the whole system, or of the bare protocol"):
        one.compare(run_protocol(epochs=12))
    with pytest.raises(InvalidInput, match="'all'"):
        one.compare(Experiment(**SETTINGS, record="summary").run())


def test_every_frame_has_keys():
    assert {*KEYS} - {"settings", "checks"} == {*COLUMNS}
    assert all({*KEYS[name]} <= {*columns} for name, columns in COLUMNS.items())
