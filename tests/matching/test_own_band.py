"""Bands of somebody's own, and what goes by a name."""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from streamlet_lab.errors import InvalidInput
from streamlet_lab.matching import (
    NEVER,
    Accepted,
    BandWatch,
    ConsensusBand,
    ConsensusMatchingEngine,
    Decision,
    Instrument,
    MarketState,
    Reference,
    Rejected,
    band,
    bands,
    make_band,
)
from streamlet_lab.matching.rules.consensus_band import ConsensusWatch
from streamlet_lab.matching.watch import REGISTER

from .calling import engine_at, kinds, limit, move


@dataclass(frozen=True)
class FallingBand:
    """Lets prices fall by a percentage of the consensus, and rise by less."""

    percent: int = 5
    rise: int = 1

    def watch(self, pace=1):
        return FallingWatch(self)


class FallingWatch(BandWatch):
    def __init__(self, band):
        self.band = band

    def on_reference(self, ticks, since, time):
        low = math.ceil(ticks * (100 - self.band.percent) / 100)
        return Decision((low, math.floor(ticks * (100 + self.band.rise) / 100)), ticks)


@pytest.fixture
def register(monkeypatch):
    """Keep the register as it was for everybody else."""
    monkeypatch.setattr(REGISTER, "_kinds", dict(REGISTER._kinds))


def test_the_band_of_the_page_on_bands_works(register):
    page = (Path(__file__).parents[2] / "docs/how_to/own_band.md").read_text(encoding="utf-8")
    (example,) = (part.split("```")[0] for part in page.split("```python\n")[1:])
    exec(compile(example, "own_band.md", "exec"), {})
    assert engine_at("100.00", band=make_band("falling")).band_limits == (
        Decimal("95.00"),
        Decimal("101.00"),
    )


def test_a_band_of_ones_own_works_by_its_name(register):
    band("falling")(FallingBand)
    assert "falling" in bands()
    engine = engine_at("100.00", band=make_band("falling", 10, {"rise": 2}))
    assert engine.band_limits == (Decimal("90.00"), Decimal("102.00"))
    (event,) = engine.submit(limit("b-1", "buy", "102.01"))
    assert event.message == "Trade rejected: Price $102.01 deviates 2.01% from consensus $100.00"
    engine.submit(limit("b-2", "buy", "101.00"))
    assert move(engine, "99.00", 1)[-1].order_id == "b-2"


def test_the_labs_own_have_names_and_what_makes_one_needs_none():
    assert {"consensus", "trade_only", "keep_resting", "clip"} <= set(bands())
    assert make_band("consensus") == ConsensusBand()
    assert make_band("trade_only") == ConsensusBand(at_entry="ignore", resting="keep")
    assert make_band("keep_resting") == ConsensusBand(resting="keep")
    assert make_band("clip", 3) == ConsensusBand(3, at_entry="clip", resting="clip")
    assert make_band(FallingBand, 7) == FallingBand(7)
    assert make_band(lambda: FallingBand(3)) == FallingBand(3)


@pytest.mark.parametrize(
    ("kind", "percent", "parameters", "field", "expected"),
    [
        ("wide", 5, {}, "market.band", "one of clip, consensus"),
        (None, 5, {}, "market.band", "one of clip, consensus"),
        (lambda: 3, 5, {}, "market.band", "a method watch"),
        ("consensus", 5, {"width": 3}, "width", "at_entry, resting, stale, stale_after"),
        ("clip", 5, {"resting": "keep"}, "resting", "percent, stale, stale_after"),
        (FallingBand, 5, {"fall": 3}, "fall", "percent, rise"),
        ("consensus", 0, {}, "percent", "more than 0"),
        ("clip", "wide", {}, "percent", "decimal number"),
        ("consensus", 5, {"at_entry": "maybe"}, "at_entry", "'reject', 'clip' or 'ignore'"),
        ("consensus", 5, {"resting": 3}, "resting", "'cancel', 'clip' or 'keep'"),
        ("consensus", 5, {"stale": ["halt"]}, "stale", "'keep', 'widen' or 'halt'"),
        ("consensus", 5, {"stale": "halt"}, "stale_after", "a duration such as"),
        ("consensus", 5, {"stale_after": "3min"}, "stale_after", "stale references are kept"),
        ("clip", 5, {"stale": "widen", "stale_after": "soon"}, "stale_after", "'1min'"),
        ("clip", 5, {"stale": "widen", "stale_after": 0}, "stale_after", "longer than zero"),
        ("clip", 5, {"stale": "widen", "stale_after": -3}, "stale_after", "zero or more"),
        ("clip", 5, {"stale": "widen", "stale_after": True}, "stale_after", "seconds"),
    ],
)
def test_bad_parameters_are_named_with_what_would_be_valid(
    kind, percent, parameters, field, expected
):
    with pytest.raises(InvalidInput) as caught:
        make_band(kind, percent, parameters)
    assert caught.value.field.removeprefix("market.band_parameters.") == field
    assert expected in caught.value.expected


class OwnWatch(BandWatch):
    """A band that is its own watch, for one engine."""

    def watch(self, pace=1):
        return self


class Deciding(OwnWatch):
    """Does what it was given, once there is a reference."""

    def __init__(self, decisions):
        self.decisions = decisions
        self.seen = False

    def on_reference(self, ticks, since, time):
        self.seen = True

    def decide(self, time, best_bid, best_ask):
        return next(self.decisions, None) if self.seen else None


def endless():
    price = 1
    while True:
        yield Decision((price, price))
        price += 1


@pytest.mark.parametrize(
    ("decisions", "field"),
    [
        (endless(), "band"),
        (iter([Decision(state=MarketState.HALTED)]), "state"),
        (iter([Decision((1, 2), Fraction(5))]), "reference"),
        (iter([Decision((1, 2), Fraction(5), kind="guess")]), "kind"),
    ],
)
def test_decision_that_cannot_be_is_refused(decisions, field):
    with pytest.raises(InvalidInput) as caught:
        engine_at("100.00", band=Deciding(decisions))
    assert caught.value.field == field


def test_a_percentage_is_given_once():
    with pytest.raises(InvalidInput, match=r"percent: 3 is not valid; expected another name"):
        make_band("consensus", 5, {"percent": 3})


def test_references_of_the_bands_own_lie_on_the_grid():
    decisions = [Decision((1, 2), Fraction(2_001, 2), kind="trades")]
    engine = engine_at("100.00", band=Deciding(iter(decisions)))
    assert engine.band_reference == Reference(Decimal("10.00"), 0, kind="trades")
    (event,) = engine.submit(limit("b-1", "buy", "102.01"))
    assert event.reference == engine.band_reference
    assert event.message.endswith("deviates 920.10% from reference $10.00")


def test_refusal_before_any_reference_has_words(caplog):
    class Closed(OwnWatch):
        def may_enter(self, side, ticks):
            return None

    caplog.set_level("INFO")
    engine = ConsensusMatchingEngine("AAPL", band=Closed(), without_reference="allow")
    (event,) = engine.submit(limit("b-1", "buy", "100.00"))
    assert event.message == "Trade rejected: The band lets nothing in before its first reference"


def test_alarm_that_does_not_lie_ahead_is_refused():
    class Late(OwnWatch):
        def on_reference(self, ticks, since, time):
            self.alarm = time

    with pytest.raises(InvalidInput, match="alarm: 0 "):
        engine_at("100.00", band=Late())


def test_entry_must_not_be_worse_than_the_limit():
    class Worse(OwnWatch):
        def may_enter(self, side, ticks):
            return ticks + 1

    engine = engine_at("100.00", band=Worse())
    engine.submit(limit("s-1", "sell", "100.00"))
    assert engine.book.best_ask == Decimal("100.01")
    with pytest.raises(InvalidInput, match="no worse for its trader"):
        engine.submit(limit("b-1", "buy", "100.00"))


def test_call_that_a_breach_begins_ends_in_time_though_the_band_does_not_listen():
    class Deaf(OwnWatch):
        on_breach = "auction"
        state = MarketState.OPEN

        def may_enter(self, side, ticks):
            return ticks

        def on_reference(self, ticks, since, time):
            return Decision((9_500, 10_500), ticks)

        def entered(self, state, time):
            self.state = state
            self.alarm = time + 10 if state is MarketState.AUCTION else NEVER

        def decide(self, time, best_bid, best_ask):
            return Decision(state=MarketState.OPEN) if time >= 10 else None

    engine = engine_at("100.00", band=Deaf())
    engine.submit(limit("s-1", "sell", "106.00"), 1)
    engine.submit(limit("b-1", "buy", "106.00"), 1)
    assert engine.market is MarketState.AUCTION
    assert [one.time for one in engine.advance(20)] == [11, 11, 11]
    assert engine.market is MarketState.OPEN


class Even:
    """Lets trades happen at even ticks alone."""

    def may_trade(self, ticks):
        return ticks % 2 == 0


class EvenWatch(Even, OwnWatch):
    """Has its rule from a mixin."""


class EvenBehind(BandWatch):
    """Stands behind a watch that is free inside its own rule, and knows nothing of this one."""

    def may_trade(self, ticks):
        return ticks % 2 == 0


class EvenConsensusWatch(ConsensusWatch, EvenBehind):
    """Joins the two."""

    def watch(self, pace=1):
        return self


class EvenOfItsOwn(OwnWatch):
    """Has its rule on the instance."""

    def __init__(self):
        self.may_trade = Even().may_trade


@pytest.mark.parametrize(
    "make", [EvenWatch, lambda: EvenConsensusWatch(ConsensusBand(), 1), EvenOfItsOwn]
)
def test_a_rule_is_asked_wherever_a_watch_has_it_from(make):
    engine = engine_at("100.00", band=make())
    for cents in ("00", "01"):
        engine.submit(limit(f"s-{cents}", "sell", f"100.{cents}"))
    trades = engine.process_order(limit("b-1", "buy", "100.01", 20))
    assert [trade.price for trade in trades] == [Decimal("100.00")]


class Narrowing(OwnWatch):
    """Moves its limits by itself: at an instant, or with each trade."""

    listens = True

    def __init__(self, alarm=NEVER):
        self.alarm = alarm

    def wake(self, time):
        super().wake(time)
        self.high = 10_000

    def traded(self, ticks, quantity, time):
        self.high = 10_000


@pytest.mark.parametrize("listens", [True, False])
def test_limits_that_a_watch_moves_when_it_wakes_hold(listens):
    watch = Narrowing(alarm=5)
    watch.listens = listens
    engine = engine_at("100.00", band=watch)
    assert kinds(engine.submit(limit("b-1", "buy", "100.01"), 4)) == [Accepted]
    assert kinds(engine.submit(limit("b-2", "buy", "100.01"), 6)) == [Rejected]


def test_limits_that_a_watch_moves_with_a_trade_hold_from_the_next_command_on():
    engine = engine_at("100.00", band=Narrowing())
    engine.submit(limit("s-1", "sell", "100.01"))
    engine.submit(limit("s-2", "sell", "100.02"))
    assert len(engine.process_order(limit("b-1", "buy", "100.02", 20))) == 2
    assert kinds(engine.submit(limit("b-2", "buy", "100.01"))) == [Rejected]


def test_a_band_that_is_off_the_grid_of_its_own_making_is_no_fault_of_the_order():
    class Coarse(OwnWatch):
        listens = True

        def decide(self, time, best_bid, best_ask):
            if best_bid:
                Instrument("AAPL", tick="0.05").ticks(Decimal("100.01"))

    engine = engine_at("100.00", Instrument("AAPL", tick="0.05"), band=Coarse())
    with pytest.raises(InvalidInput, match="price"):
        engine.submit(limit("b-1", "buy", "100.00"))
    assert kinds(engine.events)[-1] is Accepted
