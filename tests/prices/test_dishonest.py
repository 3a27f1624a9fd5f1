"""Dishonest sources: what each kind says, who hears it, and what stays as it was."""

import statistics
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.prices import PriceRound
from streamlet_lab.prices.aggregation import find_aggregator, mean
from streamlet_lab.prices.attacks import most_extreme
from streamlet_lab.prices.feeds import QuoteFeed
from streamlet_lab.prices.outliers import find_outlier_rule
from streamlet_lab.prices.quotes import ORIGIN, StockPrice
from streamlet_lab.prices.source_faults import (
    SOURCE_FAULTS,
    SourceFault,
    Sources,
    make_source_faults,
    source_fault_kind,
)
from streamlet_lab.prices.sources import standard_sources
from streamlet_lab.prices.validation import PreviousConsensus, PriceValidation

EPOCH = 1_000_000
NODES = tuple(f"node_{number}" for number in range(4))
RECEIVERS = (*NODES, "observer")
FIVE = standard_sources(5)
NAMES = tuple(source.name for source in FIVE)
RULES = PriceValidation()
PREVIOUS = PreviousConsensus(Decimal("150.00"), -1)

OWN = SOURCE_FAULTS.own()
EQUIVOCATING = ("dropping", "equivocating")
CENT = Decimal("0.01")
LIAR = "external_feed"


class RisingPath:
    """So many micro-dollars more in each epoch, from $150 on."""

    symbol = "AAPL"

    def __init__(self, rise: int = 100_000) -> None:
        self._rise = rise

    def price(self, market_time):
        return 150_000_000 + self._rise * market_time // EPOCH

    def volume(self, market_time):
        return 5_000

    def timestamp(self, market_time):
        return ORIGIN + timedelta(microseconds=market_time)


def _make(*faults, sources=FIVE, seed=0, symbol="AAPL"):
    names = [source.name for source in sources]
    feed = QuoteFeed(RisingPath(), EPOCH, seed, sources)
    return Sources(feed, make_source_faults(faults, names, seed, symbol))


def _fault(kind, *sources, start=0, stop=None, **how):
    return Fault(kind, sources or (LIAR,), None, start, stop, how)


def _said(sources, epoch, previous=PREVIOUS, rules=RULES, aggregator=mean):
    timestamp = sources.feed.timestamp(epoch)
    known = PriceRound(rules, "AAPL", epoch, previous, timestamp, aggregator)
    return sources.said(known, RECEIVERS)


def _heard(sources, epoch, receiver="node_0", **scene):
    return {quote.source: quote for quote in _said(sources, epoch, **scene)[receiver]}


def _honest(sources, epoch):
    return {quote.source: quote for quote in sources.feed.quotes(epoch)}


def _times(price, factor):
    return (price * Decimal(factor)).quantize(CENT)


# --- What holds for all kinds


@pytest.mark.parametrize("kind", OWN)
def test_a_fault_changes_its_own_quotes_while_it_is_there(kind):
    """Prices stay in cents, and all who are told the same share one tuple."""
    liars = ("market_data_2", "external_feed")
    sources = _make(_fault(kind, *liars, start=3, stop=33))
    for epoch in range(36):
        honest, said = sources.feed.quotes(epoch), _said(sources, epoch)
        different = {id(quotes) for quotes in said.values()}
        assert tuple(said) == RECEIVERS
        assert len(different) == len({*said.values()})
        if not 3 <= epoch < 33:
            assert different == {id(honest)}
        elif kind in EQUIVOCATING:
            assert len(different) == 2
        for quotes in said.values():
            others = [quote for quote in quotes if quote.source not in liars]
            assert others == [quote for quote in honest if quote.source not in liars]
            for quote in quotes:
                assert quote.price == max(round(quote.price, 2), Decimal("0.01"))
                assert quote.volume == int(quote.volume)


@pytest.mark.parametrize("kind", OWN)
def test_what_a_source_says_does_not_depend_on_being_asked_before(kind):
    """Nor on being asked twice: it is one word for each epoch."""
    fault = _fault(kind, "market_data_2", "external_feed")
    regular, rarely = _make(fault, seed=5), _make(fault, seed=5)
    everything = [_said(regular, epoch) for epoch in range(40) for _ in range(2)][::2]
    assert [_said(rarely, epoch) for epoch in (3, 17, 39)] == [
        everything[epoch] for epoch in (3, 17, 39)
    ]


@pytest.mark.parametrize("kind", OWN)
def test_a_source_in_an_outage_is_silent_whatever_its_fault(kind):
    flaky = (*FIVE[:4], replace(FIVE[4], outage=0.5))
    sources = _make(_fault(kind, "market_data_4", "external_feed"), sources=flaky)
    silences = 0
    for epoch in range(40):
        if "external_feed" not in _honest(sources, epoch):
            silences += 1
            for quotes in _said(sources, epoch).values():
                assert "external_feed" not in {quote.source for quote in quotes}
    assert 5 < silences < 35


def test_several_faults_of_a_source_follow_each_other():
    twice = _make(_fault("biased", bp=100), _fault("biased", bp=-500))
    for epoch in range(5):
        first = _times(_honest(twice, epoch)[LIAR].price, "1.01")
        assert _heard(twice, epoch)[LIAR].price == _times(first, "0.95")


# --- Each kind


@pytest.mark.parametrize(("bp", "factor"), [(100, "1.01"), (-2_500, "0.75"), (0.5, "1.00005")])
def test_biased(bp, factor):
    sources = _make(_fault("biased", bp=bp))
    for epoch in range(5):
        honest = _honest(sources, epoch)[LIAR]
        lie = _heard(sources, epoch)[LIAR]
        assert lie == replace(honest, price=_times(honest.price, factor))


@pytest.mark.parametrize("bp", [0, 20])
def test_biased_states_how_sure_it_is(bp):
    lie = _heard(_make(_fault("biased", bp=0, confidence_bp=bp)), 0)[LIAR]
    assert lie.confidence == lie.price * bp / 10_000


def test_stale_since_its_start():
    sources = _make(_fault("stale", start=4, since_start=True))
    prices = {_heard(sources, epoch)[LIAR].price for epoch in range(4, 30)}
    assert prices == {_honest(sources, 4)[LIAR].price}


@pytest.mark.parametrize("start", [0, 8])
@pytest.mark.parametrize(("kind", "age"), [("stale", 2), ("stale", 5), ("replaying", 4)])
def test_an_old_quote_is_the_last_one_that_there_was(kind, age, start):
    """What was said before the fault began is known, and at the beginning it is the first quote."""
    flaky = (*FIVE[:4], replace(FIVE[4], outage=0.6, outage_epochs=4))
    sources = _make(_fault(kind, start=start, epochs=age), sources=flaky)
    said = {epoch: _honest(sources, epoch).get(LIAR) for epoch in range(60)}
    spoken = {epoch: quote for epoch, quote in said.items() if quote is not None}
    for epoch, honest in spoken.items():
        if epoch >= start:
            old = spoken[max((when for when in spoken if when <= epoch - age), default=min(spoken))]
            stale = replace(honest, price=old.price, confidence=old.confidence)
            assert _heard(sources, epoch)[LIAR] == (stale if kind == "stale" else old)


def test_spiking():
    """Of 4,000 epochs: four standard errors of a share of 0.2 are 0.025, of a half 0.07."""
    sources, epochs = _make(_fault("spiking", share=0.2, size_percent=8)), 4_000
    moves = [
        float(_heard(sources, epoch)[LIAR].price / _honest(sources, epoch)[LIAR].price)
        for epoch in range(epochs)
    ]
    spikes = [move for move in moves if move != 1]
    assert abs(len(spikes) / epochs - 0.2) < 0.025
    assert {round(move, 3) for move in spikes} == {0.92, 1.08}
    assert abs(statistics.fmean(move > 1 for move in spikes) - 0.5) < 0.071


def test_volume_inflating():
    sources = _make(_fault("volume_inflating"), _fault("volume_inflating", NAMES[0], bp=50))
    for epoch in range(5):
        honest, heard = _honest(sources, epoch), _heard(sources, epoch)
        lie, same = heard[LIAR], honest[LIAR]
        assert lie == replace(same, volume=1_000 * same.volume)
        assert heard[NAMES[0]].price == _times(honest[NAMES[0]].price, "1.005")


def test_silent():
    sources = _make(_fault("silent", "market_data_2", "external_feed"))
    assert tuple(_heard(sources, 0)) == ("market_data_1", "market_data_3", "market_data_4")


@pytest.mark.parametrize(
    ("direction", "previous", "rules", "price"),
    [
        ("up", PREVIOUS, RULES, "165.00"),
        ("down", PREVIOUS, RULES, "135.00"),
        ("up", PreviousConsensus(Decimal("151.23"), -1), RULES, "166.35"),  # 166.353
        ("down", PreviousConsensus(Decimal("151.23"), -1), RULES, "136.11"),  # 136.107
        ("up", PreviousConsensus(Decimal("150.00"), -1, 1), RULES, "180.00"),  # widened
        ("up", PreviousConsensus(Decimal("480.00"), -1), RULES, "500.00"),
        ("down", PreviousConsensus(Decimal("52.00"), -1), RULES, "50.00"),
        ("up", None, RULES, "500.00"),
        ("down", None, RULES, "50.00"),
        ("up", PREVIOUS, PriceValidation(max_price=Decimal("160.005")), "160.00"),
        ("down", PREVIOUS, PriceValidation(min_price=Decimal("140.005")), "140.01"),
        ("up", PREVIOUS, PriceValidation(max_deviation_percent=Decimal(0)), "150.00"),
    ],
)
def test_colluding(direction, previous, rules, price):
    sources = _make(_fault("colluding", *NAMES[1:3], direction=direction))
    heard = _heard(sources, 0, previous=previous, rules=rules)
    honest = _honest(sources, 0)
    for name in NAMES[1:3]:
        assert heard[name] == replace(honest[name], price=Decimal(price))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(5_000, 50_000),
    st.sampled_from(("up", "down")),
    st.integers(0, 5),
    st.integers(0, 9),
)
def test_a_cent_beyond_the_colluders_price_the_rules_refuse_it(cents, direction, missed, percent):
    previous = PreviousConsensus(Decimal(cents).scaleb(-2), -1, missed)
    rules = PriceValidation(max_deviation_percent=Decimal(percent))
    sources = _make(_fault("colluding", direction=direction))
    lie = _heard(sources, 0, previous=previous, rules=rules)[LIAR]
    step = Decimal("0.01") if direction == "up" else Decimal("-0.01")
    further = replace(lie, price=lie.price + step)
    accepted = [
        PriceRound(rules, "AAPL", 0, previous).check([quote])[0].valid for quote in (lie, further)
    ]
    assert accepted == [True, False]


@pytest.mark.parametrize("name", ["mean", "median", "vwap", "pyth", "trimmed_mean"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_adaptive_carries_out_the_plan_of_its_accomplices(name, direction):
    liars, aggregator = NAMES[3:], find_aggregator(name)
    sources = _make(_fault("adaptive", *liars, direction=direction))
    heard = _heard(sources, 0, aggregator=aggregator)
    honest = sources.feed.quotes(0)
    known = PriceRound(RULES, "AAPL", 0, PREVIOUS, honest[0].timestamp, aggregator)
    plan = most_extreme(honest[:3], liars, known, direction)
    assert tuple(heard[liar] for liar in liars) == plan

    colluding = _make(_fault("colluding", *liars, direction=direction))
    sign = 1 if direction == "up" else -1
    reached, edge = (
        sign * aggregator([*quotes.values()])
        for quotes in (heard, _heard(colluding, 0, aggregator=aggregator))
    )
    assert reached >= edge
    assert reached > sign * aggregator(honest)


def test_adaptive_keeps_within_the_outlier_rule_and_gains_at_least_what_a_small_bias_does():
    """Minutes apart the tail rule leaves liars so little that a blind far end gains nothing."""
    minute = 60_000_000
    rule = find_outlier_rule("tail", minute)
    feed = QuoteFeed(RisingPath(0), minute, 0, FIVE)
    before = PreviousConsensus(Decimal(150), 0)
    known = PriceRound(RULES, "AAPL", 1, before, feed.timestamp(1), mean, rule)

    def reached(fault, seen=known):
        """The price, and whether the liar counts."""
        faults = make_source_faults([fault], NAMES, 0, "AAPL")
        heard = Sources(feed, faults).said(seen, RECEIVERS)["node_0"]
        valid = [check.quote for check in known.check(heard) if check.valid]
        return mean(valid), "external_feed" in {quote.source for quote in valid}

    adaptive = _fault("adaptive", direction="down")
    plan, counts = reached(adaptive)
    small, _ = reached(_fault("biased", bp=-10))
    blind, blind_counts = reached(adaptive, replace(known, outlier=None))
    assert counts
    assert not blind_counts
    assert plan <= small
    assert plan < blind


def test_adaptive_plans_without_those_of_its_own_who_cannot_speak():
    """With the MAD filter one liar goes less far than each of two would."""
    flaky = (*FIVE[:4], replace(FIVE[4], outage=0.5))
    sources = _make(_fault("adaptive", *NAMES[3:]), sources=flaky)
    epoch = next(e for e in range(40) if "external_feed" not in _honest(sources, e))
    honest, aggregator = sources.feed.quotes(epoch), find_aggregator("mad_filter")
    known = PriceRound(RULES, "AAPL", epoch, PREVIOUS, honest[0].timestamp, aggregator)
    (alone,), (one_of_two, _) = (
        most_extreme(honest[:3], liars, known, "up") for liars in (NAMES[3:4], NAMES[3:])
    )
    assert _heard(sources, epoch, aggregator=aggregator)[NAMES[3]] == alone != one_of_two


def test_equivocating():
    sources = _make(_fault("equivocating", bp=200))
    honest = _honest(sources, 0)[LIAR]
    up, down = (replace(honest, price=_times(honest.price, factor)) for factor in ("1.02", "0.98"))
    heard = [_heard(sources, 0, node)[LIAR] for node in NODES]
    assert heard == [down, up, down, up] or heard == [up, down, up, down]


@pytest.mark.parametrize("count", [4, 13])
def test_receivers_are_divided_into_halves(count):
    nodes = [f"node_{number}" for number in range(count)]
    sources = _make(_fault("dropping"))
    said = sources.said(PriceRound(RULES, "AAPL", 0, PREVIOUS, ORIGIN, mean), nodes)
    reached = sum(len(quotes) == 5 for quotes in said.values())
    assert abs(reached - count / 2) <= 1


def test_dropping():
    sources = _make(_fault("dropping"))
    for epoch in range(5):
        honest = sources.feed.quotes(epoch)
        assert set(_said(sources, epoch).values()) == {honest, honest[:-1]}


# --- Kinds by name


def test_a_kind_of_ones_own():
    @source_fault_kind("round_dollars")
    class RoundDollars(SourceFault):
        def quote(self, honest, scene, receiver):
            assert (self.accomplices, receiver) == (NAMES[3:], "")
            return honest and replace(honest, price=honest.price.to_integral_value())

    sources = _make(_fault("round_dollars", *NAMES[3:]))
    heard = _heard(sources, 0)
    assert [heard[name].price for name in NAMES[3:]] == [150, 150]


@pytest.mark.parametrize("kind", [int, SourceFault, lambda start, stop: None, "biased"])
def test_what_is_no_kind_is_refused(kind):
    with pytest.raises(InvalidInput, match=r"^kind: .* a subclass of SourceFault"):
        source_fault_kind("mine")(kind)


def _quote(price, volume=Decimal(100), confidence=None):
    return StockPrice("AAPL", price, volume, "external_feed", ORIGIN, confidence)


def _saying(answer):
    """Five sources, the last of which says this."""

    @source_fault_kind("saying")
    class Saying(SourceFault):
        def quote(self, honest, scene, receiver):
            return answer() if callable(answer) else answer

    return _make(_fault("saying"))


@pytest.mark.parametrize("answer", ["150", StockPrice.create("AAPL", 150, 100, "market_data_1")])
def test_a_kind_that_says_no_quote_of_its_source_is_refused(answer):
    expected = r"^faults: .* a quote of external_feed, or None, from Saying\.quote$"
    with pytest.raises(InvalidInput, match=expected):
        _said(_saying(answer), 0)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (lambda: _quote(Decimal("NaN")), "price"),
        (lambda: _quote(Decimal("150.0000001")), "price"),
        (lambda: _quote(Decimal(10) ** 12), "price"),
        (lambda: _quote("much"), "price"),
        (lambda: _quote(Decimal(150), Decimal("Infinity")), "volume"),
        (lambda: _quote(Decimal(150), Decimal(10) ** 12), "volume"),
        (lambda: _quote(Decimal(150), Decimal(1), Decimal("NaN")), "confidence"),
        (lambda: _quote(Decimal(150), Decimal(1), Decimal("-0.01")), "confidence"),
        (lambda: replace(_quote(Decimal(150)), timestamp=ORIGIN.replace(tzinfo=None)), "timestamp"),
    ],
)
def test_a_quote_of_a_faulty_source_needs_numbers_as_any_other(answer, field):
    with pytest.raises(InvalidInput, match=f"^faults: {field} of external_feed: "):
        _said(_saying(answer), 0)


def test_what_a_faulty_source_says_becomes_a_quote_as_what_a_person_types():
    quote = _heard(_saying(_quote(150.1, 10**11, "0.5")), 0)[LIAR]
    assert quote == _quote(Decimal("150.1"), Decimal(10**11), Decimal("0.5"))
    amounts = (quote.price, quote.volume, quote.confidence)
    assert all(isinstance(amount, Decimal) for amount in amounts)


@pytest.mark.parametrize(
    "fault",
    [
        _fault("biased", bp=1_000_000),
        _fault("spiking", share=1, size_percent=10_000),
        _fault("volume_inflating", factor=1_000_000, bp=1_000_000),
        _fault("colluding", volume_factor=1_000_000),
    ],
    ids=str,
)
def test_the_labs_own_kinds_say_nothing_that_is_too_large_for_a_quote(fault):
    """However loud they are: from the largest prices and volumes that a source can have."""
    largest = Decimal(10**11)
    honest = StockPrice.create("AAPL", largest, largest, "external_feed")
    sources = _make(fault)
    with mock.patch.object(QuoteFeed, "quotes", return_value=(honest,)):
        (said,) = set(_said(sources, 0).values())
    assert said[-1].source == "external_feed"
    assert said[-1].price <= largest
    assert said[-1].volume <= largest


# --- From what a person types


def test_faults_belong_to_the_sources_that_are_named_or_counted():
    named = make_source_faults([_fault("biased", *NAMES[:2])], NAMES, 0, "AAPL")
    counted = make_source_faults([Fault("biased", count=2)], NAMES, 0, "AAPL")
    assert [len(named[name]) for name in NAMES] == [1, 1, 0, 0, 0]
    assert [len(counted[name]) for name in NAMES] == [0, 0, 0, 1, 1]
    assert counted[NAMES[4]][0].source == NAMES[4]
    assert counted[NAMES[4]][0].accomplices == NAMES[3:]
    assert make_source_faults([Fault("biased", count=0)], NAMES, 0, "AAPL") == {
        name: [] for name in NAMES
    }


@pytest.mark.parametrize(
    ("fault", "field", "expected"),
    [
        (_fault("gremlins"), "faults", "one of .*adaptive, .*biased"),
        (_fault("silent", loud=True), "faults.parameters.loud", "no parameters"),
        (_fault("biased", pb=3), "faults.parameters.pb", "the parameters bp, confidence_bp"),
        (_fault("stale", start=1, epoch=3), "faults.parameters.epoch", "epochs, since_start"),
        (_fault("biased", bp="much"), "faults.parameters.bp", "a finite decimal number"),
        (_fault("biased", bp=-10_001), "faults.parameters.bp", "from -10000 to 1000000"),
        (_fault("biased", confidence_bp=-1), "faults.parameters.confidence_bp", "from 0 to 10000"),
        (_fault("stale", epochs=0), "faults.parameters.epochs", "a whole number of at least 1"),
        (_fault("stale", since_start=1), "faults.parameters.since_start", "True or False"),
        (_fault("replaying", epochs=-3), "faults.parameters.epochs", "at least 1"),
        (_fault("spiking", share=1.1), "faults.parameters.share", "from 0 to 1"),
        (_fault("spiking", size_percent=-5), "faults.parameters.size_percent", "from 0 to 10000"),
        (_fault("volume_inflating", factor=-1), "faults.parameters.factor", "from 0 to 1000000"),
        (_fault("colluding", direction="left"), "faults.parameters.direction", "'up' or 'down'"),
        (_fault("dropping", share=0.5), "faults.parameters.share", "no parameters"),
    ],
)
def test_what_no_fault_can_be_is_refused(fault, field, expected):
    with pytest.raises(InvalidInput, match=expected) as refusal:
        make_source_faults([fault], NAMES, 0, "AAPL")
    assert refusal.value.field == field


def test_faults_draw_from_streams_of_their_own():
    """By seed, symbol, source and number of the fault."""
    spiking = _fault("spiking", *NAMES[:2])
    draws = set()
    for seed in (0, 1):
        for symbol in ("AAPL", "IBM"):
            made = make_source_faults([spiking, spiking], NAMES, seed, symbol)
            draws |= {fault.random.random() for name in NAMES for fault in made[name]}
    assert len(draws) == 2 * 2 * 2 * 2
