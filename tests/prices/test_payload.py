"""One encoding for each value, and no bytes at all that do harm."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streamlet_lab.prices import (
    ORIGIN,
    Claim,
    GenesisPrice,
    MalformedPayload,
    NoPrice,
    PriceConsensus,
    decode_claims,
    decode_payload,
    encode_claims,
)

CONSENSUS = PriceConsensus("AAPL", Decimal("152.45"), Decimal("152.67"), Decimal(4500), 3, ORIGIN)
NO_PRICE = NoPrice("AAPL", "1 of 3 sources valid, 2 needed", ORIGIN)
GENESIS = GenesisPrice("AAPL", Decimal("150.00"))
MICROSOFT = replace(CONSENSUS, symbol="MSFT", consensus_price=Decimal("300.01"))
IBM = replace(NO_PRICE, symbol="IBM")
GENESES = (GENESIS, GenesisPrice("MSFT", Decimal("300.00")))

texts = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
timestamps = st.datetimes(timezones=st.just(UTC))
prices = st.integers(1, 10**12 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
shares = st.integers(0, 10**12 - 1).map(Decimal)
decimals = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(0, 10**12 - 1),
    st.integers(0, 6),
)
# Everything that a leader can put into the form, sensible or not.
claims: st.SearchStrategy[Claim] = st.one_of(
    st.builds(
        PriceConsensus, texts, prices, prices, shares, st.integers(0, 100), timestamps, st.just("")
    ),
    st.builds(NoPrice, texts, texts, timestamps),
)
geneses = st.builds(GenesisPrice, texts, decimals)
batches: st.SearchStrategy[list[Claim]] = st.one_of(
    st.lists(claims, min_size=1, max_size=5), st.lists(geneses, min_size=1, max_size=5)
).filter(lambda batch: len({claim.symbol for claim in batch}) == len(batch))


def test_the_bytes_are_fixed():
    assert CONSENSUS.to_payload() == (
        b'{"type": "price_consensus", "symbol": "AAPL", "consensus_price": "152.45", '
        b'"volume_weighted_price": "152.67", "total_volume": "4500", "price_count": 3, '
        b'"timestamp": "2024-01-15T10:30:00Z"}'
    )
    assert NO_PRICE.to_payload() == (
        b'{"type": "no_price", "symbol": "AAPL", "reason": "1 of 3 sources valid, 2 needed", '
        b'"timestamp": "2024-01-15T10:30:00Z"}'
    )
    assert GENESIS.to_payload() == b'{"type": "genesis", "symbol": "AAPL", "price": "150.00"}'
    assert encode_claims(GENESES) == (
        b'{"type": "genesis_batch", "prices": ['
        b'{"type": "genesis", "symbol": "AAPL", "price": "150.00"}, '
        b'{"type": "genesis", "symbol": "MSFT", "price": "300.00"}]}'
    )
    assert json.loads(encode_claims([CONSENSUS, IBM])) == {
        "type": "price_consensus_batch",
        "prices": [_document(CONSENSUS), _document(IBM)],
    }


def test_the_hash_of_the_block_is_not_in_the_block():
    assert CONSENSUS.block_hash == ""
    proposed = CONSENSUS.in_block(bytes.fromhex("a1b2c3d4"))

    assert proposed == replace(CONSENSUS, block_hash="a1b2c3d4")
    assert proposed.to_payload() == CONSENSUS.to_payload()


def test_timestamps_are_in_utc_whatever_the_zone():
    elsewhere = ORIGIN.astimezone(timezone(timedelta(hours=-5)))

    assert replace(CONSENSUS, timestamp=elsewhere).to_payload() == CONSENSUS.to_payload()


@given(batches)
@example([CONSENSUS])
@example([replace(CONSENSUS, timestamp=datetime(1, 1, 1, tzinfo=UTC))])
@example([replace(CONSENSUS, timestamp=datetime.max.replace(tzinfo=UTC))])
@example([CONSENSUS, IBM, MICROSOFT])
@example([MICROSOFT, IBM, CONSENSUS])
def test_what_is_encoded_is_decoded(batch):
    payload = encode_claims(batch)

    assert decode_claims(payload) == tuple(batch)
    assert encode_claims(decode_claims(payload)) == payload
    assert json.dumps(json.loads(payload)).encode() == payload
    if len(batch) == 1:
        assert payload == batch[0].to_payload()
        assert decode_payload(payload) == batch[0]
    else:
        with pytest.raises(MalformedPayload, match="symbols instead of one"):
            decode_payload(payload)


@given(st.binary(max_size=200))
def test_bytes_that_nobody_encoded_are_refused(payload):
    with pytest.raises(MalformedPayload):
        decode_claims(payload)


@given(
    st.sampled_from([(CONSENSUS,), (NO_PRICE,), (GENESIS,), (CONSENSUS, IBM)]),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    ),
)
def test_a_mutation_is_refused_or_encodes_what_it_decodes_to(batch, edits):
    """Up to three bytes are cut out somewhere, and up to three others put in their place."""
    payload = encode_claims(batch)
    for place, length, insertion in edits:
        place %= len(payload) + 1
        payload = payload[:place] + insertion + payload[place + length :]

    try:
        decoded = decode_claims(payload)
    except MalformedPayload:
        return
    assert encode_claims(decoded) == payload


def _document(claim):
    return json.loads(claim.to_payload())


def _with(**changes):
    return json.dumps({**_document(CONSENSUS), **changes}).encode()


def _batch(*documents, kind="price_consensus_batch", **more):
    return json.dumps({"type": kind, "prices": documents, **more}).encode()


ONE, TWO = _document(CONSENSUS), _document(MICROSOFT)
NO_TEXT, NO_DECIMAL = "is not a text", "consensus_price is not a plain decimal"
NO_LIST = "prices is not a list of two objects or more"


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b'["type"]', "not a JSON object"),
        (b"{}", "no 'type'"),
        (b'{"type": "other", "symbol": "AAPL"}', "unknown type 'other'"),
        (_with(symbol=1), f"symbol {NO_TEXT}"),
        (_with(symbol="AA\nPL"), "symbol is not printable"),
        (_with(consensus_price=152.45), f"consensus_price {NO_TEXT}"),
        (_with(consensus_price="NaN"), NO_DECIMAL),
        (_with(consensus_price="1.5E+2"), NO_DECIMAL),
        (_with(consensus_price="-152.45"), NO_DECIMAL),
        (_with(consensus_price="152.45\n"), "consensus_price is not"),
        (_with(consensus_price="١٥٢"), NO_DECIMAL),
        (_with(consensus_price="152.0000001"), NO_DECIMAL),
        pytest.param(_with(consensus_price="9" * 100_000), NO_DECIMAL, id="huge price"),
        (_with(consensus_price="0152.45"), "not in canonical form"),
        (_with(total_volume=4500), f"total_volume {NO_TEXT}"),
        (_with(price_count="3"), "price_count is not a whole number"),
        (_with(price_count=True), "price_count is not a whole number"),
        (_with(price_count=-1), "price_count is not a whole number"),
        pytest.param(
            b'{"type": "genesis", "symbol": "AAPL", "price": 1' + b"0" * 5_000 + b"}",
            "not JSON",
            id="huge integer",
        ),
        (_with(consensus_price="0.00"), "consensus_price is not a price in cents"),
        (_with(timestamp="2024-01-15T10:30:00"), "timestamp is not a time in ISO format, in UTC"),
        (_with(timestamp="2024-02-30T10:30:00Z"), "timestamp is not a time in ISO format, in UTC"),
        (_with(timestamp="2024-01-15 10:30:00Z"), "not in canonical form"),
        (_with(timestamp="2024-01-15T10:30:00.1234567Z"), "not in canonical form"),
        (_with(extra=1), "not in canonical form"),
        (CONSENSUS.to_payload() + b"\n", "not in canonical form"),
        (CONSENSUS.to_payload().replace(b": ", b":"), "not in canonical form"),
        (CONSENSUS.to_payload().replace(b'"AAPL"', b'"\\u0041APL"'), "not in canonical form"),
        (CONSENSUS.to_payload().replace(b"{", b'{"type": 1, ', 1), "not JSON"),
        (b"\xef\xbb\xbf" + CONSENSUS.to_payload(), "not in canonical form"),
        (_batch(), NO_LIST),
        (_batch(ONE), NO_LIST),
        (b'{"type": "price_consensus_batch"}', "no 'prices'"),
        (b'{"type": "price_consensus_batch", "prices": 7}', NO_LIST),
        (b'{"type": "price_consensus_batch", "prices": {"a": 1, "b": 2}}', NO_LIST),
        (_batch(ONE, 7), NO_LIST),
        (_batch(ONE, [TWO]), NO_LIST),
        (_batch(ONE, {}), "no 'type'"),
        (_batch(ONE, {"type": "no_price"}), "no 'symbol'"),
        (_batch(ONE, {"type": "other", "symbol": "MSFT"}), "unknown type 'other'"),
        (_batch(ONE, ONE), "a symbol twice"),
        (_batch(ONE, TWO, _document(NO_PRICE)), "a symbol twice"),
        (_batch(ONE, _document(GENESES[1])), "does not belong into a price_consensus_batch"),
        (_batch(*map(_document, GENESES)), "does not belong into a price_consensus_batch"),
        (_batch(ONE, TWO, kind="genesis_batch"), "does not belong into a genesis_batch"),
        (_batch(_document(GENESIS), TWO, kind="genesis_batch"), "does not belong into a genesis"),
        (_batch(ONE, json.loads(_batch(ONE, TWO))), "unknown type 'price_consensus_batch'"),
        (_batch(ONE, {**TWO, "consensus_price": "300.0"}), "not a price in cents"),
        (_batch(ONE, {**TWO, "extra": 1}), "not in canonical form"),
        (_batch(ONE, dict(reversed(TWO.items()))), "not in canonical form"),
        (_batch(ONE, TWO, extra=1), "not in canonical form"),
        (_batch(ONE, TWO) + b" ", "not in canonical form"),
    ],
)
def test_a_malformed_payload_is_refused_with_a_reason(payload, complaint):
    with pytest.raises(MalformedPayload, match=complaint):
        decode_claims(payload)


@pytest.mark.parametrize("key", ONE)
def test_every_key_is_needed(key):
    document = {name: value for name, value in ONE.items() if name != key}

    with pytest.raises(MalformedPayload, match=f"no '{key}'"):
        decode_claims(json.dumps(document).encode())
