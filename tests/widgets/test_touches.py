"""What is done to a run at an instant becomes a setting, and the past stays as it was."""

from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

import streamlet_lab as sl
from streamlet_lab.config import TraderConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.simulator import Monitor
from streamlet_lab.widgets.touches import Touch, read_touches, touched

S = 1_000_000
EPOCHS = 7


def config(**settings):
    return sl.Experiment(**{"epochs": 20, "signatures": "none", **settings}).config


def touch(at, kind, *nodes, **what):
    return Touch(round(at * S), kind, nodes, **what)


def after(*touches, **settings):
    return touched(config(**settings), touches)


# --- The past


class Everything(Monitor):
    """Keeps every event of the protocol with its time."""

    def __init__(self):
        self.log = []


def _keep(hook):
    return lambda self, time, *what: self.log.append((time, hook, *what))


for _hook in (name for name, each in vars(Monitor).items() if callable(each)):
    setattr(Everything, _hook, _keep(_hook))

# What a frame has of an order when it comes.
SENT = [
    "order_id", "time_s", "trader", "kind", "intent", "side", "type", "time_in_force", "quantity",
    "price", "true_price", "fair", "reference_price", "reference_epoch", "reference_quoted_s",
    "reference_age_s",
]  # fmt: skip


def past(config, time):
    """Everything that happens before an instant in a run."""
    watch = Everything()
    result = sl.Experiment.from_config(config).run(monitors=[watch])
    frames, seconds = result.frames, time / S
    over = time // config.epoch_length  # epochs
    happened = {
        name: frames[name][frames[name][column] < seconds]
        for name, column in {
            "trades": "time_s",
            "rejections": "time_s",
            "bands": "time_s",
            "book": "time_s",
            "depth": "time_s",
            "trace": "received_s",
        }.items()
    }
    orders, quotes = frames["orders"], frames["quotes"]
    happened["orders"] = orders[orders["time_s"] < seconds][SENT]
    happened["quotes"] = quotes[quotes["epoch"] < over]
    # As text, since two certificates are the same only if they are one object.
    log = [repr(each) for each in watch.log if each[0] < time]
    return log, {name: frame.to_csv() for name, frame in happened.items()}


NODES = 4
NAMES = [f"node_{index}" for index in range(NODES)]
FAULTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["crash", "equivocate", "withhold_votes", "late_vote"])},
    optional={"start": st.integers(0, 3), "stop": st.none() | st.integers(4, 6)},
).flatmap(
    lambda fault: st.one_of(
        st.builds(lambda count: {**fault, "count": count}, st.integers(1, 2)),
        st.builds(
            lambda names: {**fault, "nodes": names},
            st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
        ),
    )
)
CUT = {"start": "1500ms", "stop": "4s", "groups": "node_0,node_1|node_2,node_3"}
RUNS = st.fixed_dictionaries(
    {"seed": st.integers(0, 99)},
    optional={
        "feed": st.sampled_from(["simulated", "history"]),
        "faults": st.lists(FAULTS, max_size=2),
        "leaders": st.sampled_from(["round_robin", "hashed"]),
        "market_time_per_epoch": st.sampled_from(["6.5h", "1ms"]),
        "echo": st.booleans(),
        "network": st.fixed_dictionaries(
            {},
            optional={
                "delays": st.sampled_from(["lognormal", "uniform", "regions"]),
                "loss": st.sampled_from([0.0, 0.2]),
                "when_lost": st.sampled_from(["retransmit", "forever"]),
                "gst": st.sampled_from([0, "2500ms"]),
                "partitions": st.lists(st.just(CUT), max_size=1),
                "clock_skew": st.sampled_from([0, "80ms"]),
                "verify_time": st.sampled_from([0, "1ms"]),
                "sign_time": st.sampled_from([0, "1ms"]),
                "catch_up": st.booleans(),
            },
        ),
        "prices": st.just({"jumps": [{"at": "3s", "percent": 3}], "voter_policy": "evidence"}),
        "market": st.just(
            {
                "traders": [
                    {"kind": "noise_trader", "count": 5},
                    "market_maker",
                    {"kind": "scripted", "parameters": {"script": [
                        {"at": at, "side": "buy", "quantity": 5} for at in (1, 5)
                    ]}},
                ]
            }
        ),
    },
)  # fmt: skip
_ONE = st.lists(st.sampled_from(NAMES), min_size=1, max_size=1)
_ENDS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
TOUCHES = st.tuples(
    st.integers(0, EPOCHS * S - 1) | st.integers(0, EPOCHS - 1).map(lambda epoch: epoch * S),
    st.one_of(
        st.fixed_dictionaries({"kind": st.sampled_from(["crash", "equivocate"]), "nodes": _ONE}),
        st.fixed_dictionaries({"kind": st.just("revive"), "nodes": _ONE}),
        st.fixed_dictionaries({"kind": st.just("cut"), "nodes": _ENDS}),
        st.fixed_dictionaries({"kind": st.just("heal"), "nodes": st.just([]) | _ENDS}),
        st.builds(lambda by: {"kind": "jump", "percent": by}, st.sampled_from([-30, 8, "0.5"])),
        st.builds(
            lambda side, price: {"kind": "order", "side": side, "quantity": 900, "price": price},
            st.sampled_from(["buy", "sell"]),
            st.sampled_from([None, "150.00", 90]),
        ),
    ),
).map(lambda drawn: Touch(at=drawn[0], **drawn[1]))


@settings(max_examples=40)
@example(
    run={"seed": 1, "faults": {"node_3": "crash@1"}},
    touches=[touch(3.4, "revive", "node_3"), touch(4.2, "crash", "node_1")],
)
@example(
    run={"seed": 2, "faults": [{"kind": "equivocate", "count": 2}]},
    touches=[
        touch(2.5, "revive", "node_2"),
        touch(3.1, "cut", "node_0", "node_1"),
        touch(4.9, "heal"),
        touch(5.3, "revive", "node_3"),
    ],
)
@given(run=RUNS, touches=st.lists(TOUCHES, min_size=1, max_size=4))
def test_the_past_of_a_touch_is_the_same_bytes(run, touches):
    before = config(**run, epochs=EPOCHS, nodes=NODES, trace=True)
    for each in sorted(touches, key=lambda touch: touch.at):
        try:
            changed = touched(before, [each])
        except InvalidInput:
            event(f"{each.kind} refused")
            continue
        event(each.kind)
        assert past(changed, each.at) == past(before, each.at)
        before = changed


# --- What it becomes


def test_a_fault_begins_with_the_first_epoch_that_starts_at_the_instant_or_after_it():
    for at, epoch in ((0, 0), (3.999999, 4), (4, 4), (4.000001, 5)):
        crash = touch(at, "crash", "node_3")
        assert after(crash).faults == (Fault("crash", ("node_3",), start=epoch),)
        assert crash.effective_at(config()) == epoch * S
    assert touch(4.25, "jump", percent=1).effective_at(config()) == 4_250_000


CRASH, REVIVE = touch(3.5, "crash", "node_3"), touch(7.5, "revive", "node_3")
COALITION = Fault("equivocate", ("node_2", "node_3"), start=2)
LATER = Fault("double_vote", ("node_3",), start=2)


@pytest.mark.parametrize(
    ("touches", "faults", "become"),
    [
        ([CRASH, REVIVE], [], [Fault("crash", ("node_3",), start=4, stop=8)]),
        ([REVIVE, CRASH], [], [Fault("crash", ("node_3",), start=4, stop=8)]),
        ([CRASH, touch(3.6, "revive", "node_3")], [], []),
        (
            [CRASH, REVIVE, touch(12, "crash", "node_3")],
            [],
            [Fault("crash", ("node_3",), start=4, stop=8), Fault("crash", ("node_3",), start=12)],
        ),
        # One of those that a fault counts comes back, and the others stay down.
        (
            [REVIVE],
            [Fault("crash", count=2, start=1)],
            [Fault("crash", ("node_2",), start=1), Fault("crash", ("node_3",), start=1, stop=8)],
        ),
        # Accomplices are accomplices until then: apart they would have said something else.
        (
            [REVIVE],
            [COALITION],
            [
                Fault("equivocate", ("node_2", "node_3"), start=2, stop=8),
                Fault("equivocate", ("node_2",), start=8),
            ],
        ),
        # All that a node does wrong ends, but not what it will do later, nor what others do.
        (
            [touch(1.5, "revive", "node_3")],
            [Fault("crash", ("node_3",)), Fault("crash", ("node_3", "node_1"), start=9)],
            [Fault("crash", ("node_3",), stop=2), Fault("crash", ("node_3", "node_1"), start=9)],
        ),
        (
            [REVIVE],
            [Fault("biased", ("external_feed",)), LATER],
            [
                Fault("biased", ("external_feed",)),
                Fault("double_vote", ("node_3",), start=2, stop=8),
            ],
        ),
    ],
)
def test_a_node_that_comes_back_ends_its_faults_there(touches, faults, become):
    assert after(*touches, faults=faults).faults == tuple(become)


def test_what_a_node_draws_for_its_other_faults_does_not_depend_on_one_that_never_begins():
    faults = [Fault("crash", ("node_3",), start=8), LATER]
    assert after(REVIVE, faults=faults).faults == (
        Fault("crash", ("node_3",), start=20),
        Fault("double_vote", ("node_3",), start=2, stop=8),
    )


def test_a_link_is_cut_from_the_instant_on_until_it_is_healed_or_the_run_is_over():
    cut, heal = (touch(at, kind, "node_1", "node_0") for at, kind in ((3.5, "cut"), (9, "heal")))
    (there,) = after(cut).network.partitions
    assert (there.groups, there.start, there.stop) == (
        (("node_1",), ("node_0",)),
        3_500_000,
        21 * S,
    )
    (there,) = after(heal, cut).network.partitions
    assert (there.start, there.stop) == (3_500_000, 9 * S)
    assert after(cut, touch(3.5, "heal", "node_0", "node_1")).network.partitions == ()
    (there,) = after(touch(3.5, "cut", "node_2")).network.partitions
    assert there.groups == (("node_2",), ("node_0", "node_1", "node_3"))


def test_everything_is_healed_at_once_what_is_over_and_to_come_stays():
    times = [("1s", "2s"), ("3s", "15s"), ("4s", "6s"), ("8s", "9s")]
    partitions = [
        {"start": start, "stop": stop, "groups": "node_0|node_1,node_2"} for start, stop in times
    ]
    healed = after(touch(5, "heal"), network={"partitions": partitions}).network.partitions
    assert [(each.start // S, each.stop // S) for each in healed] == [
        (1, 2),
        (3, 5),
        (4, 5),
        (8, 9),
    ]


def test_what_crosses_a_cut_link_is_relayed_and_what_left_before_arrives_as_it_would():
    cut = touch(3.5, "cut", "node_0", "node_1")
    runs = [
        sl.Experiment.from_config(each).run()
        for each in (config(epochs=8, trace=True), after(cut, epochs=8, trace=True))
    ]
    plain, trace = (run.frames["trace"] for run in runs)
    ends = {"node_0", "node_1"}
    crossed = trace[
        [{one, other} == ends for one, other in zip(trace.sender, trace.receiver, strict=True)]
    ]
    assert len(crossed) > 0
    assert crossed.sent_s.max() < 3.5
    relayed = trace[
        (trace.receiver == "node_1") & (trace.author == "node_0") & (trace.sent_s > 3.5)
    ]
    assert len(relayed) >= 4
    assert not {*relayed.sender} & ends
    left, same = (each[each.sent_s < 3.5] for each in (plain, trace))
    pd.testing.assert_frame_equal(left.reset_index(drop=True), same.reset_index(drop=True))
    assert runs[1].summary["finalized_blocks"] == runs[0].summary["finalized_blocks"]


def test_without_echo_what_crosses_a_cut_link_arrives_when_it_is_healed():
    touches = touch(3.5, "cut", "node_0", "node_1"), touch(6.25, "heal", "node_1", "node_0")
    cut = after(*touches, epochs=8, trace=True, echo=False)
    trace = sl.Experiment.from_config(cut).run().frames["trace"]
    held = trace[(trace.sent_s >= 3.5) & (trace.sent_s < 6) & (trace.sender == "node_0")]
    assert {*held[held.receiver == "node_1"].received_s} == {6.25}


def test_a_node_that_is_cut_off_hears_of_nothing_until_it_is_healed():
    touches = touch(3.5, "cut", "node_2"), touch(6.25, "heal", "node_2")
    trace = sl.Experiment.from_config(after(*touches, epochs=8, trace=True)).run().frames["trace"]
    heard = trace[(trace.receiver == "node_2") & (trace.sent_s >= 3.5) & (trace.sent_s < 6.25)]
    assert len(heard) > 0
    assert heard.received_s.min() == 6.25


def test_the_price_jumps_and_an_order_is_sent_at_the_instant():
    jump = touch(3.25, "jump", percent=Decimal("-8.5"))
    order = touch(3.25, "order", side="buy", quantity=100, price=Decimal("160.00"))
    again = touch(2, "order", side="sell", quantity=5)
    plain, changed = config(), after(jump, order, again)
    (there,) = changed.prices.jumps
    assert (there.at, there.percent) == (3_250_000, Decimal("-8.5"))
    *others, last = changed.market.traders
    assert tuple(others) == plain.market.traders
    assert last == TraderConfig(
        kind="scripted",
        parameters={
            "script": [
                {"at": "2s", "side": "sell", "quantity": 5},
                {"at": "3250ms", "side": "buy", "quantity": 100, "price": "160.00"},
            ]
        },
    )
    assert changed.model_copy(update={"prices": plain.prices, "market": plain.market}) == plain


def test_every_symbol_jumps_also_one_with_jumps_of_its_own():
    prices = {"assets": {"IBM": {"jumps": [{"at": 1, "percent": 2}]}, "AAPL": {"volatility": 2}}}
    changed = after(touch(3, "jump", percent=5), symbols=["AAPL", "IBM"], prices=prices)
    jumps = {symbol: changed.prices.of(symbol).jumps for symbol in changed.symbols}
    assert {symbol: [int(each.percent) for each in those] for symbol, those in jumps.items()} == {
        "AAPL": [5],
        "IBM": [2, 5],
    }


ALL = [
    {"at": 3.5, "kind": "crash", "nodes": ["node_3"]},
    {"at": "4s", "kind": "equivocate", "nodes": ["node_1"]},
    {"at": 5, "kind": "cut", "nodes": ["node_0", "node_2"]},
    {"at": 6, "kind": "jump", "percent": 8},
    {"at": 6.5, "kind": "order", "side": "buy", "quantity": 100, "price": 160.5},
    {"at": 7, "kind": "order", "side": "sell", "quantity": 10},
    {"at": "9250ms", "kind": "heal", "nodes": []},
    {"at": 9.5, "kind": "revive", "nodes": ["node_3"]},
]


def test_what_was_done_is_a_configuration_like_any_other():
    changed = touched(config(epochs=12), read_touches(ALL))
    written = sl.ExperimentConfig(**changed.to_document())
    assert written == changed
    first, second = (sl.Experiment.from_config(each).run() for each in (changed, written))
    for name in ("epochs", "orders", "trades", "finality"):
        pd.testing.assert_frame_equal(first.frames[name], second.frames[name])
    assert {"crash", "equivocate"} == {fault.kind for fault in changed.faults}


# --- What cannot be done

BETWEEN = (
    "a link that was cut by itself: this one is, with others, between "
    "node_2 | node_0, node_1, node_3"
)


@pytest.mark.parametrize(
    ("touches", "field", "value", "expected"),
    [
        ([touch(20, "jump", percent=1)], "jump at 20 s: at", "20 s",
         "an instant before the end of the run at 20 s"),
        ([touch(19.5, "crash", "node_1")], "crash node_1 at 19.5 s: at", "19.5 s",
         "an instant up to 19 s, when the last epoch begins: a node changes then"),
        ([touch(1, "crash", "node_4")], "crash node_4 at 1 s: nodes", "node_4",
         "a node from node_0 to node_3 (did you mean 'node_3'?)"),
        ([touch(1, "revive", "node_1")], "revive node_1 at 1 s: nodes", "node_1",
         "a node with a fault there: this one is up, and honest"),
        ([CRASH, touch(8, "crash", "node_3")], "crash node_3 at 8 s: nodes", "node_3",
         "a node without the fault 'crash' there"),
        ([CRASH, touch(8, "equivocate", "node_3")], "equivocate node_3 at 8 s: nodes", "node_3",
         "a node that is up there"),
        ([touch(1, "cut", "node_1", "node_1")], "cut node_1 and node_1 at 1 s: nodes", "node_1",
         "two nodes: no link leads from one to itself"),
        ([touch(1, "cut", "node_1", "node_2")] * 2, "cut node_1 and node_2 at 1 s: nodes",
         "node_1 and node_2", "what is not cut already"),
        ([touch(1, "cut", "node_2"), touch(2, "cut", "node_1", "node_2")],
         "cut node_1 and node_2 at 2 s: nodes", "node_1 and node_2", "what is not cut already"),
        ([touch(1, "heal", "node_1", "node_2")], "heal node_1 and node_2 at 1 s: nodes",
         "node_1 and node_2", "what is cut at that instant"),
        ([touch(1, "heal")], "heal at 1 s: nodes", "everything", "what is cut at that instant"),
        ([touch(1, "cut", "node_2"), touch(2, "heal", "node_1", "node_2")],
         "heal node_1 and node_2 at 2 s: nodes", "node_1 and node_2",
         BETWEEN),
        ([touch(1, "jump", percent=-100)], "jump at 1 s: percent", "-100",
         "a number above -100, and at most 1,000"),
        ([touch(1, "order", side="buy", quantity=0)], "order at 1 s: quantity", 0,
         "a whole number from 1 to 1,000,000,000"),
        ([touch(1, "order", side="buy", quantity=1, price="1.001")], "order at 1 s: price", "1.001",
         "a multiple of the tick size 0.01"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(touches, field, value, expected):
    with pytest.raises(InvalidInput) as caught:
        after(*touches)
    assert (caught.value.field, caught.value.value) == (field, value)
    assert caught.value.expected == expected


def test_a_node_alone_has_no_links():
    with pytest.raises(InvalidInput, match=r"^cut node_0 at 1 s: .* one of two nodes or more$"):
        after(touch(1, "cut", "node_0"), nodes=1)


@pytest.mark.parametrize(
    ("document", "field", "expected"),
    [
        (5, ".0", "a table of parameters by their names"),
        ({"at": 1}, ".0", "a value for kind too, which is missing"),
        ({"at": "soon", "kind": "heal"}, ".0.at", "seconds as a number, or a text with a unit"),
        ({"at": -1, "kind": "heal"}, ".0.at", "a duration of whole microseconds, zero or more"),
        ({"at": 1, "kind": "melt"}, ".0.kind", "'crash', 'equivocate', 'revive', 'cut', 'heal'"),
        ({"at": 1, "kind": "crash"}, ".0.nodes", "one node"),
        ({"at": 1, "kind": "crash", "nodes": "node_1"}, ".0.nodes", "a list of names of nodes"),
        ({"at": 1, "kind": "cut", "nodes": []}, ".0.nodes", "the two ends of a link, or one node"),
        ({"at": 1, "kind": "jump"}, ".0.percent", "a value, which the jump needs"),
        ({"at": 1, "kind": "heal", "percent": 5}, ".0.percent", "none: 'heal' has none"),
        ({"at": 1, "kind": "jump", "percent": "much"}, ".0.percent", "a finite decimal number"),
        ({"at": 1, "kind": "order", "side": "buy"}, ".0.quantity", "a value, which the order"),
        ({"at": 1, "kind": "heal", "colour": "red"}, ".0.colour", "one of the parameters at, kind"),
    ],
)
def test_what_is_no_touch_is_refused_by_its_name(document, field, expected):
    with pytest.raises(InvalidInput) as caught:
        read_touches([document])
    assert caught.value.field == f"touches{field}"
    assert caught.value.expected.startswith(expected)


def test_touches_are_a_list():
    with pytest.raises(
        InvalidInput, match=r"^touches: 5 is not valid; expected a list of touches$"
    ):
        read_touches(5)
