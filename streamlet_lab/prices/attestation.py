"""Quotes that their sources sign, as a block carries them beside its payload.

A voter that verifies them knows what each source said, whoever leads. There is exactly one encoding
of a list of signed quotes, as there is of a payload; in which order they are is left to the leader.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from streamlet_lab.errors import DataError
from streamlet_lab.keys import Keyring
from streamlet_lab.prices.payload import MalformedPayload
from streamlet_lab.prices.quotes import StockPrice
from streamlet_lab.texts import decode, parse_json
from streamlet_lab.units import to_instance, to_whole

_DOMAIN: Final = b"streamlet-lab quote 1\x00"


class SignedQuote(NamedTuple):
    """A quote, the epoch that it is for, and its source's signature over both."""

    quote: StockPrice
    epoch: int
    signature: bytes


def sign_quote(quote: StockPrice, epoch: int, keyring: Keyring) -> SignedQuote:
    """Have its source sign a quote."""
    epoch, source = to_whole(epoch, 0, "epoch"), to_instance(quote, StockPrice, "quote").source
    return SignedQuote(quote, epoch, keyring.sign(source, _signed_bytes(quote, epoch)))


def _signed_bytes(quote: StockPrice, epoch: int) -> bytes:
    """Return what a source signs: the whole quote, and its epoch against replay.

    Not the chain: as real oracles do, a source speaks to all who listen, so that two chains of one
    seed and the same days could use each other's quotes.
    """
    return _DOMAIN + json.dumps(_document(quote, epoch)).encode()


def encode_quotes(quotes: Iterable[SignedQuote]) -> bytes:
    """Return the attachment that carries these quotes."""
    documents = [
        _document(quote, epoch) | {"signature": signature.hex()}
        for quote, epoch, signature in quotes
    ]
    return json.dumps(documents).encode()


# Every node of a simulation reads the same few recent attachments.
@lru_cache(maxsize=256)
def decode_quotes(attachment: bytes) -> tuple[SignedQuote, ...]:
    """Read an attachment; whether the signatures are good is not looked at.

    Raises
    ------
    MalformedPayload
        If the bytes are not exactly what :func:`encode_quotes` of some quotes returns.
    """
    to_instance(attachment, bytes, "attachment")
    try:
        quotes = tuple(map(_signed_quote, parse_json(decode(attachment))))
        again = encode_quotes(quotes)
    except (DataError, ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise MalformedPayload("signed quotes that cannot be read") from error
    if again != attachment:
        raise MalformedPayload("signed quotes not in canonical form")
    return quotes


def objection_to_quotes(
    quotes: Sequence[SignedQuote],
    epoch: int,
    symbols: Collection[str],
    sources: Collection[str],
    keyring: Keyring,
) -> str | None:
    """Say why an epoch's signed quotes are no evidence; None if each is its source's word."""
    seen: set[tuple[str, str]] = set()
    for quote, quoted, signature in quotes:
        if quote.source not in sources:
            objection = "not a known source"
        elif quote.symbol not in symbols:
            objection = "not a known symbol"
        elif quoted != epoch:
            objection = f"of epoch {quoted}"
        elif not keyring.verify(quote.source, signature, _signed_bytes(quote, quoted)):
            objection = "not signed by it"
        elif (quote.source, quote.symbol) in seen:
            objection = "twice"
        else:
            seen.add((quote.source, quote.symbol))
            continue
        return f"quote of {quote.source} for {quote.symbol}: {objection}"
    return None


def admissible_quotes(
    quotes: Iterable[SignedQuote],
    epoch: int,
    symbols: Collection[str],
    sources: Collection[str],
    keyring: Keyring,
) -> list[SignedQuote]:
    """Return those of an epoch's signed quotes that are evidence: what an honest leader carries.

    One bad quote spoils an attachment. So a leader leaves out what its voters would object to, or
    could not read, such as a volume of more digits than anyone has: else a single source could have
    every leader refused. Of two quotes of one source for one symbol, the first one is kept.
    """
    known = epoch, symbols, sources, keyring
    kept: dict[tuple[str, str], SignedQuote] = {}
    for signed in quotes:
        if _is_readable(signed) and not objection_to_quotes([signed], *known):
            kept.setdefault((signed.quote.source, signed.quote.symbol), signed)
    return [*kept.values()]


def _is_readable(signed: SignedQuote) -> bool:
    try:
        return decode_quotes(encode_quotes([signed])) == (signed,)
    except MalformedPayload:
        return False


def _document(quote: StockPrice, epoch: int) -> dict[str, object]:
    return {
        "symbol": quote.symbol,
        "price": str(quote.price),
        "volume": str(quote.volume),
        "source": quote.source,
        "timestamp": quote.timestamp.astimezone(UTC).isoformat(),
        "confidence": None if quote.confidence is None else str(quote.confidence),
        "epoch": epoch,
    }


def _signed_quote(document: dict[str, Any]) -> SignedQuote:
    said = {name: document[name] for name in StockPrice.__slots__}
    said["timestamp"] = datetime.fromisoformat(said["timestamp"])
    quote, epoch = StockPrice.create(**said), document["epoch"]
    # Objections name them.
    if type(epoch) is not int or not (quote.symbol + quote.source).isprintable():
        raise ValueError("no whole number, or no printable text")
    return SignedQuote(quote, epoch, bytes.fromhex(document["signature"]))
