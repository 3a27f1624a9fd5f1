"""The description's demos as text and as documents: what the command line prints."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

import pandas as pd

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import VerifiedBlock
from streamlet_lab.description import StockMarketConsensusNetwork
from streamlet_lab.matching import ConsensusMatchingEngine, Order, Rejected
from streamlet_lab.prices import MalformedPayload, PriceConsensus, decode_claims
from streamlet_lab.result import Result
from streamlet_lab.simulator import Progress, ProgressReport
from streamlet_lab.units import MONEY, format_price, from_ticks, round_price

_Record = dict[str, Any]

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
        *_flat(_epochs(result)),
        *_finalized_heading(result),
        *_flat(_finalized_prices(result)),
    ]
    return Demo(lines, _consensus_document(result))


def consensus_trading(config: ExperimentConfig, progress: Progress | None = None) -> Demo:
    """Trade against the finalized price: 2 % below, 2 % above, and 20 % above."""
    network = StockMarketConsensusNetwork(config)
    if progress is not None:
        network.monitors.append(ProgressReport(progress, config.epochs))
    network.run(config.epochs)
    lines = banner("CONSENSUS-BASED TRADING DEMO", "Streamlet Protocol + Trading Integration")
    if len(config.symbols) > 1:
        lines += [f"Trading {network.symbol}, the first of {', '.join(config.symbols)}", ""]
    engine = ConsensusMatchingEngine(network.symbol, network)
    consensus = engine.get_latest_consensus_price()
    document: dict[str, Any] = {
        "config": config.to_document(),
        "symbol": network.symbol,
        "consensus_price": None if consensus is None else str(consensus),
        "orders": [],
    }
    if consensus is None:
        lines.append(f"No consensus price was finalized in {config.epochs} epochs: no trading")
        return Demo(lines, document)
    buy, sell, extreme = (
        Order.limit(
            name, network.symbol, side, _SHARES, round_price(MONEY.multiply(consensus, factor))
        )
        for name, side, factor in _ORDERS
    )
    lines += [
        f"Current consensus price: {format_price(consensus)}",
        "",
        "Creating orders:",
        f"Buy order: {_SHARES} shares at {_limit(buy)}",
        f"Sell order: {_SHARES} shares at {_limit(sell)}",
    ]
    for order in (buy, sell):
        name, limit = order.order_id, _limit(order)
        trades = engine.process_order(order)
        document["orders"].append(_order_document(order, engine))
        lines += [
            "",
            f"Processing {name} order...",
            f"Processing order at {limit} (consensus: {format_price(consensus)})",
            f"{name.capitalize()} order trades: {len(trades)}",
        ]
    trades = engine.process_order(extreme)
    document["orders"].append(_order_document(extreme, engine))
    lines += [
        "",
        "Testing price deviation validation...",
        f"Attempting trade at {_limit(extreme)} (20% above consensus)...",
        *(event.message for event in engine.events if isinstance(event, Rejected)),
        f"Extreme price trades: {len(trades)} (should be 0 due to validation)",
    ]
    return Demo(lines, document)


def streamlet(run: Result) -> Demo:
    """Show the bare protocol: leader, proposal, votes, notarization, finalization by epoch."""
    config = run.config
    lines = banner("STREAMLET DEMO", "Bare protocol, opaque payloads")
    lines += [
        f"{config.nodes} nodes, quorum {config.votes_needed}, {config.epochs} epochs",
        "",
    ]
    records = _records(run.epochs)
    for row in records:
        lines += [*_protocol_lines(row), ""]
    final = [row["epoch"] for row in records if row["finalized_s"] is not None]
    lines.append("Finalized epochs: " + (", ".join(map(str, final)) or "none yet"))
    document = {"config": config.to_document(), "epochs": records, "finalized_epochs": final}
    return Demo(lines, document)


def verified(block: VerifiedBlock) -> list[str]:
    """Say what a finality proof has proven."""
    lines = [
        f"Final: epoch {block.epoch}, height {block.height}, block {block.block_hash.hex()}",
    ]
    try:
        claims = decode_claims(block.payload)
    except MalformedPayload:
        return [*lines, f"Payload: {block.payload!r}"]
    for claim in claims:
        if isinstance(claim, PriceConsensus):
            lines += [
                f"{claim.symbol} consensus price: {format_price(claim.consensus_price)}",
                f"{claim.symbol} VWAP: {format_price(claim.volume_weighted_price)}",
            ]
    return lines


def whole_system(result: Result) -> Demo:
    """Show the main job, from quotes to trades, shortened to what fits a few screens."""
    symbols = ", ".join(result.config.symbols)
    lines = [
        *banner("STREAMLET LAB", f"{symbols}: quotes, consensus, finality, trades"),
        *_flat(_shortened(_epochs(result))),
        *_finalized_heading(result),
        *_flat(_shortened(_finalized_prices(result))),
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


def _finalized_heading(result: Result) -> list[str]:
    if not _finalized(result):
        return ["Finalized Consensus Prices: none yet"]
    return ["Finalized Consensus Prices (Immutable):"]


def _finalized_prices(result: Result) -> list[list[str]]:
    """Return a line for each final block with a price, or with several of them by their symbols."""
    prices: dict[str, list[str]] = {}
    for row in _finalized(result):
        of_symbol = f"{row['symbol']} " if len(result.config.symbols) > 1 else ""
        price = f"{of_symbol}{_cents(row['consensus_cents'])}"
        prices.setdefault(row["block_hash"], []).append(price)
    return [
        [f"  Finalized {number}: {', '.join(agreed)} (Block: {block[:8]}...)"]
        for number, (block, agreed) in enumerate(prices.items(), start=1)
    ]


def _order_lines(result: Result) -> list[str]:
    """Return the first trades, and the first rejections, in the words of the trading demo."""
    several = len(result.config.symbols) > 1
    agreed = {*result.bands["reference_kind"]} <= {"", "consensus"}
    what, since = ("consensus", "final since") if agreed else ("reference", "known for")

    def of(row: _Record) -> str:
        return f" of {row['symbol']}" if several else ""

    traded = (
        f"  {row['time_s']:.3f} s: {row['quantity']} shares{of(row)} at ${row['price']:,.2f}, "
        f"{row['buy_order_id']} buys from {row['sell_order_id']}"
        for row in _records(result.trades)
    )
    rejected = (
        f"  {row['time_s']:.3f} s: Trade{of(row)} rejected: Price ${row['price']:,.2f} deviates "
        f"{row['deviation_percent']:.2f}% from {what} ${row['reference_price']:,.2f}, "
        f"{since} {row['reference_age_s']:.3f} s"
        for row in _records(result.rejections)
        if row["reason"] == "outside_band" and row["action"] == "rejected"
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


def _order_document(order: Order, engine: ConsensusMatchingEngine) -> dict[str, Any]:
    last = engine.events[-1]
    rejection = last if isinstance(last, Rejected) else None
    return {
        "side": str(order.side),
        "quantity": order.quantity,
        "price": str(order.price),
        "accepted": rejection is None,
        "trades": sum(
            order.order_id in (trade.buy_order_id, trade.sell_order_id) for trade in engine.trades
        ),
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
    plain = frame.astype(object).where(frame.notna(), None)
    columns = [str(name) for name in frame.columns]
    return [dict(zip(columns, row, strict=True)) for row in plain.itertuples(index=False)]


def _flat(groups: Iterable[list[str]]) -> list[str]:
    return [line for group in groups for line in group]


def _shortened(groups: Sequence[list[str]]) -> list[list[str]]:
    """Keep the first three and the last two groups, and say that some are left out."""
    if len(groups) <= 6:
        return list(groups)
    return [*groups[:3], ["..."], *groups[-2:]]


def _limit(order: Order) -> str:
    assert order.price is not None
    return format_price(order.price)


def _cents(cents: int) -> str:
    return format_price(from_ticks(cents))
