"""The rows of every frame: their fields are its columns, with type, unit and meaning.

Prices come as float dollars for looking and as integers for exactness; times are seconds of
protocol time. What is None in a row is missing in the frame: an empty float is NaN.
"""

from types import NoneType
from typing import Annotated, Final, NamedTuple, get_args, get_type_hints

from streamlet_lab.values import Number, Whole


class Column(NamedTuple):
    """What a column holds. The type ``Int64`` is an integer that may be missing.

    What is allowed is a range of numbers, or the texts that there are; None is anything.
    """

    dtype: str
    meaning: str
    optional: bool
    allowed: Number | Whole | tuple[str, ...] | None = None


_COUNT: Final = Whole(0)
_TIME: Final = Number(0)

_Epoch = Annotated[int, "epoch, from 0", _COUNT]
_Time = Annotated[float, "seconds of protocol time", _TIME]
_Hash = Annotated[str, "hash of the block, hexadecimal; empty if there is none"]
_Parent = Annotated[str, "hash of the parent, hexadecimal"]
_Height = Annotated[int, "blocks below it; genesis has 0", _COUNT]
_Node = Annotated[str, "name of the node"]
_Voters = Annotated[str, "who voted for it, in the order of the votes"]
_Notarized = Annotated[float | None, "when the observer saw it notarized, seconds", _TIME]
_Finalized = Annotated[float | None, "when the observer saw it finalized, seconds", _TIME]
_Latency = Annotated[float | None, "from the epoch's start to finality, seconds"]
_Order = Annotated[str, "id of the order"]
_Symbol = Annotated[str, "what is quoted or traded"]
_Shares = Annotated[int, "shares"]
_Cents = Annotated[int | None, "the same, cents"]
_True = Annotated[float, "underlying price at that instant, dollars"]
_Reference = Annotated[float | None, "what the band goes by then, dollars; NaN before there is any"]
_Age = Annotated[float | None, "since the market knows that reference, seconds of protocol time"]
_Intent = Annotated[str, "honest; far: a price far from the true one by mistake; or manipulating"]
_State = Annotated[str, "state of the market", ("open", "limit", "auction", "paused", "halted")]
_SIDES: Final = ("buy", "sell")
_Low = Annotated[float | None, "lowest price of a trade in the band, dollars; NaN without a limit"]
_High = Annotated[
    float | None, "highest price of a trade in the band, dollars; NaN without a limit"
]
_Message = Annotated[str, "proposal or vote", ("proposal", "vote")]
_CLAIMS: Final = ("price_consensus", "no_price", "malformed", "")


class Said(NamedTuple):
    """Columns that are read from a block's claim about a symbol."""

    claim: Annotated[str, "price_consensus, no_price, malformed, or empty without a block", _CLAIMS]
    reason: Annotated[str, "why there is no price, or why voters refused the block"]
    true_price: Annotated[float | None, "underlying price at the epoch's start, dollars"] = None
    consensus_price: Annotated[float | None, "aggregate in the block, dollars"] = None
    consensus_cents: _Cents = None
    vwap: Annotated[
        float | None,
        "volume-weighted average in the block, dollars; where voters observe and the aggregator "
        "tolerates liars, its leader's word within the rules",
    ] = None
    vwap_cents: _Cents = None
    total_volume: Annotated[int | None, "volume in the block, shares"] = None
    price_count: Annotated[int | None, "number of valid sources in the block", _COUNT] = None


class EpochRow(NamedTuple):
    """One row for each epoch: what its leader proposed and what became of it.

    A run of the bare protocol has its own columns, see :data:`PROTOCOL_COLUMNS`. What is said is of
    the first symbol; the frame ``prices`` has them all.
    """

    epoch: _Epoch
    start_s: Annotated[float, "when the epoch began, seconds of protocol time", _TIME]
    timestamp: Annotated[str, "market time of the quotes, ISO 8601, UTC"]
    leader: _Node
    block_hash: _Hash
    height: Annotated[int | None, "blocks below it; genesis has 0", _COUNT]
    parent_epoch: Annotated[
        int | None, "epoch of the block that it extends; -1 is genesis", Whole(-1)
    ]
    said: Said
    voters: _Voters
    votes: Annotated[int, "votes for the block that the observer has seen", _COUNT]
    notarized_s: _Notarized
    finalized_s: _Finalized
    latency_s: _Latency
    latency_epochs: Annotated[int | None, "epochs from its own to the one that finalized it"]


class PriceRow(NamedTuple):
    """One row for each epoch and symbol: what the epoch's block says of it."""

    epoch: _Epoch
    symbol: _Symbol
    block_hash: _Hash
    said: Said
    finalized_s: _Finalized


class BlockRow(NamedTuple):
    """One row for each proposed block."""

    block_hash: _Hash
    parent_hash: _Parent
    epoch: _Epoch
    height: _Height
    proposer: _Node
    proposed_s: _Time
    claim: Annotated[str, "price_consensus, no_price or malformed", _CLAIMS]
    consensus_price: Annotated[float | None, "of the first symbol, dollars"]
    votes: Annotated[int, "votes that the observer has seen", _COUNT]
    refusals: Annotated[int, "voters that found it unacceptable", _COUNT]
    reason: Annotated[str, "the first refusal's reason"]
    notarized: Annotated[bool, "ends a notarized chain in the observer's view"]
    finalized: Annotated[bool, "is in the observer's finalized chain"]


class FinalityRow(NamedTuple):
    """One row for each node and block that it saw notarized."""

    node: _Node
    epoch: _Epoch
    height: _Height
    block_hash: _Hash
    notarized_s: Annotated[float, "when this node saw it notarized, seconds", _TIME]
    finalized_s: Annotated[
        float | None, "when this node saw it finalized, seconds; NaN if not", _TIME
    ]
    latency_s: _Latency


class QuoteRow(NamedTuple):
    """One row for each source, symbol and epoch."""

    epoch: _Epoch
    symbol: _Symbol
    source: Annotated[str, "who quotes"]
    price: Annotated[float, "what the leader heard, dollars"]
    price_micros: Annotated[int, "the same, micro-dollars"]
    volume: _Shares
    confidence: Annotated[float | None, "half width of the source's own interval, dollars"]
    true_price: _True
    previous_price: Annotated[float | None, "what the deviation rule compares with, dollars"]
    valid: Annotated[bool, "whether the leader counted it"]
    reason: Annotated[str, "valid, the rule that it broke, left_out by the leader, or no_leader"]


class OrderRow(NamedTuple):
    """One row for each order."""

    order_id: _Order
    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    trader: Annotated[str, "who sent it"]
    kind: Annotated[str, "kind of the trader"]
    intent: _Intent
    side: Annotated[str, "buy or sell", _SIDES]
    type: Annotated[str, "limit or market", ("limit", "market")]
    time_in_force: Annotated[str, "how long it may wait", ("day", "gtc", "gtt", "ioc", "fok")]
    expires_s: Annotated[float | None, "when it ends by itself, seconds; NaN if it does not"]
    quantity: _Shares
    price: Annotated[float | None, "limit, dollars; NaN for a market order"]
    price_cents: _Cents
    true_price: _True
    fair: Annotated[bool, "its price is at most fair_percent from the true one, or it names none"]
    reference_price: _Reference
    reference_epoch: Annotated[int | None, "epoch of the block that the reference comes from"]
    reference_quoted_s: Annotated[
        float | None,
        "of which instant the reference is the price, seconds: the start of its block's epoch; of "
        "an average the mean; NaN if it is the market's own",
    ]
    reference_age_s: _Age
    status: Annotated[
        str, "what became of it", ("rejected", "cancelled", "expired", "filled", "resting")
    ]
    reason: Annotated[str, "why it was rejected or cancelled"]
    filled: Annotated[int, "shares traded", _COUNT]
    clipped: Annotated[bool, "whether the band ever repriced it, to its edge"]


class TradeRow(NamedTuple):
    """One row for each trade."""

    trade_id: Annotated[int, "position on the symbol's tape, from 0", _COUNT]
    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    price: Annotated[float, "dollars"]
    price_cents: Annotated[int, "the same, cents"]
    quantity: _Shares
    buy_order_id: _Order
    sell_order_id: _Order
    aggressor: Annotated[str, "side of the order that came last", _SIDES]
    auction: Annotated[bool, "whether it is of a call auction"]
    reference_price: _Reference
    reference_age_s: _Age
    true_price: _True
    fair: Annotated[bool, "its price is not more than fair_percent from the true one"]


class RejectionRow(NamedTuple):
    """One row for each time that the market refused an order or took shares of it away."""

    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    order_id: _Order
    intent: _Intent
    action: Annotated[
        str,
        "rejected at entry; not replaced: the order stays as it was; or cancelled or reduced, "
        "not at its trader's wish",
        ("rejected", "not replaced", "cancelled", "reduced"),
    ]
    stopped: Annotated[
        str,
        "where band, reference, auction or halt stopped the order: at_entry, at_trade, or "
        "swept out of the book later; empty if they had no part in it, or it stayed as it was",
        ("at_entry", "at_trade", "swept", ""),
    ]
    reason: Annotated[str, "reason code"]
    quantity: Annotated[int, "shares that were refused or taken away"]
    own_price: Annotated[float | None, "its limit as its trader last named it, dollars"]
    price: Annotated[float | None, "what was judged, dollars; at a trade that of what rested"]
    reference_price: _Reference
    deviation_percent: Annotated[float | None, "distance from the reference, percent of it"]
    reference_age_s: _Age
    true_price: _True
    verdict: Annotated[
        str,
        "of a limit order that was stopped, by its own price. false: fair when it came and "
        "when stopped; justified: at neither; turned_fair or turned_unfair: only when stopped, "
        "or only when it came. market: a market order. Empty where it was not stopped",
        ("false", "turned_fair", "turned_unfair", "justified", "market", ""),
    ]
    blocked: Annotated[bool, "stopped at a trade by the unfair price of what rested in the book"]


class BandRow(NamedTuple):
    """One row for each move of a band, and each change of a market's state."""

    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    state: _State
    reference_price: _Reference
    reference_kind: Annotated[str, "what the band goes by: consensus, oracle, trades or auction"]
    low: _Low
    high: _High


class BookRow(NamedTuple):
    """One row for each sampled instant and symbol: the best prices, the band, the truth."""

    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    state: _State
    best_bid: Annotated[float | None, "highest price that somebody pays, dollars; NaN if nobody"]
    best_ask: Annotated[float | None, "lowest price that somebody asks, dollars; NaN if nobody"]
    bid_quantity: Annotated[int, "shares at the best bid", _COUNT]
    ask_quantity: Annotated[int, "shares at the best ask", _COUNT]
    reference_price: _Reference
    reference_age_s: _Age
    low: _Low
    high: _High
    true_price: _True


class DepthRow(NamedTuple):
    """One row for each sampled instant, symbol, side and price of the book."""

    time_s: _Time
    epoch: _Epoch
    symbol: _Symbol
    side: Annotated[str, "buy or sell", _SIDES]
    level: Annotated[int, "position among the occupied prices, 0 is the best", _COUNT]
    price: Annotated[float, "dollars"]
    price_cents: Annotated[int, "the same, cents"]
    quantity: Annotated[int, "shares of all orders at that price", _COUNT]
    orders: Annotated[int, "number of these orders", _COUNT]


class MessageRow(NamedTuple):
    """One row for each epoch and kind of message."""

    epoch: Annotated[int, "epoch of the block that the message is about"]
    kind: _Message
    sent: Annotated[int, "copies that authors sent to other voting nodes", _COUNT]
    echoed: Annotated[int, "copies that nodes passed on to other voting nodes", _COUNT]
    received: Annotated[int, "first arrivals at voting nodes", _COUNT]


class TraceRow(NamedTuple):
    """One row for each first arrival of a message at a node; empty unless traced."""

    epoch: Annotated[int, "epoch of the block that the message is about"]
    kind: _Message
    author: Annotated[str, "who signed it"]
    block_hash: _Hash
    sender: Annotated[str, "whose copy came first: the author's, or that of one who echoed"]
    receiver: _Node
    sent_s: Annotated[float, "when that copy left, seconds of protocol time", _TIME]
    received_s: Annotated[float, "when it arrived, seconds of protocol time", _TIME]


class ViolationRow(NamedTuple):
    """One row for each block of the smallest excerpt that shows the first violation."""

    block_hash: _Hash
    parent_hash: _Parent
    epoch: _Epoch
    height: _Height
    proposer: _Node
    voters: _Voters
    finalized_by: Annotated[str, "honest nodes for which it is final"]


class OffenceRow(NamedTuple):
    """One row for each node that is provably guilty; the evidence has the two votes."""

    culprit: _Node
    offence: Annotated[
        str, "of the two votes", ("two votes in one epoch", "a later vote on a shorter chain")
    ]
    first_epoch: Annotated[int, "epoch of the first of the two votes"]
    first_height: Annotated[int, "height of the block that it is for"]
    second_epoch: Annotated[int, "epoch of the second"]
    second_height: Annotated[int, "height of the block that it is for"]
    proven: Annotated[bool, "whether public keys convict: signatures are not switched off"]


_DTYPES: Final = {
    int: "int64",
    int | None: "Int64",
    float: "float64",
    float | None: "float64",
    str: "str",
    bool: "bool",
}


def _columns(row: type, *left_out: str) -> dict[str, Column]:
    """Return the columns of a kind of row; what a block says is several of them."""
    columns: dict[str, Column] = {}
    for name, hint in get_type_hints(row, include_extras=True).items():
        if name in left_out:
            continue
        if hint is Said:
            columns |= _columns(Said)
        else:
            kind, meaning, *allowed = get_args(hint)
            columns[name] = Column(_DTYPES[kind], meaning, NoneType in get_args(kind), *allowed)
    return columns


#: The rows of each frame by its name.
ROWS: Final[dict[str, type]] = {
    "epochs": EpochRow,
    "prices": PriceRow,
    "blocks": BlockRow,
    "finality": FinalityRow,
    "quotes": QuoteRow,
    "orders": OrderRow,
    "trades": TradeRow,
    "rejections": RejectionRow,
    "bands": BandRow,
    "book": BookRow,
    "depth": DepthRow,
    "messages": MessageRow,
    "trace": TraceRow,
    "violation": ViolationRow,
    "forensics": OffenceRow,
}

#: By the name of the frame, and then by that of the column.
COLUMNS: Final[dict[str, dict[str, Column]]] = {
    **{name: _columns(row) for name, row in ROWS.items()},
    "epochs": _columns(EpochRow, "height", "parent_epoch", "voters"),
}

#: The same for a run of the bare protocol: its blocks say nothing, and what is traded is empty.
PROTOCOL_COLUMNS: Final[dict[str, dict[str, Column]]] = {
    **COLUMNS,
    "epochs": _columns(EpochRow, "start_s", "timestamp", "said", "votes"),
    "blocks": _columns(BlockRow, "claim", "consensus_price", "refusals", "reason"),
}
