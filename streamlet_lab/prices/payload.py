"""The JSON that a block carries, and the values that it stands for.

There is exactly one encoding of each value. A payload that decodes but does not encode to the same
bytes is refused, so that voters never have to ask what a leader meant.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, Final

_BATCH: Final = "price_consensus_batch"
_GENESIS_BATCH: Final = "genesis_batch"

_MOST_SOURCES: Final = 1_000_000
# At most micro-dollars, as quotes have them; averages are in cents.
_DECIMAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class MalformedPayload(ValueError):
    """Bytes that are not the one encoding of a payload; the message says why."""


@dataclass(frozen=True, slots=True)
class PriceConsensus:
    """The agreed price of one epoch (fields as in the system's description).

    Parameters
    ----------
    symbol : str
    consensus_price : Decimal
        Aggregate of the valid prices, US dollars: their simple average unless configured.
    volume_weighted_price : Decimal
        VWAP of the valid prices, US dollars.
    total_volume : Decimal
        Shares, over all valid sources.
    price_count : int
        Number of valid sources.
    timestamp : datetime
        Market time, UTC.
    block_hash : str
        Hash of the Streamlet block in hexadecimal; empty until the block is proposed.
    """

    type: ClassVar[str] = "price_consensus"

    symbol: str
    consensus_price: Decimal
    volume_weighted_price: Decimal
    total_volume: Decimal
    price_count: int
    timestamp: datetime
    block_hash: str = ""

    def to_payload(self) -> bytes:
        """Return the exact bytes that a block carries; the block's hash is not among them."""
        return _encode(_document(self))

    def in_block(self, block_hash: bytes) -> "PriceConsensus":
        """Return the same consensus with the hash of its block filled in."""
        return replace(self, block_hash=block_hash.hex())


@dataclass(frozen=True, slots=True)
class NoPrice:
    """What a block says when no price validated: an honest leader always proposes."""

    type: ClassVar[str] = "no_price"

    symbol: str
    reason: str
    timestamp: datetime

    def to_payload(self) -> bytes:
        """Return the exact bytes that a block carries."""
        return _encode(_document(self))


@dataclass(frozen=True, slots=True)
class GenesisPrice:
    """The reference price that a chain starts from, so that a lying first leader is bounded too."""

    type: ClassVar[str] = "genesis"

    symbol: str
    price: Decimal

    def to_payload(self) -> bytes:
        """Return the exact bytes that the genesis block carries."""
        return _encode(_document(self))


Claim = PriceConsensus | NoPrice | GenesisPrice


def encode_claims(claims: Sequence[Claim]) -> bytes:
    """Return the exact bytes that a block carries, of one claim for each symbol, in order."""
    if len(claims) == 1:
        return claims[0].to_payload()
    kind = _BATCH if not isinstance(claims[0], GenesisPrice) else _GENESIS_BATCH
    return _encode({"type": kind, "prices": [*map(_document, claims)]})


# Every node of a simulation reads the same few recent payloads.
@lru_cache(maxsize=1024)
def decode_claims(payload: bytes) -> tuple[Claim, ...]:
    """Read a block's payload: one claim for each symbol.

    Raises
    ------
    MalformedPayload
        If the bytes are not exactly what :func:`encode_claims` of some claims returns.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("not JSON") from error
    if not isinstance(document, dict):
        raise MalformedPayload("not a JSON object")
    try:
        claims = _claims(document)
    except KeyError as error:
        raise MalformedPayload(f"no {error.args[0]!r}") from error
    if encode_claims(claims) != payload:
        raise MalformedPayload("not in canonical form")
    return claims


def decode_payload(payload: bytes) -> Claim:
    """Read the payload of a block that carries one symbol."""
    claims = decode_claims(payload)
    if len(claims) > 1:
        raise MalformedPayload(f"{len(claims)} symbols instead of one")
    return claims[0]


def _claims(document: dict[str, Any]) -> tuple[Claim, ...]:
    kind = document["type"]
    if kind not in (_BATCH, _GENESIS_BATCH):
        return (_claim(document),)
    objects = document["prices"]
    if not isinstance(objects, list) or len(objects) < 2:
        raise MalformedPayload("prices is not a list of two objects or more")
    if not all(isinstance(item, dict) for item in objects):
        raise MalformedPayload("prices has something in it that is not an object")
    claims = tuple(map(_claim, objects))
    if len({claim.symbol for claim in claims}) < len(claims):
        raise MalformedPayload("a symbol twice")
    if any(isinstance(claim, GenesisPrice) != (kind == _GENESIS_BATCH) for claim in claims):
        raise MalformedPayload(f"a claim that does not belong into a {kind}")
    return claims


def _claim(document: dict[str, Any]) -> Claim:
    kind = document["type"]
    if not (isinstance(kind, str) and kind in _FORMS):
        raise MalformedPayload(f"unknown type {kind!r}")
    form, readers = _FORMS[kind]
    claim: Claim = form(**{key: read(document, key) for key, read in readers.items()})
    return claim


def _document(claim: Claim) -> dict[str, object]:
    _, readers = _FORMS[claim.type]
    return {"type": claim.type} | {key: _plain(getattr(claim, key)) for key in readers}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value


def _encode(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()


def _text(document: dict[str, Any], key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        raise MalformedPayload(f"{key} is not a text")
    if not value.isprintable():
        raise MalformedPayload(f"{key} is not printable")
    return value


def _average(document: dict[str, Any], key: str) -> Decimal:
    price = _decimal(document, key)
    if price.as_tuple().exponent != -2 or not price:
        raise MalformedPayload(f"{key} is not a price in cents")
    return price


def _decimal(document: dict[str, Any], key: str) -> Decimal:
    text = _text(document, key)
    if not _DECIMAL.fullmatch(text):
        raise MalformedPayload(f"{key} is not a plain decimal number")
    return Decimal(text)


def _count(document: dict[str, Any], key: str) -> int:
    value = document[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedPayload(f"{key} is not a whole number")
    if not 0 <= value <= _MOST_SOURCES:
        raise MalformedPayload(f"{key} is not from 0 to {_MOST_SOURCES}")
    return value


def _timestamp(document: dict[str, Any], key: str) -> datetime:
    text = _text(document, key)
    if not text.endswith("Z"):
        raise MalformedPayload(f"{key} is not in UTC")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedPayload(f"{key} is not in ISO format") from error


_Readers = Mapping[str, Callable[[dict[str, Any], str], Any]]

# The claims of each type, and how each key is read, in the order of the payload.
_FORMS: Final[Mapping[str, tuple[Callable[..., Any], _Readers]]] = {
    PriceConsensus.type: (
        PriceConsensus,
        {
            "symbol": _text,
            "consensus_price": _average,
            "volume_weighted_price": _average,
            "total_volume": _decimal,
            "price_count": _count,
            "timestamp": _timestamp,
        },
    ),
    NoPrice.type: (NoPrice, {"symbol": _text, "reason": _text, "timestamp": _timestamp}),
    GenesisPrice.type: (GenesisPrice, {"symbol": _text, "price": _decimal}),
}
