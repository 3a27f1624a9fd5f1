"""The columns of every frame: order, type, unit and meaning, in one table.

Prices come as float dollars for looking and as integers for exactness; times are seconds of
protocol time.
"""

from typing import Final, NamedTuple


class Column(NamedTuple):
    """What a column holds. The type ``Int64`` is an integer that may be missing."""

    dtype: str
    meaning: str


_EPOCH: Final = Column("int64", "epoch, from 0")
_TIME: Final = Column("float64", "seconds of protocol time")
_HASH: Final = Column("str", "hash of the block, hexadecimal; empty if there is none")
_NODE: Final = Column("str", "name of the node")
_ORDER: Final = Column("str", "id of the order")
_SYMBOL: Final = Column("str", "what is quoted or traded")
_CLAIM: Final = Column("str", "price_consensus, no_price, malformed, or empty without a block")
_WHY_NOT: Final = Column("str", "why there is no price, or why voters refused the block")
# What a block says of a symbol.
_CLAIMED: Final[dict[str, Column]] = {
    "true_price": Column("float64", "underlying price at the epoch's start, dollars"),
    "consensus_price": Column(
        "float64", "aggregate in the block: simple average unless configured, dollars"
    ),
    "consensus_cents": Column("Int64", "the same, cents"),
    "vwap": Column(
        "float64",
        "volume-weighted average in the block, dollars; where voters observe and the aggregator "
        "tolerates liars, its leader's word within the rules",
    ),
    "vwap_cents": Column("Int64", "the same, cents"),
    "total_volume": Column("Int64", "volume in the block, shares"),
    "price_count": Column("Int64", "number of valid sources in the block"),
}
_TRUE: Final = Column("float64", "underlying price at that instant, dollars")
_REFERENCE: Final = Column(
    "float64", "what the band goes by at that instant, dollars; NaN before there is any"
)
_AGE: Final = Column("float64", "since the market knows that reference, seconds of protocol time")
_INTENT: Final = Column(
    "str", "honest; far: a price far from the true one by mistake; or manipulating"
)
_STATE: Final = Column(
    "str", "open; limit; auction; paused by a stale reference; or halted by an operator"
)
_LOW: Final = Column("float64", "lowest price at which trades may happen, dollars; NaN if any")
_HIGH: Final = Column("float64", "highest price at which trades may happen, dollars; NaN if any")

COLUMNS: Final[dict[str, dict[str, Column]]] = {
    "epochs": {
        "epoch": _EPOCH,
        "start_s": Column("float64", "when the epoch began, seconds of protocol time"),
        "timestamp": Column("str", "market time of the quotes, ISO 8601, UTC"),
        "leader": _NODE,
        "block_hash": _HASH,
        # Of the first symbol; the frame `prices` has them all.
        "claim": _CLAIM,
        "reason": _WHY_NOT,
        **_CLAIMED,
        "votes": Column("int64", "votes for the block that the observer has seen"),
        "notarized_s": Column("float64", "when the observer saw it notarized, seconds"),
        "finalized_s": Column("float64", "when the observer saw it finalized, seconds"),
        "latency_s": Column("float64", "from the epoch's start to finality, seconds"),
        "latency_epochs": Column("Int64", "epochs from its own to the one that finalized it"),
    },
    "prices": {
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "block_hash": _HASH,
        "claim": _CLAIM,
        "reason": _WHY_NOT,
        **_CLAIMED,
        "finalized_s": Column("float64", "when the observer saw it finalized, seconds"),
    },
    "blocks": {
        "block_hash": _HASH,
        "parent_hash": Column("str", "hash of the parent, hexadecimal"),
        "epoch": _EPOCH,
        "height": Column("int64", "blocks below it; genesis has 0"),
        "proposer": _NODE,
        "proposed_s": _TIME,
        "claim": Column("str", "price_consensus, no_price or malformed"),
        "consensus_price": Column("float64", "of the first symbol, dollars"),
        "votes": Column("int64", "votes that the observer has seen"),
        "refusals": Column("int64", "voters that found it unacceptable"),
        "reason": Column("str", "the first refusal's reason"),
        "notarized": Column("bool", "ends a notarized chain in the observer's view"),
        "finalized": Column("bool", "is in the observer's finalized chain"),
    },
    "finality": {
        "node": _NODE,
        "epoch": _EPOCH,
        "height": Column("int64", "blocks below it; genesis has 0"),
        "block_hash": _HASH,
        "notarized_s": Column("float64", "when this node saw it notarized, seconds"),
        "finalized_s": Column("float64", "when this node saw it finalized, seconds; NaN if not"),
        "latency_s": Column("float64", "from the epoch's start to finality, seconds"),
    },
    "quotes": {
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "source": Column("str", "who quotes"),
        "price": Column("float64", "what the leader heard, dollars"),
        "price_micros": Column("int64", "the same, micro-dollars"),
        "volume": Column("int64", "shares"),
        "confidence": Column("float64", "half width of the source's own interval, dollars"),
        "true_price": _TRUE,
        "previous_price": Column("float64", "consensus that the deviation rule compares with"),
        "valid": Column("bool", "whether the leader counted it"),
        "reason": Column(
            "str", "valid, the rule that it broke, left_out of what the leader says, or no_leader"
        ),
    },
    "orders": {
        "order_id": _ORDER,
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "trader": Column("str", "who sent it"),
        "kind": Column("str", "kind of the trader"),
        "intent": _INTENT,
        "side": Column("str", "buy or sell"),
        "type": Column("str", "limit or market"),
        "time_in_force": Column("str", "day, gtc, gtt, ioc or fok"),
        "expires_s": Column("float64", "when it ends by itself, seconds; NaN if it does not"),
        "quantity": Column("int64", "shares"),
        "price": Column("float64", "limit, dollars; NaN for a market order"),
        "price_cents": Column("Int64", "the same, cents"),
        "true_price": _TRUE,
        "fair": Column(
            "bool", "its price is not more than fair_percent from the true one, or it names none"
        ),
        "reference_price": _REFERENCE,
        "reference_epoch": Column("Int64", "epoch of the block that the reference comes from"),
        "reference_quoted_s": Column(
            "float64",
            "of which instant the reference is the price, seconds of protocol time: the start of "
            "its block's epoch; of an average the mean; NaN if it is the market's own",
        ),
        "reference_age_s": _AGE,
        "status": Column("str", "rejected, cancelled, expired, filled, or resting at the end"),
        "reason": Column("str", "why it was rejected or cancelled"),
        "filled": Column("int64", "shares traded"),
        "clipped": Column("bool", "whether the band ever repriced it, to its edge"),
    },
    "trades": {
        "trade_id": Column("int64", "position on the symbol's tape, from 0"),
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "price": Column("float64", "dollars"),
        "price_cents": Column("int64", "the same, cents"),
        "quantity": Column("int64", "shares"),
        "buy_order_id": _ORDER,
        "sell_order_id": _ORDER,
        "aggressor": Column("str", "side of the order that came last"),
        "auction": Column("bool", "whether it is of a call auction"),
        "reference_price": _REFERENCE,
        "reference_age_s": _AGE,
        "true_price": _TRUE,
        "fair": Column("bool", "its price is not more than fair_percent from the true one"),
    },
    "rejections": {
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "order_id": _ORDER,
        "intent": _INTENT,
        "action": Column(
            "str",
            "rejected at entry; not replaced: the order stays as it was; or cancelled or reduced, "
            "not at its trader's wish",
        ),
        "stopped": Column(
            "str",
            "where band, reference, auction or halt stopped the order: at_entry, at_trade, or "
            "swept out of the book later; empty if they had no part in it, or it stayed as it was",
        ),
        "reason": Column("str", "reason code"),
        "quantity": Column("int64", "shares that were refused or taken away"),
        "own_price": Column(
            "float64", "the order's limit as its trader last named it, dollars; NaN without one"
        ),
        "price": Column(
            "float64",
            "the price that was judged, dollars; at a trade that of what rested; NaN if none was",
        ),
        "reference_price": _REFERENCE,
        "deviation_percent": Column("float64", "distance from the reference, percent of it"),
        "reference_age_s": _AGE,
        "true_price": _TRUE,
        "verdict": Column(
            "str",
            "of a limit order that was stopped, by its own price. false: fair when it came and "
            "when stopped; justified: at neither; turned_fair or turned_unfair: only when stopped, "
            "or only when it came. market: a market order. Empty where it was not stopped",
        ),
        "blocked": Column(
            "bool", "stopped at a trade, and the price of what rested in the book was not fair"
        ),
    },
    "bands": {
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "state": _STATE,
        "reference_price": _REFERENCE,
        "reference_kind": Column(
            "str", "what the band goes by: consensus, oracle, trades or auction"
        ),
        "low": _LOW,
        "high": _HIGH,
    },
    "book": {
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "state": _STATE,
        "best_bid": Column("float64", "highest price that somebody pays, dollars; NaN if nobody"),
        "best_ask": Column("float64", "lowest price that somebody asks, dollars; NaN if nobody"),
        "bid_quantity": Column("int64", "shares at the best bid"),
        "ask_quantity": Column("int64", "shares at the best ask"),
        "reference_price": _REFERENCE,
        "reference_age_s": _AGE,
        "low": _LOW,
        "high": _HIGH,
        "true_price": _TRUE,
    },
    "depth": {
        "time_s": _TIME,
        "epoch": _EPOCH,
        "symbol": _SYMBOL,
        "side": Column("str", "buy or sell"),
        "level": Column("int64", "position among the occupied prices, 0 is the best"),
        "price": Column("float64", "dollars"),
        "price_cents": Column("int64", "the same, cents"),
        "quantity": Column("int64", "shares of all orders at that price"),
        "orders": Column("int64", "number of these orders"),
    },
    "messages": {
        "epoch": Column("int64", "epoch of the block that the message is about"),
        "kind": Column("str", "proposal or vote"),
        "sent": Column("int64", "copies that authors sent to other voting nodes"),
        "echoed": Column("int64", "copies that nodes passed on to other voting nodes"),
        "received": Column("int64", "first arrivals at voting nodes"),
    },
    "trace": {
        "epoch": Column("int64", "epoch of the block that the message is about"),
        "kind": Column("str", "proposal or vote"),
        "author": Column("str", "who signed it"),
        "block_hash": _HASH,
        "sender": Column("str", "whose copy came first: the author's, or that of one who echoed"),
        "receiver": _NODE,
        "sent_s": Column("float64", "when that copy left, seconds of protocol time"),
        "received_s": Column("float64", "when it arrived, seconds of protocol time"),
    },
    "violation": {
        "block_hash": _HASH,
        "parent_hash": Column("str", "hash of the parent, hexadecimal"),
        "epoch": _EPOCH,
        "height": Column("int64", "blocks below it; genesis has 0"),
        "proposer": _NODE,
        "voters": Column("str", "who voted for it, in the order of the votes"),
        "finalized_by": Column("str", "honest nodes for which it is final"),
    },
    "forensics": {
        "culprit": _NODE,
        "offence": Column("str", "two votes in one epoch, or a later vote on a shorter chain"),
        "first_epoch": Column("int64", "epoch of the first of the two votes"),
        "first_height": Column("int64", "height of the block that it is for"),
        "second_epoch": Column("int64", "epoch of the second"),
        "second_height": Column("int64", "height of the block that it is for"),
        "proven": Column("bool", "whether public keys convict: signatures are not switched off"),
    },
}

_PRICED: Final = ("claim", "consensus_price", "refusals", "reason")
_SHARED: Final = ("finality", "messages", "trace", "violation", "forensics")

#: The same for a run of the bare protocol, whose blocks carry no prices.
PROTOCOL_COLUMNS: Final[dict[str, dict[str, Column]]] = {
    "epochs": {
        "epoch": _EPOCH,
        "leader": _NODE,
        "block_hash": _HASH,
        "height": Column("Int64", "blocks below it; genesis has 0"),
        "parent_epoch": Column("Int64", "epoch of the block that it extends; -1 is genesis"),
        "voters": Column("str", "who voted for it, in the order of the votes"),
        "notarized_s": Column("float64", "when the observer saw it notarized, seconds"),
        "finalized_s": Column("float64", "when the observer saw it finalized, seconds"),
        "latency_s": Column("float64", "from the epoch's start to finality, seconds"),
        "latency_epochs": Column("Int64", "epochs from its own to the one that finalized it"),
    },
    "blocks": {name: what for name, what in COLUMNS["blocks"].items() if name not in _PRICED},
    **{name: COLUMNS[name] for name in _SHARED},
}
