"""The JSON that a block carries, and the values that it stands for.

There is exactly one encoding of each value. A payload that decodes but does not encode to the same
bytes is refused, so that voters never have to ask what a leader meant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Annotated, Any, ClassVar, Final

from streamlet_lab.errors import DataError, StreamletLabError, shown
from streamlet_lab.texts import decode, parse_json
from streamlet_lab.units import to_instance
from streamlet_lab.values import Whole, check_ranges, unchecked

_BATCH: Final = "price_consensus_batch"
_GENESIS_BATCH: Final = "genesis_batch"

_MOST_SOURCES: Final = 1_000_000
# At most micro-dollars, as quotes have them; averages are in cents.
_DECIMAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)


class MalformedPayload(StreamletLabError, ValueError):
    """Bytes that are not the one encoding of a payload; the message says why."""


class _Said:
    """What a block says of one symbol: a type, and the fields that :data:`_KEYS` has."""

    __slots__ = ()
    type: ClassVar[str]

    def __post_init__(self) -> None:
        check_ranges(self)

    def to_payload(self) -> bytes:
        """Return the exact bytes that a block carries; a block's hash is not among them."""
        return _written(self).encode()


@dataclass(frozen=True, slots=True)
class PriceConsensus(_Said):
    """The agreed price of one epoch (fields as in the system's description).

    Parameters
    ----------
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
    price_count: Annotated[int, Whole(0, _MOST_SOURCES)]
    timestamp: datetime
    block_hash: str = ""

    def in_block(self, block_hash: bytes) -> "PriceConsensus":
        """Return the same consensus with the hash of its block filled in."""
        return replace(self, block_hash=block_hash.hex())


@dataclass(frozen=True, slots=True)
class NoPrice(_Said):
    """What a block says when no price validated: an honest leader always proposes."""

    type: ClassVar[str] = "no_price"

    symbol: str
    reason: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class GenesisPrice(_Said):
    """The reference price that a chain starts from, so that a lying first leader is bounded too."""

    type: ClassVar[str] = "genesis"

    symbol: str
    price: Decimal


Claim = PriceConsensus | NoPrice | GenesisPrice

unchecked_consensus: Final = unchecked(PriceConsensus)


def encode_claims(claims: Sequence[Claim]) -> bytes:
    """Return the exact bytes that a block carries, of one claim for each symbol, in order."""
    if len(claims) == 1:
        return claims[0].to_payload()
    kind = _GENESIS_BATCH if isinstance(claims[0], GenesisPrice) else _BATCH
    return f'{{"type": "{kind}", "prices": [{", ".join(map(_written, claims))}]}}'.encode()


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
        document = parse_json(decode(to_instance(payload, bytes, "payload")))
    except DataError as error:
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
    if not isinstance(payload, bytes):
        raise MalformedPayload("not bytes")
    claims = decode_claims(payload)
    if len(claims) > 1:
        raise MalformedPayload(f"{len(claims)} symbols instead of one")
    return claims[0]


def _claims(document: dict[str, Any]) -> tuple[Claim, ...]:
    kind = document["type"]
    if kind not in (_BATCH, _GENESIS_BATCH):
        return (_claim(document),)
    objects = document["prices"]
    is_batch = isinstance(objects, list) and all(isinstance(item, dict) for item in objects)
    if not is_batch or len(objects) < 2:
        raise MalformedPayload("prices is not a list of two objects or more")
    claims = tuple(map(_claim, objects))
    if len({claim.symbol for claim in claims}) < len(claims):
        raise MalformedPayload("a symbol twice")
    if any(isinstance(claim, GenesisPrice) != (kind == _GENESIS_BATCH) for claim in claims):
        raise MalformedPayload(f"a claim that does not belong into a {kind}")
    return claims


def _claim(document: dict[str, Any]) -> Claim:
    kind = document["type"]
    if not (isinstance(kind, str) and kind in _FORMS):
        raise MalformedPayload(f"unknown type {shown(kind)}")
    make, keys, unsaid = _FORMS[kind]
    claim: Claim = make(*[read(document[key], key) for key, read, _ in keys], *unsaid)
    return claim


def _written(claim: _Said) -> str:
    """Return the JSON of one claim; of what is simple it is written here, as `json` would."""
    _, keys, _ = _FORMS[claim.type]
    values = [f'"{key}": {write(getattr(claim, key))}' for key, _, write in keys]
    return f'{{"type": "{claim.type}", {", ".join(values)}}}'


def _write_time(time: datetime) -> str:
    return f'"{time.astimezone(UTC).isoformat().replace("+00:00", "Z")}"'


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise MalformedPayload(f"{key} is not a text")
    if not value.isprintable():
        raise MalformedPayload(f"{key} is not printable")
    return value


def _average(value: object, key: str) -> Decimal:
    price = _decimal(value, key)
    if price.as_tuple().exponent != -2 or not price:
        raise MalformedPayload(f"{key} is not a price in cents")
    return price


def _decimal(value: object, key: str) -> Decimal:
    text = _text(value, key)
    if not _DECIMAL.fullmatch(text):
        raise MalformedPayload(f"{key} is not a plain decimal number")
    return Decimal(text)


def _count(value: object, key: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_SOURCES:
        raise MalformedPayload(f"{key} is not a whole number from 0 to {_MOST_SOURCES}")
    return value


def _timestamp(value: object, key: str) -> datetime:
    text = _text(value, key)
    with suppress(ValueError):
        if text.endswith("Z"):
            return datetime.fromisoformat(text)
    raise MalformedPayload(f"{key} is not a time in ISO format, in UTC")


_write_decimal: Final = '"%s"'.__mod__

# How each key is read and written, in whatever claim it stands.
_KEYS: Final[Mapping[str, tuple[Callable[[object, str], object], Callable[[Any], str]]]] = {
    "symbol": (_text, encode_basestring_ascii),
    "reason": (_text, encode_basestring_ascii),
    "consensus_price": (_average, _write_decimal),
    "volume_weighted_price": (_average, _write_decimal),
    "total_volume": (_decimal, _write_decimal),
    "price": (_decimal, _write_decimal),
    "price_count": (_count, str),
    "timestamp": (_timestamp, _write_time),
}


def _form(kind: type[_Said], *unsaid: object) -> tuple[Any, Any, Any]:
    """Return what makes a claim, the keys of its payload in their order, and what is not in it."""
    names: Any = kind.__slots__
    return unchecked(kind), [(key, *_KEYS[key]) for key in names if key in _KEYS], unsaid


_FORMS: Final[Mapping[str, tuple[Any, Any, Any]]] = {
    PriceConsensus.type: _form(PriceConsensus, ""),
    NoPrice.type: _form(NoPrice),
    GenesisPrice.type: _form(GenesisPrice),
}
