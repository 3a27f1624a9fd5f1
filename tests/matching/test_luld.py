"""The rules of LULD, told to its watch alone: prices in ticks, instants in microseconds."""

from copy import deepcopy
from fractions import Fraction

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from streamlet_lab.matching.events import MarketState
from streamlet_lab.matching.rules import LuldBand
from streamlet_lab.matching.watch import NEVER, Decision, make_band

OPEN, LIMIT, AUCTION, HALTED = (
    MarketState.OPEN,
    MarketState.LIMIT,
    MarketState.AUCTION,
    MarketState.HALTED,
)
SECOND = 1_000_000


class Market:
    """What an engine is to a watch: it tells facts, asks, and does what the watch decides.

    It has quotes instead of a book. A call auction trades once, at the ask, where the quotes cross
    and the watch lets it.
    """

    def __init__(self, watch, every_instant=False):
        self.watch = watch
        self.every_instant = every_instant  # ask at each microsecond, whatever the alarm
        self.now = 0
        self.state = OPEN
        self.limits = (0, NEVER)
        self.reference = None
        self.bid = self.ask = None
        self.unsettled = False  # whether an auction left quotes beyond the edges
        self.history = []

    def at(self, time):
        """Let time pass until an instant."""
        while self.now < time:
            alarm = self.now + 1 if self.every_instant else self.watch.alarm
            assert alarm > self.now
            if alarm > time:
                break
            self.now = alarm
            self.watch.wake(alarm)
            self.settle()
        self.now = time
        return self

    def learn(self, ticks):
        """A consensus price becomes final."""
        decision = self.watch.on_reference(Fraction(ticks), self.now, self.now)
        if decision is not None:
            self.obey(decision)
        self.settle()
        return self

    def trade(self, *prices, quantity=100):
        for ticks in prices:
            self.watch.traded(ticks, quantity, self.now)
        self.settle()
        return self

    def quote(self, bid=None, ask=None):
        self.bid = None if bid is None else self.watch.may_enter(1, bid)
        self.ask = None if ask is None else self.watch.may_enter(-1, ask)
        self.settle()
        return self

    def enter(self, state):
        """Change the state, as an operator or a decision does."""
        if self.state is AUCTION:
            self.unsettled = True
            if self.crosses():
                self.watch.traded(self.ask, 100, self.now)
                self.bid = self.ask = None
        self.state = state
        self.watch.entered(state, self.now)
        self.history.append((self.now, state))

    def crosses(self):
        return None not in (self.bid, self.ask) and self.bid >= self.ask

    def operate(self, state):
        self.enter(state)
        self.settle()
        return self

    def settle(self):
        for _ in range(10):
            decision = self.watch.decide(self.now, self.bid, self.ask)
            if decision is not None and self.obey(decision):
                continue
            if not self.unsettled:
                return
            self.clip()
        raise AssertionError("the watch does not come to rest")

    def obey(self, decision):
        """Do what is decided, and say whether this changed anything."""
        changes = False
        reference = decision.reference, decision.kind, self.now
        if decision.limits is not None and reference != self.reference:
            changes = True
            self.limits, self.reference = decision.limits, reference
            self.watch.moved(decision.limits, decision.reference, self.now)
            self.history.append((self.now, decision.kind, decision.reference, decision.limits))
            self.clip()
        stays = self.state is AUCTION and self.crosses()
        stays = stays and not self.watch.may_clear(self.ask, self.now)
        if decision.state not in (None, self.state) and self.state is not HALTED and not stays:
            changes = True
            self.enter(decision.state)
        return changes

    def clip(self):
        """Move aggressive quotes to the edge."""
        self.unsettled = False
        self.bid = None if self.bid is None else min(self.bid, self.limits[1])
        self.ask = None if self.ask is None else max(self.ask, self.limits[0])


@pytest.fixture
def market():
    """A market at $100.00 from the instant 0 on: its bands are at $95 and $105."""
    return Market(LuldBand().watch()).learn(10_000)


# -- bands


def test_first_consensus_opens_the_bands_and_later_ones_do_not_matter(market):
    assert market.history == [(0, "consensus", 10_000, (9_500, 10_500))]
    market.at(60 * SECOND).learn(20_000)
    assert len(market.history) == 1


def test_aggressive_prices_are_moved_to_the_edge_and_passive_ones_wait(market):
    watch = market.watch
    assert watch.may_enter(1, 10_501) == 10_500
    assert watch.may_enter(-1, 9_499) == 9_500
    assert watch.may_enter(1, 9_000) == 9_000
    assert watch.may_enter(-1, 11_000) == 11_000
    assert watch.may_enter(1, 10_500) == 10_500
    assert watch.resting == "clip"


# -- reference


def test_mean_of_the_trades_is_published_from_one_percent_on(market):
    # Means: 100.99, 100.995, 101.00.
    market.at(40 * SECOND).trade(10_099)
    market.at(50 * SECOND).trade(10_100)
    assert len(market.history) == 1
    market.at(60 * SECOND).trade(10_101)
    assert market.history[1:] == [(60 * SECOND, "trades", 10_100, (9_595, 10_605))]


def test_odd_lots_do_not_count(market):
    market.at(40 * SECOND).trade(10_400, quantity=99)
    assert market.at(340 * SECOND).history == [(0, "consensus", 10_000, (9_500, 10_500))]
    market.trade(10_300, quantity=100)
    assert market.history[-1] == (340 * SECOND, "trades", 10_300, (9_785, 10_815))


def test_reference_stays_in_force_for_thirty_seconds_and_then_moves_without_a_trade(market):
    market.at(10 * SECOND).trade(10_200)
    market.at(30 * SECOND - 1)
    assert len(market.history) == 1
    market.at(31 * SECOND)
    assert market.history[1:] == [(30 * SECOND, "trades", 10_200, (9_690, 10_710))]
    market.at(59 * SECOND).trade(10_600)
    assert len(market.history) == 2
    market.at(61 * SECOND)
    assert market.history[2][:3] == (60 * SECOND, "trades", 10_400)


def test_trade_leaves_the_window_after_five_minutes_and_may_move_the_mean_by_that(market):
    market.at(10 * SECOND).trade(9_950)
    market.at(20 * SECOND).trade(10_150)
    market.at(310 * SECOND - 1)
    assert len(market.history) == 1
    market.at(400 * SECOND)
    assert market.history[1:] == [(310 * SECOND, "trades", 10_150, (9_643, 10_657))]


# -- limit state


@pytest.mark.parametrize(
    ("quotes", "is_limit"),
    [
        ((10_500, 10_501), True),
        ((10_500, None), True),
        ((10_499, 10_500), False),
        ((10_499, None), False),
        ((9_499, 9_500), True),
        ((None, 9_500), True),
        ((9_500, 9_501), False),
        ((9_000, 11_000), False),
        ((None, None), False),
    ],
)
def test_limit_state_is_a_best_bid_at_the_upper_or_a_best_ask_at_the_lower_band(
    market, quotes, is_limit
):
    market.at(5).quote(*quotes)
    assert market.history[1:] == ([(5, LIMIT)] if is_limit else [])


def test_limit_state_leads_to_a_pause_after_fifteen_seconds_and_that_ends_after_five_minutes(
    market,
):
    market.at(1 * SECOND).quote(ask=9_400)
    market.at(1_000 * SECOND - 1)
    assert market.history[1:] == [
        (1 * SECOND, LIMIT),
        (16 * SECOND, AUCTION),
        (316 * SECOND, OPEN),
        # There was no bid to trade with. The ask is still at the lower band.
        (316 * SECOND, LIMIT),
        (331 * SECOND, AUCTION),
        (631 * SECOND, OPEN),
        (631 * SECOND, LIMIT),
        (646 * SECOND, AUCTION),
        (946 * SECOND, OPEN),
        (946 * SECOND, LIMIT),
        (961 * SECOND, AUCTION),
    ]


# -- pause and reopening


@pytest.fixture
def paused(market):
    """A market in a pause since 100 s, with a trade at $104 at 99 s."""
    market.at(85 * SECOND).quote(10_500)
    market.at(99 * SECOND).trade(10_400)
    market.at(100 * SECOND)
    assert market.state is AUCTION
    return market


@pytest.mark.parametrize(("ask", "pauses"), [(11_000, 1), (11_001, 2), (9_000, 1), (8_999, 2)])
def test_reopening_outside_the_collars_waits_until_they_are_wide_enough(paused, ask, pauses):
    paused.quote(20_000, ask).at((100 + 300 * pauses) * SECOND - 1)
    assert paused.state is AUCTION
    paused.at((100 + 300 * pauses) * SECOND)
    assert paused.history[-1][:3] == ((100 + 300 * pauses) * SECOND, "auction", ask)


def test_reopening_price_is_the_new_reference_and_counts_only_once(paused):
    paused.quote(11_500, 11_000).at(400 * SECOND)
    assert paused.history[-2:] == [
        (400 * SECOND, OPEN),
        (400 * SECOND, "auction", 11_000, (10_450, 11_550)),
    ]
    # The mean of what was traded after the reopening is 112.00; with the auction it were 111.00,
    # with the trade before the pause 109.33.
    paused.at(440 * SECOND).trade(11_200)
    assert paused.history[-1][:3] == (440 * SECOND, "trades", 11_200)


# -- parameters


def test_durations_are_market_time_and_the_pace_converts_them():
    # A minute of the market in a second of the engine.
    market = Market(LuldBand().watch(Fraction(1, 60))).learn(10_000).trade(10_300)
    market.at(SECOND // 2 - 1)
    assert len(market.history) == 1
    assert market.at(SECOND // 2).history[-1][:3] == (SECOND // 2, "trades", 10_300)
    market.quote(market.limits[1]).at(SECOND * 3 // 4 + 5 * SECOND)
    assert market.history[2:5] == [
        (SECOND // 2, LIMIT),
        (SECOND * 3 // 4, AUCTION),
        (SECOND * 3 // 4 + 5 * SECOND, OPEN),
    ]
    market.quote().at(10 * SECOND).trade(10_600)
    market.at(12 * SECOND).trade(10_500)
    # The trade at 10 s leaves the window at 15 s.
    assert market.watch.alarm == 15 * SECOND


def test_duration_shorter_than_a_microsecond_of_the_engine_becomes_one():
    market = Market(LuldBand().watch(Fraction(1, 10**9))).learn(10_000).quote(10_500).at(2)
    assert market.history[1:4] == [(0, LIMIT), (1, AUCTION), (2, OPEN)]


def test_every_parameter_is_used():
    band = make_band(
        "luld",
        10,
        {"window": 20, "publish_percent": 2, "hold": 3, "limit": 4, "pause": "5s", "round_lot": 7},
    )
    assert band == LuldBand(10, 20, 2, 3, 4, "5s", 7)
    market = Market(band.watch()).learn(10_000).trade(10_900, quantity=6)
    assert market.limits == (9_000, 11_000)
    market.at(1 * SECOND).trade(10_199)
    assert len(market.at(4 * SECOND).history) == 1
    market.trade(10_201)
    assert len(market.history) == 2
    market.at(5 * SECOND).trade(10_996)
    market.at(20 * SECOND)
    assert market.history[2:] == [(7 * SECOND, "trades", 10_465, (9_419, 11_511))]
    market.quote(11_511).at(30 * SECOND)
    assert market.history[3:5] == [(20 * SECOND, LIMIT), (24 * SECOND, AUCTION)]
    assert market.history[5][0] == 29 * SECOND
    # The trades at 1 s and at 4 s left the window before.
    assert market.limits == (9_419, 11_511)


# -- against a model that recomputes everything from all facts


class NaiveLuld:
    """LULD from the list of all facts, with nothing remembered in between."""

    percent, window, publish_percent, hold, limit, pause, round_lot = 5, 20, 1, 6, 4, 10, 100
    alarm = 0

    def __init__(self):
        self.facts = []

    def band(self):
        """The same rules for the watch; a microsecond is a millionth of a second."""
        durations = (f"{us}us" for us in (self.window, self.hold, self.limit, self.pause))
        window, hold, limit, pause = durations
        return LuldBand(
            self.percent, window, self.publish_percent, hold, limit, pause, self.round_lot
        )

    def wake(self, time):
        pass

    def traded(self, ticks, quantity, time):
        self.facts.append(("traded", time, ticks, quantity))

    def moved(self, limits, reference, time):
        self.facts.append(("moved", time, limits, reference))

    def entered(self, state, time):
        self.facts.append(("entered", time, state))

    def limits(self):
        moves = [fact for fact in self.facts if fact[0] == "moved"]
        return moves[-1][2] if moves else (0, NEVER)

    def may_enter(self, side, ticks):
        low, high = self.limits()
        if self.state()[0] is AUCTION:
            return ticks
        if side > 0 and ticks > high:
            return high
        if side < 0 and ticks < low:
            return low
        return ticks

    def state(self):
        states = [fact for fact in self.facts if fact[0] == "entered"]
        return (states[-1][2], states[-1][1]) if states else (OPEN, 0)

    def edges(self, reference):
        inside = [
            ticks
            for ticks in range(1, 2 * int(reference))
            if abs(ticks - reference) * 100 <= self.percent * reference
        ]
        return inside[0], inside[-1]

    def may_clear(self, ticks, time):
        moves = [fact for fact in self.facts if fact[0] == "moved"]
        reference, share, began = moves[-1][3], self.percent, self.state()[1]
        while began + self.pause <= time:
            began += self.pause
            share += self.percent
        return abs(Fraction(ticks) / reference - 1) <= Fraction(share, 100)

    def on_reference(self, ticks, since, time):
        if any(fact[0] == "moved" for fact in self.facts):
            return None
        return Decision(self.edges(ticks), ticks)

    def decide(self, time, bid, ask):
        state, since = self.state()
        reference, held_since, mean_of, crossed = None, 0, [], []
        in_auction = False
        for kind, instant, what, *rest in self.facts:
            if kind == "moved":
                reference, held_since, crossed = rest[0], instant, []
            elif kind == "entered":
                held_since = instant if in_auction else held_since
                in_auction = what is AUCTION
                if in_auction:
                    mean_of, crossed = [], []
            elif in_auction:
                crossed.append((what, rest[0]))
            elif rest[0] >= self.round_lot:
                mean_of.append((instant, what))
        if state is AUCTION:
            ends = range(since + self.pause, time + 1, self.pause)
            return Decision(state=OPEN) if time in ends else None
        if sum(quantity for _, quantity in crossed) >= self.round_lot:
            reopening = crossed[-1][0]
            return Decision(self.edges(reopening), Fraction(reopening), None, "auction")
        prices = [ticks for instant, ticks in mean_of if instant > time - self.window]
        if state is OPEN and reference and prices and time - held_since >= self.hold:
            mean = Fraction(sum(prices), len(prices))
            rounded = Fraction(round(mean))
            is_far = abs(mean / reference - 1) >= Fraction(self.publish_percent, 100)
            if is_far and rounded != reference:
                return Decision(self.edges(rounded), rounded, None, "trades")
        if state is HALTED:
            return None
        low, high = self.limits()
        at_edge = (bid == high and (ask is None or ask > high)) or (
            ask == low and (bid is None or bid < low)
        )
        if state is OPEN:
            return Decision(state=LIMIT) if at_edge else None
        if not at_edge:
            return Decision(state=OPEN)
        return Decision(state=AUCTION) if time - since >= self.limit else None


prices = st.integers(180, 230)
waits = st.integers(0, 7)
steps = st.one_of(
    st.tuples(st.just("trade"), waits, prices, st.sampled_from([1, 99, 100, 100, 250])),
    st.tuples(st.just("quote"), waits, st.none() | prices, st.none() | prices),
    st.tuples(st.just("quote"), waits, st.just(10_000), st.none()),
    st.tuples(st.just("quote"), waits, st.none(), st.just(1)),
    st.tuples(st.just("wait"), st.integers(1, 25)),
    st.tuples(st.just("operate"), waits, st.sampled_from([HALTED, OPEN])),
)


def play(market, step):
    kind, wait, *values = step
    market.at(market.now + wait)
    if kind == "trade" and market.state in (OPEN, LIMIT):
        low, high = market.limits
        market.trade(min(max(values[0], low), high), quantity=values[1])
    elif kind == "quote" and market.state is not HALTED:
        bid, ask = values
        crosses = None not in (bid, ask) and bid >= ask
        if market.state is AUCTION or not crosses:
            market.quote(bid, ask)
    elif kind == "operate" and (values[0] is HALTED) != (market.state is HALTED):
        market.operate(values[0])


@given(script=st.lists(steps, max_size=40), cut=st.integers(0, 40))
@settings(deadline=None, max_examples=200)
@example(
    script=[
        ("quote", 0, 10_000, None),
        ("quote", 5, 215, 205),
        ("wait", 25),
        ("trade", 1, 208, 99),
    ],
    cut=2,
)
@example(script=[("quote", 0, 10_000, None), ("quote", 5, 231, 230), ("wait", 60)], cut=1)
def test_watch_decides_what_a_model_of_all_facts_decides_at_each_microsecond(script, cut):
    naive = Market(NaiveLuld(), every_instant=True).learn(200)
    market = Market(NaiveLuld().band().watch()).learn(200)
    for number, step in enumerate(script):
        if number == cut:
            market.watch = deepcopy(market.watch)
        play(naive, step)
        play(market, step)
        assert market.history == naive.history
        assert (market.bid, market.ask) == (naive.bid, naive.ask)
    for entry in market.history:
        event(f"{entry[1]}")
