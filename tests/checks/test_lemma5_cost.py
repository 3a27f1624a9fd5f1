"""What watching Lemma 5 costs where nodes lack what they should have: blocks looked at."""

from types import SimpleNamespace

from streamlet_lab.checks import Lemma5
from streamlet_lab.consensus import Block, make_genesis


class Counted(list):
    """A list that counts what is taken out of it."""

    taken = 0

    def __getitem__(self, index):
        found = super().__getitem__(index)
        Counted.taken += len(found) if isinstance(index, slice) else 1
        return found

    def __reversed__(self):
        for item in super().__reversed__():
            Counted.taken += 1
            yield item


def test_a_node_that_stays_behind_is_not_searched_from_genesis():
    # Nodes alternate between epochs that go well and epochs whose block they never see.
    for epochs in (50, 100, 200, 400):
        genesis = make_genesis("test")
        tree = SimpleNamespace(notarized=Counted([genesis]))
        lab = SimpleNamespace(
            nodes={"node_0": SimpleNamespace(tree=tree)}, queue=SimpleNamespace(now=0)
        )
        check = Lemma5(["node_0"], lab, gst=0)
        Counted.taken = 0
        for epoch in range(epochs):
            check.epoch_started(epoch, epoch, "node_0")
            check.entered(epoch, "node_0", epoch)
            if epoch % 2:
                block = Block("test", epoch, 1, genesis.hash, b"")
                tree.notarized.append(block)
                check.notarized(epoch, "node_0", block)
        assert check.violation.endswith("begins epoch 3 without a notarized block of epoch 2")
        assert Counted.taken <= 4 * epochs
