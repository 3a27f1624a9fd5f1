"""What stays of a run as proof: the same after it was saved, and nothing that was never final."""

import pytest

from streamlet_lab.consensus import verify_proof
from streamlet_lab.errors import InvalidInput
from streamlet_lab.experiment import Experiment
from streamlet_lab.fault import Fault
from streamlet_lab.result import Result


def final_epochs(result):
    return [block.epoch for block in result.ledger.tree.finalized]


def there_and_back(result, folder):
    result.save(folder / "result.zip")
    return Result.load(folder / "result.zip")


@pytest.mark.parametrize("model", ["byzantine", "synchronous"])
def test_a_loaded_ledger_has_the_same_final_chain(model, tmp_path):
    result = Experiment(model=model, nodes=4, epochs=14).run()
    loaded = there_and_back(result, tmp_path)

    assert final_epochs(loaded) == final_epochs(result)
    assert len(final_epochs(result)) > 3
    assert loaded.ledger.to_document() == result.ledger.to_document()


def test_a_proof_is_the_same_from_a_loaded_ledger(tmp_path):
    result = Experiment(epochs=10, faults={"node_2": "silent_leader"}).run()
    loaded = there_and_back(result, tmp_path)

    for epoch in final_epochs(result)[1:]:
        assert loaded.proof(epoch) == result.proof(epoch)
        assert verify_proof(loaded.proof(epoch), result.keys).epoch == epoch


def test_six_uncontested_blocks_are_no_proof_for_those_who_were_not_there(tmp_path):
    """Section 4 rests on having seen no rival in time, which no document can show."""
    result = Experiment(model="synchronous", nodes=3, epochs=14).run()
    for one in (result, there_and_back(result, tmp_path)):
        with pytest.raises(InvalidInput) as caught:
            one.proof(final_epochs(result)[-1])
        assert caught.value.field == "model"


def test_a_run_without_signatures_proves_nothing():
    result = Experiment(epochs=6, signatures="none").run()
    for ask in (lambda: result.keys, lambda: result.proof(2)):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.field == "signatures"


def test_a_block_may_be_named_as_frames_have_it_but_not_by_a_column():
    result = Experiment(epochs=6).run()
    for block in (99, -1, 5, "00", "", None, True):
        with pytest.raises(InvalidInput) as caught:
            result.proof(block)
        assert caught.value.field == "block"
    assert result.proof(result.epochs["epoch"].iloc[2]) == result.proof(2)
    with pytest.raises(InvalidInput, match="an epoch, or a hash as text") as caught:
        result.proof(result.epochs["epoch"])
    assert caught.value.field == "block"


def test_what_is_final_elsewhere_only_has_no_proof_and_the_error_says_whose_ledger_it_is():
    split = [Fault("split", nodes=("node_2", "node_3"))]
    torn = Experiment(nodes=4, epochs=12, seed=1, faults=split).run()
    own = torn.blocks.loc[torn.blocks["finalized"], "block_hash"]
    final = torn.finality.dropna(subset=["finalized_s"]).query("node == 'node_0'")["block_hash"]
    (elsewhere, *_) = final[~final.isin(own)]
    with pytest.raises(InvalidInput, match="final in this ledger, the observer's"):
        torn.proof(elsewhere)
