"""Quotes that their sources sign, as a block carries them beside its payload.

A voter that verifies them knows what each source said, whoever leads. There is exactly one encoding
of a list of signed quotes, as there is of a payload; in which order they are is left to the leader.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from streamlet_lab.errors import InvalidInput
from streamlet_lab.keys import Keyring
from streamlet_lab.prices.payload import MalformedPayload
from streamlet_lab.prices.quotes import StockPrice

_DOMAIN: Final = b"streamlet-lab quote 1\x00"
_KEYS: Final = ("symbol", "price", "volume", "source", "timestamp", "confidence", "epoch")


class SignedQuote(NamedTuple):
    """A quote, the epoch that it is for, and its source's signature over both."""

    quote: StockPrice
    epoch: int
    signature: bytes


def sign_quote(quote: StockPrice, epoch: int, keyring: Keyring) -> SignedQuote:
    """Have its source sign a quote."""
    return SignedQuote(quote, epoch, keyring.sign(quote.source, signed_bytes(quote, epoch)))


def signed_bytes(quote: StockPrice, epoch: int) -> bytes:
    """Return what a source signs: the whole quote, and its epoch against replay.

    Not the chain: as real oracles do, a source speaks to all who listen, so that two chains of one
    seed and the same days could use each other's quotes.
    """
    return _DOMAIN + json.dumps(_document(quote, epoch)).encode()


def encode_quotes(quotes: Iterable[SignedQuote]) -> bytes:
    """Return the attachment that carries these quotes."""
    documents = [
        {**_document(quote, epoch), "signature": signature.hex()}
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
    try:
        documents = json.loads(attachment)
        quotes = tuple(map(_signed_quote, documents))
        again = encode_quotes(quotes)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError) as error:
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
    seen = set()
    for signed in quotes:
        quote = signed.quote
        name = f"quote of {quote.source} for {quote.symbol}"
        if objection := _objection(signed, epoch, symbols, sources, keyring):
            return f"{name}: {objection}"
        if (quote.source, quote.symbol) in seen:
            return f"{name}: twice"
        seen.add((quote.source, quote.symbol))
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
    kept: dict[tuple[str, str], SignedQuote] = {}
    for signed in quotes:
        if _is_readable(signed) and not _objection(signed, epoch, symbols, sources, keyring):
            kept.setdefault((signed.quote.source, signed.quote.symbol), signed)
    return [*kept.values()]


def _objection(
    signed: SignedQuote,
    epoch: int,
    symbols: Collection[str],
    sources: Collection[str],
    keyring: Keyring,
) -> str | None:
    quote, quoted, signature = signed
    if quote.source not in sources:
        return "not a known source"
    if quote.symbol not in symbols:
        return "not a known symbol"
    if quoted != epoch:
        return f"of epoch {quoted}"
    if not keyring.verify(quote.source, signature, signed_bytes(quote, quoted)):
        return "not signed by it"
    return None


def _is_readable(signed: SignedQuote) -> bool:
    try:
        return decode_quotes(encode_quotes([signed])) == (signed,)
    except MalformedPayload:
        return False


def _document(quote: StockPrice, epoch: int) -> dict[str, object]:
    confidence = None if quote.confidence is None else str(quote.confidence)
    timestamp = quote.timestamp.astimezone(UTC).isoformat()
    values = (
        quote.symbol,
        str(quote.price),
        str(quote.volume),
        quote.source,
        timestamp,
        confidence,
        epoch,
    )
    return dict(zip(_KEYS, values, strict=True))


def _signed_quote(document: dict[str, Any]) -> SignedQuote:
    try:
        quote = StockPrice.create(
            document["symbol"],
            document["price"],
            document["volume"],
            document["source"],
            datetime.fromisoformat(document["timestamp"]),
            document["confidence"],
        )
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    epoch = document["epoch"]
    if not isinstance(epoch, int) or isinstance(epoch, bool):
        raise ValueError("epoch is not a whole number")
    for text in (quote.symbol, quote.source):
        if not (isinstance(text, str) and text.isprintable()):  # objections name them
            raise ValueError("symbol or source is not a printable text")
    return SignedQuote(quote, epoch, bytes.fromhex(document["signature"]))
