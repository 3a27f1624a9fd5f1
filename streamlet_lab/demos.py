"""The description's demos as text and as documents: what the command line prints."""

from decimal import Decimal
from itertools import chain, islice
from typing import Any, Final, NamedTuple, TypeVar

import pandas as pd

from streamlet_lab.matching import ConsensusMatchingEngine, Order, Reference, Rejected, Traded
from streamlet_lab.result import Result
from streamlet_lab.simulator import make_engine
from streamlet_lab.units import (
    CENT,
    MONEY,
    format_deviation,
    format_price,
    from_ticks,
    round_price,
    to_decimal,
    to_microseconds,
)

_Record = dict[str, Any]
_Item = TypeVar("_Item")

_WIDTH: Final = 80
_SHARES: Final = 100
# Their names and sides, and their prices as multiples of the consensus.
_ORDERS: Final = (
    ("buy", "buy", Decimal("0.98")),
    ("sell", "sell", Decimal("1.02")),
    ("extreme", "buy", Decimal("1.20")),
)


class Demo(NamedTuple):
    """A finished demo: lines for people, and the same facts as a JSON-ready document."""

    lines: list[str]
    document: dict[str, Any]


def banner(title: str, subtitle: str) -> list[str]:
    """Return a demo's heading."""
    return ["=" * _WIDTH, title, subtitle, "=" * _WIDTH, ""]


def stock_consensus(result: Result) -> Demo:
    """Show each epoch's consensus and the finalized prices."""
    symbols, config = ", ".join(result.config.symbols), result.config
    lines = [
        *banner("STOCK MARKET CONSENSUS DEMO", f"Streamlet Protocol for {symbols} Price Consensus"),
        f"Creating {symbols} consensus network with {config.nodes} nodes...",
        "",
        f"Running consensus simulation for {config.epochs} epochs...",
        "",
        *chain.from_iterable(_epochs(result)),
        *_final_lines(result),
    ]
    return Demo(lines, _consensus_document(result))


def consensus_trading(result: Result) -> Demo:
    """Trade against the last finalized price: 2 % below, 2 % above, and 20 % above."""
    config, symbol = result.config, result.config.symbols[0]
    lines = banner("CONSENSUS-BASED TRADING DEMO", "Streamlet Protocol + Trading Integration")
    if len(config.symbols) > 1:
        lines += [f"Trading {symbol}, the first of {', '.join(config.symbols)}", ""]
    final = [row for row in _finalized(result) if row["symbol"] == symbol]
    document: dict[str, Any] = {"config": config.to_document(), "symbol": symbol}
    if not final:
        lines.append(f"No consensus price was finalized in {config.epochs} epochs: no trading")
        return Demo(lines, {**document, "consensus_price": None, "orders": []})
    consensus, engine = from_ticks(final[-1]["consensus_cents"]), make_engine(config, symbol)
    engine.set_reference(Reference(consensus, to_microseconds(final[-1]["finalized_s"])))
    buy, sell, extreme = orders = [_process(engine, consensus, *order) for order in _ORDERS]
    shown = format_price(consensus)
    lines += [
        f"Current consensus price: {shown}",
        "",
        "Creating orders:",
        f"Buy order: {_SHARES} shares at ${buy['price']}",
        f"Sell order: {_SHARES} shares at ${sell['price']}",
    ]
    for order in (buy, sell):
        lines += [
            "",
            f"Processing {order['side']} order...",
            f"Processing order at ${order['price']} (consensus: {shown})",
            *([] if order["accepted"] else [order["message"]]),
            f"{order['side'].capitalize()} order trades: {order['trades']}",
        ]
    lines += [
        "",
        "Testing price deviation validation...",
        f"Attempting trade at ${extreme['price']} (20% above consensus)...",
        *([] if extreme["accepted"] else [extreme["message"]]),
        f"Extreme price trades: {extreme['trades']} (should be 0 due to validation)",
    ]
    return Demo(lines, {**document, "consensus_price": str(consensus), "orders": orders})


def streamlet(run: Result) -> Demo:
    """Show the bare protocol: leader, proposal, votes, notarization, finalization by epoch."""
    config = run.config
    lines = banner("STREAMLET DEMO", "Bare protocol, opaque payloads")
    lines += [f"{config.nodes} nodes, quorum {config.votes_needed}, {config.epochs} epochs", ""]
    records = _records(run.epochs)
    for row in records:
        lines += [*_protocol_lines(row), ""]
    final = [row["epoch"] for row in records if row["finalized_s"] is not None]
    lines.append("Finalized epochs: " + (", ".join(map(str, final)) or "none yet"))
    document = {"config": config.to_document(), "epochs": records, "finalized_epochs": final}
    return Demo(lines, document)


def whole_system(result: Result) -> Demo:
    """Show the main job, from quotes to trades, as much as fits a few screens."""
    symbols = ", ".join(result.config.symbols)
    epochs = _shortened(_epochs(result), ["..."])
    lines = [
        *banner("STREAMLET LAB", f"{symbols}: quotes, consensus, finality, trades"),
        *chain.from_iterable(epochs),
        *_final_lines(result, shortened=True),
        "",
        *_order_lines(result),
        "",
        *banner("SUMMARY", "Safety, liveness, latency, rejections")[:-1],
        *repr(result).splitlines(),
    ]
    return Demo(lines, {**_consensus_document(result), "rejections": _records(result.rejections)})


def _epochs(result: Result) -> list[list[str]]:
    """Return the lines of each epoch: a block for each symbol, which is named among several."""
    groups: dict[int, list[str]] = {}
    for row in _records(result.prices):
        of_symbol = f", {row['symbol']}" if len(result.config.symbols) > 1 else ""
        lines = [f"Epoch {row['epoch']}{of_symbol}:"]
        if row["claim"] == "price_consensus":
            lines += [
                f"  Consensus Price: {_cents(row['consensus_cents'])}",
                f"  VWAP: {_cents(row['vwap_cents'])}",
                f"  Volume: {row['total_volume']:,}",
                f"  Sources: {row['price_count']}",
            ]
            if row["reason"]:
                lines.append(f"  Refused: {row['reason']}")
        else:
            lines.append(f"  No price: {row['reason']}")
        groups.setdefault(row["epoch"], []).extend([*lines, ""])
    return list(groups.values())


def _final_lines(result: Result, shortened: bool = False) -> list[str]:
    """Return a line for each final block with a price, or with several of them by their symbols."""
    prices: dict[str, list[str]] = {}
    for row in _finalized(result):
        of_symbol = f"{row['symbol']} " if len(result.config.symbols) > 1 else ""
        price = f"{of_symbol}{_cents(row['consensus_cents'])}"
        prices.setdefault(row["block_hash"], []).append(price)
    if not prices:
        return ["Finalized Consensus Prices: none yet"]
    lines = [
        f"  Finalized {number}: {', '.join(agreed)} (Block: {block[:8]}...)"
        for number, (block, agreed) in enumerate(prices.items(), start=1)
    ]
    shown = _shortened(lines, "...") if shortened else lines
    return ["Finalized Consensus Prices (Immutable):", *shown]


def _order_lines(result: Result) -> list[str]:
    """Return the first trades, and the first rejections, in the words of the trading demo."""
    several = len(result.config.symbols) > 1
    agreed = {*result.bands["reference_kind"]} <= {"", "consensus"}
    what, since = ("consensus", "final since") if agreed else ("reference", "known for")

    def of(row: _Record) -> str:
        return f" of {row['symbol']}" if several else ""

    traded = (
        f"  {row['time_s']:.3f} s: {row['quantity']} shares{of(row)} at {_dollars(row['price'])}, "
        f"{row['buy_order_id']} buys from {row['sell_order_id']}"
        for row in _records(result.trades)
    )
    rejected = (
        f"  {row['time_s']:.3f} s: Trade{of(row)} rejected: Price {_dollars(row['price'])} "
        f"deviates {_deviation(row, result.bands)} from {what} {_dollars(row['reference_price'])}, "
        f"{since} {row['reference_age_s']:.3f} s"
        for row in _records(result.rejections)
        if row["reason"] == "outside_band" and row["action"] == "rejected"
        if row["reference_price"] is not None
    )
    return [
        f"Trades: {len(result.trades)}",
        *islice(traded, 3),
        "Rejected outside the band:",
        *(list(islice(rejected, 3)) or ["  none"]),
    ]


def _protocol_lines(row: _Record) -> list[str]:
    lines = [f"Epoch {row['epoch']}: leader {row['leader']}"]
    if not row["block_hash"]:
        return [*lines, "  Proposal:  none"]
    parent = "genesis" if row["parent_epoch"] < 0 else f"the block of epoch {row['parent_epoch']}"
    lines += [
        f"  Proposal:  {row['block_hash'][:8]}... at height {row['height']}, on {parent}",
        f"  Votes:     {row['voters'] or 'none'}",
    ]
    for label, time in (("Notarized:", row["notarized_s"]), ("Finalized:", row["finalized_s"])):
        lines.append(f"  {label} " + ("not yet" if time is None else f"at {time:.3f} s"))
    return lines


def _consensus_document(result: Result) -> dict[str, Any]:
    return {
        "config": result.config.to_document(),
        "summary": result.summary,
        "epochs": _records(result.epochs),
        "prices": _records(result.prices),
        "finalized": [
            {
                "epoch": row["epoch"],
                "symbol": row["symbol"],
                "consensus_price": str(from_ticks(row["consensus_cents"])),
                "volume_weighted_price": str(from_ticks(row["vwap_cents"])),
                "block_hash": row["block_hash"],
            }
            for row in _finalized(result)
        ],
    }


def _process(
    engine: ConsensusMatchingEngine, consensus: Decimal, name: str, side: str, factor: Decimal
) -> _Record:
    """Submit an order at a multiple of the consensus, and return what became of it."""
    price = round_price(MONEY.multiply(consensus, factor))
    order = Order.limit(name, engine.symbol, side, _SHARES, price)
    events = engine.submit(order)
    rejection = next((event for event in events if isinstance(event, Rejected)), None)
    return {
        "side": side,
        "quantity": _SHARES,
        "price": str(price),
        "accepted": rejection is None,
        "trades": sum(isinstance(event, Traded) for event in events),
        "reason": rejection and str(rejection.reason),
        "message": rejection and rejection.message,
    }


def _finalized(result: Result) -> list[_Record]:
    return [
        row
        for row in _records(result.prices)
        if row["finalized_s"] is not None and row["claim"] == "price_consensus"
    ]


def _records(frame: pd.DataFrame) -> list[_Record]:
    """Return the rows as JSON-ready records; a missing value is null."""
    records: Any = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return list(records)


def _shortened(items: list[_Item], gap: _Item) -> list[_Item]:
    """Keep the first three and the last two, and say that some are left out."""
    return items if len(items) <= 6 else [*items[:3], gap, *items[-2:]]


def _cents(cents: int) -> str:
    return format_price(from_ticks(cents))


def _dollars(price: float) -> str:
    return format_price(to_decimal(price))


def _deviation(row: _Record, bands: pd.DataFrame) -> str:
    """Return how far from the reference a row's price was, which the band in force rejected."""
    known = (bands["symbol"] == row["symbol"]) & (bands["time_s"] <= row["time_s"])
    band = bands[known & (bands["reference_price"] == row["reference_price"])].iloc[-1]
    price, outside = row["price"], None  # a band may say no to what is between its limits
    if price > band["high"]:
        outside = to_decimal(band["high"]) + CENT
    elif price < band["low"]:
        outside = to_decimal(band["low"]) - CENT
    return format_deviation(to_decimal(price), to_decimal(row["reference_price"]), outside)
