"""A result as a film: what a browser plays, as a header of plain data and columns of bytes.

Everything comes from the frames and the summary of the result, so that a loaded one can be played
too. In the tables a node is its place in ``names``, and a block its row in ``blocks``, where the
first is genesis; -1 is none, or a block that no leader proposed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from streamlet_lab.config import OBSERVER
from streamlet_lab.frames import columns_of
from streamlet_lab.result import Result
from streamlet_lab.units import MICROSECONDS_PER_SECOND, to_seconds
from streamlet_lab.widgets.film_header import describe_run

#: The version of the format; a browser that reads another says so.
VERSION: Final = 1
#: A film with more arrivals of messages than these leaves them out.
MOST_ARRIVALS: Final = 400_000

_TYPES: Final = {"f8": "f64", "i4": "i32", "u2": "u16", "u1": "u8"}
_MOST: Final = 2**31 - 1

_Array = np.ndarray[Any, np.dtype[Any]]
#: Columns by name: of a result, where a loaded one has frames; or of a film, where numbers are in
#: arrays, and texts in lists.
_Columns = Mapping[str, Any]
_Table = dict[str, Any]


@dataclass(frozen=True)
class Film:
    """What a browser plays.

    Attributes
    ----------
    header : dict
        Plain data: what was run, its numbers, and for each column its type, the place of its bytes
        among the buffers and, of texts, those that its values are places in.
    buffers : list of bytes
        The columns, little-endian. A missing float is NaN, a missing integer -1.
    """

    header: dict[str, Any]
    buffers: list[bytes]


def make_film(result: Result) -> Film:
    """Return a result as a film; of several symbols the first is shown.

    Raises
    ------
    InvalidInput
        If the run was recorded as a summary, without frames.
    """
    frames = columns_of(result.frames)
    places = _Places.of(result, frames["blocks"])
    known, epochs = _known(frames["finality"], places), _epochs(result, frames["epochs"], places)
    has_trace = _is_playable(result, frames)
    arrivals = _arrivals(frames["trace"] if has_trace else {}, places)
    tables = {
        "blocks": _blocks(frames, places, known, epochs),
        "known": known,
        "epochs": epochs,
        "arrivals": arrivals,
        "votes": _votes(arrivals, len(places.names)),
    }
    if result.has_market:
        tables |= _market(result, frames, epochs)
    header = {
        "version": VERSION,
        **describe_run(result),
        "names": list(places.names),
        "has_trace": has_trace,
    }
    return _pack(header, tables)


class _Place(dict[str, int]):
    """Where a text is among others; -1 is nowhere."""

    def __missing__(self, text: str) -> int:
        return -1

    @classmethod
    def among(cls, texts: Iterable[str]) -> "_Place":
        return cls((text, place) for place, text in enumerate(texts))

    def of(self, texts: Any) -> _Array:
        """Return the place of each text."""
        return np.fromiter(map(self.__getitem__, texts), "i4", len(texts))


class _Places(NamedTuple):
    """Where a name is among the names, and the block of a hash among the blocks."""

    names: _Place
    blocks: _Place

    @classmethod
    def of(cls, result: Result, blocks: _Columns) -> "_Places":
        lowest = np.flatnonzero(np.asarray(blocks["height"]) == 1)[:1]
        # Nobody names genesis where nobody proposed anything.
        genesis = [*np.asarray(blocks["parent_hash"])[lowest]] or ["genesis"]
        names = (*result.config.node_ids, OBSERVER)
        return cls(_Place.among(names), _Place.among([*genesis, *blocks["block_hash"]]))


def _blocks(
    frames: Mapping[str, _Columns], places: _Places, known: _Table, epochs: _Table
) -> _Table:
    """Return genesis and every block that a leader proposed, with what the observer knew when.

    What a block says beyond its price is known of one block of each epoch.
    """
    blocks, count = frames["blocks"], len(places.blocks)
    table: _Table = {
        "epoch": _after(-1, _whole(blocks["epoch"])),
        "height": _after(0, _whole(blocks["height"])),
        "parent": _after(-1, places.blocks.of(blocks["parent_hash"])),
        "proposer": _after(-1, places.names.of(blocks["proposer"])),
        "proposed_s": _after(0.0, np.asarray(blocks["proposed_s"])),
        "votes": _after(-1, _whole(blocks["votes"])),
        "hash8": [block_hash[:8] for block_hash in places.blocks],
    }
    seen = known["node"] == places.names[OBSERVER]
    for name in ("notarized_s", "finalized_s"):
        times = np.full(count, np.nan)
        times[known["block"][seen]] = known[name][seen]
        times[0] = 0.0
        table[name] = times
    price, vwap, sources = np.full(count, np.nan), np.full(count, np.nan), np.full(count, -1)
    claims, reasons = [""] * count, [""] * count
    if "claim" in blocks:
        price[1:], said = blocks["consensus_price"], frames["epochs"]
        claims[1:], reasons[1:] = blocks["claim"], blocks["reason"]
        has_block = epochs["block"] >= 0
        of_epoch = epochs["block"][has_block]
        vwap[of_epoch] = epochs["vwap"][has_block]
        sources[of_epoch] = _whole(said["price_count"])[has_block]
        for place, reason in zip(epochs["block"].tolist(), said["reason"], strict=True):
            if place >= 0:
                reasons[place] = reason
    texts = {"claim": claims, "reason": reasons}
    return table | texts | {"price": price, "vwap": vwap, "price_count": _small(sources)}


def _known(finality: _Columns, places: _Places) -> _Table:
    """Return when each node saw which block notarized and final, in the order of the former."""
    return {
        "node": _small(places.names.of(finality["node"])),
        "block": places.blocks.of(finality["block_hash"]),
        **_floats(finality, "notarized_s", "finalized_s"),
    }


def _epochs(result: Result, epochs: _Columns, places: _Places) -> _Table:
    numbers = _whole(epochs["epoch"])
    missing = np.full(len(numbers), np.nan)
    said = {"true_price": "true_price", "price": "consensus_price", "vwap": "vwap"}
    return {
        "epoch": numbers,
        "start_s": numbers.astype("i8") * result.config.epoch_length / MICROSECONDS_PER_SECOND,
        "leader": _small(places.names.of(epochs["leader"])),
        "block": places.blocks.of(epochs["block_hash"]),
        **{
            name: np.asarray(epochs[column]) if result.has_market else missing
            for name, column in said.items()
        },
        **_floats(epochs, "finalized_s", "latency_s"),
    }


def _is_playable(result: Result, frames: Mapping[str, _Columns]) -> bool:
    """Whether arrivals were traced, and are not too many."""
    if not result.config.trace:
        return False
    # Without the trace itself, which takes long to read where it is too long.
    received = int(np.sum(frames["messages"]["received"]))
    return received <= MOST_ARRIVALS and len(frames["trace"]["epoch"]) <= MOST_ARRIVALS


def _arrivals(trace: _Columns, places: _Places) -> _Table:
    """Return each first arrival of a message at a node, in the order of arrival."""
    table: _Table = {
        "kind": _small(_Place(proposal=0, vote=1).of(trace.get("kind", ()))),
        "block": places.blocks.of(trace.get("block_hash", ())),
    }
    for name in ("author", "sender", "receiver"):
        table[name] = _small(places.names.of(trace.get(name, ())))
    for name in ("sent_s", "received_s"):
        table[name] = np.asarray(trace.get(name, ()), "f8")
    return table


def _votes(arrivals: _Table, nodes: int) -> _Table:
    """Return each vote that arrived somewhere, once, in the order of sending.

    No copy of it leaves before the voter's own.
    """
    rows = np.flatnonzero(arrivals["kind"] == 1)
    blocks, voters = arrivals["block"][rows], arrivals["author"][rows]
    sent = arrivals["sent_s"][rows]
    order = np.lexsort((sent, voters, blocks))
    votes = (blocks[order] + 1).astype("i8") * nodes + voters[order]
    first = order[np.diff(votes, prepend=-1) != 0]
    first = first[np.argsort(sent[first], kind="stable")]
    return {"block": blocks[first], "voter": voters[first], "sent_s": sent[first]}


def _market(result: Result, frames: Mapping[str, _Columns], epochs: _Table) -> dict[str, _Table]:
    """Return the path of the first symbol, its band, orders, trades and rejections."""
    of_symbol = _only_of(result)
    orders, trades, rejections, bands = (
        of_symbol(frames[name]) for name in ("orders", "trades", "rejections", "bands")
    )
    return {
        "path": _path(epochs, orders, trades, rejections),
        "band": _band(bands, to_seconds(result.config.epochs * result.config.epoch_length)),
        "orders": _orders(orders, epochs["block"]),
        "trades": {
            **_floats(trades, "time_s", "price"),
            "quantity": _whole(trades["quantity"]),
            "fair": np.asarray(trades["fair"], "u1"),
        },
        "rejections": _rejections(rejections, orders),
    }


def _only_of(result: Result) -> Callable[[_Columns], _Columns]:
    """Return what leaves only the rows of the first symbol."""

    def rows_of(columns: _Columns) -> _Columns:
        chosen = np.asarray(columns["symbol"]) == result.symbol
        return {name: columns[name][chosen] for name in columns}

    # There is nothing to leave out where there is one symbol.
    return rows_of if len(result.config.symbols) > 1 else lambda columns: columns


def _path(epochs: _Table, *frames: _Columns) -> _Table:
    """Return the true price wherever these frames know it, in the order of time."""
    times = np.concatenate([epochs["start_s"], *(frame["time_s"] for frame in frames)])
    prices = np.concatenate([epochs["true_price"], *(frame["true_price"] for frame in frames)])
    known, first = np.unique(times, return_index=True)
    return {"time_s": known, "true_price": prices[first]}


def _band(bands: _Columns, end_s: float) -> _Table:
    """Return the band as steps, one for an instant: from 0 on, when there is none, to the end."""
    times = np.concatenate([[0.0], bands["time_s"], [end_s]])
    rows = np.arange(len(times))
    rows[-1] -= 1  # what is in force at the end
    last = np.append(np.diff(times) > 0, True)
    table: _Table = {"time_s": times[last]}
    for name, column in {"reference": "reference_price", "low": "low", "high": "high"}.items():
        table[name] = np.append(np.nan, bands[column])[rows[last]]
    states = ["open", *bands["state"]]
    return table | {"state": [states[row] for row in rows[last]]}


def _orders(orders: _Columns, blocks: _Array) -> _Table:
    epochs = _whole(orders["reference_epoch"])
    return {
        **_floats(orders, "time_s", "price", "true_price", "reference_age_s"),
        "reference": np.asarray(orders["reference_price"]),
        "reference_block": np.where(epochs < 0, -1, blocks[epochs]),
        "side": _small(_Place(buy=0, sell=1).of(orders["side"])),
        "quantity": _whole(orders["quantity"]),
        "fair": np.asarray(orders["fair"], "u1"),
        **{
            name: list(orders[name])
            for name in ("status", "reason", "intent", "kind", "trader", "order_id")
        },
    }


def _rejections(rejections: _Columns, orders: _Columns) -> _Table:
    """Return each time that an order was stopped, with the row of the order.

    An id may be sent again after it was refused; one order alone was accepted under it.
    """
    accepted, refused = {}, {}
    cells = zip(orders["order_id"], orders["time_s"], orders["status"], strict=True)
    for row, (order_id, time_s, status) in enumerate(cells):
        if status == "rejected":
            refused[order_id, time_s] = row
        else:
            accepted[order_id] = row
    cells = zip(rejections["order_id"], rejections["time_s"], rejections["action"], strict=True)
    rows = [
        refused[order_id, time_s] if action == "rejected" else accepted[order_id]
        for order_id, time_s, action in cells
    ]
    return {
        "order": np.array(rows, "i4"),
        **_floats(rejections, "time_s", "price", "deviation_percent", "reference_age_s"),
        "reference": np.asarray(rejections["reference_price"]),
        **{name: list(rejections[name]) for name in ("action", "stopped", "reason", "verdict")},
    }


def _pack(header: dict[str, Any], tables: Mapping[str, _Table]) -> Film:
    """Return the film of these tables."""
    buffers: list[bytes] = []
    header["tables"] = described = {}
    for name, table in tables.items():
        columns = {each: _add(buffers, values) for each, values in table.items()}
        described[name] = {"rows": len(next(iter(table.values()))), "columns": columns}
    return Film(header, buffers)


def _add(buffers: list[bytes], values: Any) -> dict[str, Any]:
    """Add a column to the buffers, and return what the header says of it."""
    texts = {}
    if isinstance(values, list):
        known = _Place.among(dict.fromkeys(values))
        values, texts = _small(known.of(values)), {"texts": list(known)}
    buffers.append(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    return {"type": _TYPES[values.dtype.str[1:]], "buffer": len(buffers) - 1, **texts}


def _floats(columns: _Columns, *names: str) -> _Table:
    return {name: np.asarray(columns[name], "f8") for name in names}


def _whole(numbers: Any) -> _Array:
    """Return whole numbers, -1 for what is missing; a liar's may be beyond all bounds."""
    if str(numbers.dtype) == "Int64":  # of a frame
        numbers = numbers.fillna(-1).astype("int64")
    if numbers.dtype == object:
        numbers = [-1 if number is None else number for number in numbers]
    whole: _Array = np.clip(np.asarray(numbers, "i8"), -1, _MOST).astype("i4")
    return whole


def _small(numbers: _Array) -> _Array:
    """Return whole numbers in as few bytes as they fit in."""
    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0, 0)
    if low < 0 or high > 0xFFFF:
        return numbers.astype("i4")
    return numbers.astype("u1" if high <= 0xFF else "u2")


def _after(genesis: float, others: _Array) -> _Array:
    """Return a column of the blocks, with genesis before the others."""
    return np.concatenate([np.array([genesis], others.dtype), others])
