"""Signed quotes: one encoding, and no evidence but what the sources of this epoch signed."""

import json
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlet_lab.keys import Ed25519Keyring, IdealSignatures, make_keyring
from streamlet_lab.prices import (
    ORIGIN,
    SOURCES,
    MalformedPayload,
    SignedQuote,
    StockPrice,
    admissible_quotes,
    decode_quotes,
    encode_quotes,
    objection_to_quotes,
    sign_quote,
)

EPOCH = 7
SYMBOLS = ("AAPL", "MSFT")
ED25519 = Ed25519Keyring(SOURCES, 0)
IDEAL = IdealSignatures(0)

texts = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
micros = st.integers(-(10**17), 10**17).map(lambda amount: Decimal(amount).scaleb(-6))
quotes = st.builds(
    StockPrice,
    texts,
    micros,
    st.builds(
        lambda digits, places: Decimal(digits).scaleb(-places),
        st.integers(-(10**11), 10**11),
        st.integers(0, 12),
    ),
    texts,
    st.datetimes(timezones=st.just(UTC)),
    st.none() | micros.map(abs),
)
signed_quotes = st.builds(SignedQuote, quotes, st.integers(), st.binary(max_size=64))


def _quote(price="152.45", source=SOURCES[0], symbol="AAPL"):
    return StockPrice.create(symbol, price, 1500, source, ORIGIN, "0.02")


def _epoch_of_quotes(keyring=ED25519, epoch=EPOCH):
    return [
        sign_quote(_quote(f"152.4{number}", source, symbol), epoch, keyring)
        for symbol in SYMBOLS
        for number, source in enumerate(SOURCES)
    ]


def _objection(signed, keyring=ED25519):
    return objection_to_quotes(signed, EPOCH, SYMBOLS, SOURCES, keyring)


# --- The encoding


def test_the_bytes_are_fixed():
    quote = replace(_quote(), confidence=None)

    assert encode_quotes([SignedQuote(quote, 7, b"\x01\xff")]) == (
        b'[{"symbol": "AAPL", "price": "152.45", "volume": "1500", "source": "market_data_1", '
        b'"timestamp": "2024-01-15T10:30:00+00:00", "confidence": null, "epoch": 7, '
        b'"signature": "01ff"}]'
    )


@given(st.lists(signed_quotes, max_size=3))
def test_what_is_encoded_is_decoded(signed):
    attachment = encode_quotes(signed)

    assert decode_quotes(attachment) == tuple(signed)
    assert encode_quotes(decode_quotes(attachment)) == attachment


@pytest.mark.parametrize("keyring", [ED25519, IDEAL])
def test_any_changed_byte_is_refused_or_fails_its_signature(keyring):
    attachment = encode_quotes(_epoch_of_quotes(keyring)[:2])
    for place, byte in enumerate(attachment):
        for other in {byte ^ 1, byte ^ 2, byte ^ 32, 0x20, 0x30} - {byte}:
            forged = attachment[:place] + bytes([other]) + attachment[place + 1 :]
            try:
                signed = decode_quotes(forged)
            except MalformedPayload:
                continue
            assert _objection(list(signed), keyring) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 3), st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    )
)
def test_no_mutation_does_harm_or_makes_other_evidence(edits):
    """Cut out up to three bytes somewhere and put up to three others in their place."""
    genuine = _epoch_of_quotes()[:2]
    attachment = encode_quotes(genuine)
    for place, length, insertion in edits:
        place %= len(attachment) + 1
        attachment = attachment[:place] + insertion + attachment[place + length :]
    try:
        signed = decode_quotes(attachment)
    except MalformedPayload:
        return
    assert _objection(list(signed)) is not None or {*signed} <= {*genuine}


def _with(**changes):
    document = json.loads(encode_quotes(_epoch_of_quotes()[:1]))[0]
    return json.dumps([{**document, **changes}]).encode()


GENUINE = encode_quotes(_epoch_of_quotes()[:1])
NOT_READ = "signed quotes that cannot be read"
NOT_CANONICAL = "signed quotes not in canonical form"


@pytest.mark.parametrize(
    ("attachment", "complaint"),
    [
        (b"", NOT_READ),
        (b"\xff", NOT_READ),
        (b"null", NOT_READ),
        (b"[7]", NOT_READ),
        (_with(symbol=7), NOT_READ),
        (_with(symbol="AA\nPL"), NOT_READ),
        (_with(source="\ud800"), NOT_READ),
        (_with(price="NaN"), NOT_READ),
        (_with(price="152.0000001"), NOT_READ),
        (_with(price="1" * 13), NOT_READ),
        (_with(price=152.45), NOT_CANONICAL),
        (_with(price="0152.45"), NOT_CANONICAL),
        (_with(volume="NaN"), NOT_READ),
        (_with(volume=1500), NOT_CANONICAL),
        (_with(confidence="-0.01"), NOT_READ),
        (_with(timestamp="2024-01-15T10:30:00"), NOT_READ),
        (_with(timestamp="2024-01-15T10:30:00Z"), NOT_CANONICAL),
        (_with(timestamp="9999-12-31T23:59:59-23:59"), NOT_READ),
        (_with(epoch=7.0), NOT_READ),
        (_with(epoch=True), NOT_READ),
        (_with(signature="xy"), NOT_READ),
        (_with(signature="0A"), NOT_CANONICAL),
        (_with(extra=1), NOT_CANONICAL),
        (GENUINE + b"\n", NOT_CANONICAL),
        (GENUINE.replace(b": ", b":"), NOT_CANONICAL),
        (GENUINE.replace(b'"AAPL"', b'"\\u0041APL"'), NOT_CANONICAL),
        (GENUINE.replace(b"{", b'{"symbol": "IBM", ', 1), NOT_READ),
        (b"\xef\xbb\xbf" + GENUINE, NOT_CANONICAL),
    ],
    ids=str,
)
def test_a_malformed_attachment_is_refused_with_a_reason(attachment, complaint):
    with pytest.raises(MalformedPayload, match=complaint):
        decode_quotes(attachment)


@pytest.mark.parametrize("key", json.loads(GENUINE)[0])
def test_every_key_is_needed(key):
    [document] = json.loads(GENUINE)
    del document[key]

    with pytest.raises(MalformedPayload, match=NOT_READ):
        decode_quotes(json.dumps([document]).encode())


# --- What is evidence


@pytest.mark.parametrize("keyring", [ED25519, IDEAL])
def test_what_the_sources_signed_is_evidence_in_any_order_and_number(keyring):
    signed = _epoch_of_quotes(keyring)

    for some in (signed, signed[::-1], signed[:1], []):
        read = decode_quotes(encode_quotes(some))
        assert _objection(list(read), keyring) is None
        assert admissible_quotes(some, EPOCH, SYMBOLS, SOURCES, keyring) == some


def _other(one, **changes):
    """A quote with another content under the same signature."""
    return one._replace(quote=replace(one.quote, **changes))


FIRST, SECOND, *REST = _epoch_of_quotes()
STRANGERS = Ed25519Keyring(["stranger"], 0)

NO_EVIDENCE = [
    (_epoch_of_quotes(epoch=6)[0], "of epoch 6"),
    (_epoch_of_quotes(epoch=6)[0]._replace(epoch=EPOCH), "not signed by it"),
    (sign_quote(_quote(source="stranger"), EPOCH, STRANGERS), "not a known source"),
    (FIRST._replace(signature=SECOND.signature), "not signed by it"),
    (FIRST._replace(signature=FIRST.signature + b"\x00"), "not signed by it"),
    (_other(FIRST, price=Decimal("152.41")), "not signed by it"),
    (_other(FIRST, volume=Decimal(1501)), "not signed by it"),
    (_other(FIRST, confidence=None), "not signed by it"),
    (_other(FIRST, timestamp=ORIGIN + timedelta(microseconds=1)), "not signed by it"),
    (_other(FIRST, source=SOURCES[1]), "not signed by it"),
    (_other(sign_quote(_quote(symbol="IBM"), EPOCH, ED25519)), "not a known symbol"),
    (_epoch_of_quotes(Ed25519Keyring(SOURCES, 1))[0], "not signed by it"),
    (_epoch_of_quotes(IDEAL)[0], "not signed by it"),
]


@pytest.mark.parametrize(("bad", "objection"), NO_EVIDENCE)
def test_anything_else_spoils_the_attachment_and_an_honest_leader_leaves_it_out(bad, objection):
    name = f"quote of {bad.quote.source} for {bad.quote.symbol}"
    for signed in ([bad, *REST], [*REST, bad]):
        assert _objection(signed) == f"{name}: {objection}"
        assert admissible_quotes(signed, EPOCH, SYMBOLS, SOURCES, ED25519) == REST


@pytest.mark.parametrize("again", [FIRST, sign_quote(_quote("160.00"), EPOCH, ED25519)])
def test_a_source_is_heard_once_for_a_symbol(again):
    signed = [FIRST, *REST, again]

    assert _objection(signed) == "quote of market_data_1 for AAPL: twice"
    assert admissible_quotes(signed, EPOCH, SYMBOLS, SOURCES, ED25519) == [FIRST, *REST]


@pytest.mark.parametrize(
    "changes",
    [
        {"volume": Decimal(10) ** 12},
        {"volume": Decimal("1E+20")},
        {"volume": Decimal("NaN")},
        {"price": Decimal("152.0000001")},
        {"price": Decimal("Infinity")},
        {"confidence": Decimal(-1)},
    ],
)
@pytest.mark.parametrize("scheme", ["ed25519", "none"])
def test_an_honest_leader_leaves_out_what_nobody_could_read(changes, scheme):
    """The source means it: its signature is good, and its program is not this one."""
    keyring = make_keyring(scheme, SOURCES, 0)
    good = _epoch_of_quotes(keyring)[1:]
    quote = _quote()
    for name, value in changes.items():
        object.__setattr__(quote, name, value)
    bad = sign_quote(quote, EPOCH, keyring)

    with pytest.raises(MalformedPayload):
        decode_quotes(encode_quotes([bad, *good]))
    assert admissible_quotes([bad, *good], EPOCH, SYMBOLS, SOURCES, keyring) == good
