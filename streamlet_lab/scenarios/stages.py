"""Where a scenario is played: on block trees alone, or on nodes with a network between them."""

from collections.abc import Iterable, Sequence
from itertools import chain

from streamlet_lab.checks import Check, Consistency, find_culprits, protocol_checks
from streamlet_lab.config import OBSERVER, ExperimentConfig
from streamlet_lab.consensus import (
    Block,
    BlockTree,
    Vote,
    make_genesis,
)
from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios.syntax import Command, NewBlocks, Notarize, Run
from streamlet_lab.simulator import Links, Listeners, create_streamlet_network, make_links
from streamlet_lab.simulator.script import GENESIS, Delivery, Script, epoch_of, scripted_delay


class TreeStage:
    """Block trees without a network: blocks are notarized in the order of the commands.

    Parameters
    ----------
    names : sequence of str
        Of the views. All have all blocks.

    Attributes
    ----------
    views : dict of str to BlockTree
        Everyone's view, by name.
    everyone : tuple of str
        Whose views are meant where none is named.
    checks : dict of str to Check
        The properties that are watched, by name.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._blocks = {GENESIS: make_genesis("scenario")}
        # One vote of everybody notarizes: who votes does not matter here.
        self.views = {name: BlockTree(self._blocks[GENESIS], quorum=1) for name in names}
        self.everyone = tuple(names)
        consistency = Consistency(names)
        self.checks: dict[str, Check] = {consistency.name: consistency}

    def carry_out(self, command: Command) -> None:
        """Make blocks, or notarize them."""
        if isinstance(command, NewBlocks):
            self._extend(command.names, command.parent)
        elif isinstance(command, Notarize):
            views = self.everyone if command.view is None else (command.view,)
            for view in views:
                self._notarize(view, command.names)

    def name_of(self, block: Block) -> str:
        """Return the name under which the block was made."""
        return block.payload.decode()

    def guilty(self) -> tuple[str, ...]:
        """Nobody has a name here."""
        return ()

    def _extend(self, names: Iterable[str], parent: str) -> None:
        below = self._block(parent)
        for name in names:
            if name in self._blocks:
                raise InvalidInput("chain", name, "a new block: this one is there already")
            if epoch_of(name) <= below.epoch:
                raise InvalidInput("chain", name, f"an epoch after {below.epoch}")
            below = Block(
                below.chain_id, epoch_of(name), below.height + 1, below.hash, name.encode()
            )
            self._blocks[name] = below
            for tree in self.views.values():
                tree.add_block(below)

    def _notarize(self, view: str, names: Iterable[str]) -> None:
        listeners = Listeners(self.checks.values())
        for block in map(self._block, names):
            vote = Vote(block.chain_id, block.epoch, block.height, block.hash, "everybody", b"")
            listeners.tell_of(self.views[view].add_vote(vote), 0, view)

    def _block(self, name: str) -> Block:
        if name not in self._blocks:
            raise InvalidInput("block", name, f"one of {', '.join(self._blocks)}")
        return self._blocks[name]


class NetworkStage:
    """The bare protocol on a network, as a configuration says, with payloads that mean nothing.

    Parameters
    ----------
    config : ExperimentConfig
    deliveries : sequence of Delivery
        What holds instead of the links' delays.

    Attributes
    ----------
    simulation : Simulation
    views, everyone, checks
        As of :class:`TreeStage`; everyone is all honest nodes and the observer.

    Raises
    ------
    InvalidInput
        If a fault or a kind of delays is not what it should be.
    """

    def __init__(self, config: ExperimentConfig, deliveries: Sequence[Delivery] = ()) -> None:
        names = (*config.node_ids, OBSERVER)
        links = make_links(config.network, config.nodes, config.seed)
        if deliveries:
            links = Links(scripted_delay(links.delay, deliveries, names), shortest=1)
        self.config = config
        self.simulation = create_streamlet_network(config, links=links)
        faults = chain.from_iterable(self.simulation.faults.values())
        self._scripts = [fault for fault in faults if isinstance(fault, Script)]
        checks = protocol_checks(config, self.simulation)
        self.simulation.monitors.extend(checks)
        self.checks: dict[str, Check] = {check.name: check for check in checks}
        self.views = {name: node.tree for name, node in self.simulation.nodes.items()}
        self.everyone = tuple(name for name in self.views if name not in config.faulty_nodes)

    def carry_out(self, command: Command) -> None:
        """Run some more epochs; all else that a scenario says was known from the beginning."""
        if isinstance(command, Run):
            self.simulation.run(command.epochs)

    def name_of(self, block: Block) -> str:
        """Return the name that a script gave the block, or else its epoch."""
        for script in self._scripts:
            for name, scripted in script.blocks.items():
                if scripted.hash == block.hash:
                    return name
        return str(block.epoch)

    def guilty(self) -> tuple[str, ...]:
        """Return whom the votes that honest nodes have received convict."""
        return tuple(find_culprits(self.config, self.simulation))
