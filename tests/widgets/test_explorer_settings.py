"""The settings of the explorer: what each of them makes of the experiment."""

from typing import get_args

import pytest

from streamlet_lab import Experiment, Fault, InvalidInput, fault_kinds
from streamlet_lab.config import PricesConfig
from streamlet_lab.matching import StalePolicy, bands
from streamlet_lab.prices import aggregators, outlier_rules, path_models, source_fault_kinds
from streamlet_lab.simulator import delay_kinds, own_trader_kinds, reference_kinds
from streamlet_lab.widgets.explorer_settings import CONTROLS, SECTIONS, Settings

from .flat import flat
from .others import CHANGES, OTHERS


def document(**settings):
    return flat(Settings(**settings).config().to_document())


def test_no_setting_is_forgotten_below():
    assert list(CHANGES) == list(CONTROLS)


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_changes_what_it_says_and_nothing_else(name):
    before, after = document(), document(**{name: OTHERS[name]})
    assert before.keys() <= after.keys()
    assert {key: leaf for key, leaf in after.items() if before.get(key) != leaf} == CHANGES[name][1]


def test_a_partition_may_be_one_way():
    before, after = document(partition_s=(3, 9)), document(partition_s=(3, 9), one_way=True)
    changed = {key: leaf for key, leaf in after.items() if before[key] != leaf}
    assert changed == {"network.partitions.0.one_way": True}


def test_who_lies_how_and_when():
    config = Settings(sources=5, lying=2, lie="biased", lying_epochs=(4, 9)).config()
    assert config.source_faults == (
        Fault("biased", ("market_data_4", "external_feed"), start=4, stop=9),
    )
    assert config.faulty_sources == {*config.prices.source_names[-2:]}
    assert config.node_faults == (Fault("crash", count=1),)


def test_the_defaults_are_those_of_an_experiment():
    plain = Experiment(epochs=60, nodes=4, faults=[Fault("crash", count=1)], signatures="none")
    assert Settings().config().to_document() == plain.config.to_document()


@pytest.mark.parametrize("interval", [(0, 200), (4, 200)])
def test_a_fault_until_the_end_of_the_longest_run_never_ends(interval):
    config = Settings(fault_epochs=interval, lying=1, lying_epochs=interval).config()
    assert [(fault.start, fault.stop) for fault in config.faults] == 2 * [(interval[0], None)]


def test_an_odd_node_is_in_the_second_part_of_a_partition():
    (partition,) = Settings(nodes=5, partition_s=(0, 2)).config().network.partitions
    assert [len(group) for group in partition.groups] == [2, 3]


def test_what_does_not_go_together_is_refused_where_the_experiment_is_made():
    with pytest.raises(InvalidInput, match="two or more groups"):
        Settings(nodes=1, faulty=0, partition_s=(1, 2)).config()
    with pytest.raises(InvalidInput, match="at least min_sources, 4"):
        Settings(min_sources=4).config()


@pytest.mark.parametrize("epoch", [0, 7, 200])
def test_faulty_epochs_without_length_are_no_fault(epoch):
    settings = Settings(fault_epochs=(epoch, epoch), lying=1, lying_epochs=(epoch, epoch))
    assert settings.config().faults == ()


def test_the_quorum_that_takes_another_f_than_the_model():
    assert Settings(nodes=7, model="crash", quorum="2f+1").config().votes_needed == 5


def test_knows_what_is_not_the_default():
    assert Settings().changed == {}
    assert Settings(loss=0.1, epochs=60, seed=4).changed == {"seed": 4, "loss": 0.1}


def names(setting):
    return {*CONTROLS[setting].choices}


def test_whatever_is_registered_can_be_chosen():
    assert names("fault") | {"script"} == {*fault_kinds()}
    assert names("delays") | {"sample"} == {*delay_kinds()}
    assert names("path_model") == {*path_models()}
    assert names("lie") == {*source_fault_kinds()}
    assert names("aggregator") == {*aggregators()}
    assert names("outlier_rule") - {"no rule"} == {*outlier_rules()}
    assert names("band") == {*bands()}
    assert names("reference") == {*reference_kinds()}
    assert names("stale") == {*get_args(StalePolicy)}
    assert {*SECTIONS["Market"], "scripted"} >= {*own_trader_kinds()}
    for setting in ("deviation_rule", "voter_policy"):
        assert names(setting) == {*get_args(PricesConfig.model_fields[setting].annotation)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 9),
        ("nodes", "4"),
        ("faulty", 5),
        ("lying", 4),
        ("fault", "gremlins"),
        ("delays", "sample"),
        ("loss", 0.6),
        ("partition_s", (9, 3)),
        ("echo", None),
        ("picture", "timeline"),
        ("aggregator", None),
        ("bogus", 1),
    ],
)
def test_what_the_controls_cannot_take_is_refused(field, value):
    with pytest.raises(InvalidInput) as caught:
        Settings(**{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)


def test_none_is_no_rule_and_the_models_quorum_as_in_a_configuration():
    assert Settings(outlier_rule=None, quorum=None) == Settings()


def test_a_band_without_a_rule_for_a_stale_price_is_told_in_the_words_of_the_controls():
    with pytest.raises(InvalidInput, match=r"^stale: 'widen' .* 'keep': the band 'luld' has no"):
        Settings(band="luld", stale="widen").config()
