"""A view tells what the tree tells, and cannot change it."""

from streamlet_lab.consensus import BlockTree, TreeView

from .committee import GENESIS, extend, votes_for


def test_a_view_tells_what_the_tree_tells_and_changes_nothing():
    tree = BlockTree(GENESIS, 3)
    view = TreeView(tree)
    block = GENESIS
    for epoch in range(4):
        block = extend(block, epoch)
        tree.add_block(block)
        for vote in votes_for(block):
            tree.add_vote(vote)
    assert view.longest == (block,)
    assert [*view.notarized] == tree.notarized
    assert [*view.finalized] == tree.finalized
    assert block.hash in view
    assert view[block.hash] is block
    assert view.is_notarized(block.hash)
    assert view.votes(block.hash) == tree.votes(block.hash)
    assert [*view.chain(block.hash)] == [*tree.chain(block.hash)]
    view.blocks().clear()
    assert len(view.blocks()) == 5
    assert not any(name.startswith("add") for name in dir(view))
