"""Where a scenario is played: on block trees alone, or on nodes with a network between them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from streamlet_lab.checks import Check, Consistency, find_culprits, protocol_checks
from streamlet_lab.config import OBSERVER
from streamlet_lab.consensus import Block, BlockTree, Vote, make_genesis
from streamlet_lab.errors import InvalidInput
from streamlet_lab.scenarios.scenario_config import read_config
from streamlet_lab.scenarios.syntax import (
    Chain,
    Command,
    ExpectCheck,
    ExpectGuilty,
    ExpectViews,
    Line,
    NewBlocks,
    Notarize,
    Run,
    write_chain,
)
from streamlet_lab.simulator import (
    Links,
    Listeners,
    Simulation,
    create_streamlet_network,
    make_links,
)
from streamlet_lab.simulator.script import GENESIS, Delivery, Script, ScriptedDelay, epoch_of
from streamlet_lab.units import to_name

_MOST_LOOKS: Final = 1_000_000


class Stage(ABC):
    """Where the commands of a scenario are carried out, and its expectations compared."""

    views: dict[str, BlockTree]  # everyone's, by name
    everyone: tuple[str, ...]  # whose views are meant where none is named
    checks: dict[str, Check]  # by name
    simulation: Simulation | None = None

    @abstractmethod
    def carry_out(self, command: Command) -> None:
        """Do what a command says; expectations change nothing."""

    @abstractmethod
    def name_of(self, block: Block) -> str:
        """Return the name of a block in the scenario."""

    def guilty(self) -> tuple[str, ...]:
        """Return whom the votes that honest nodes have received convict."""
        return ()

    def check_names(self, command: Command) -> None:
        """Refuse what names nobody, or no check."""
        names: tuple[str, ...] = ()
        match command:
            case ExpectViews() | ExpectGuilty():
                names = command.names
            case Delivery():
                names = (*(command.senders or ()), *(command.receivers or ()))
            case ExpectCheck(check):
                to_name(check, self.checks, "check")
        for name in names:
            to_name(name, self.views, "name")

    def difference(self, expectation: Command) -> str:
        """Say what is there instead of what is expected; nothing if it is there."""
        match expectation:
            case ExpectViews(names, facts):
                return "; ".join(self._other_views(names or self.everyone, facts))
            case ExpectGuilty(names):
                guilty = self.guilty()
                return "" if {*guilty} == {*names} else f"guilty {', '.join(guilty) or 'none'}"
            case ExpectCheck(name, status):
                result = self.checks[name].result()
                if result.status != status:
                    return f"{name} {result.status}: {result.evidence}"
        return ""

    def _other_views(
        self, names: Iterable[str], facts: Iterable[tuple[str, tuple[Chain, ...]]]
    ) -> Iterator[str]:
        """Yield what is there instead, once for all views in which it is the same."""
        instead: dict[str, list[str]] = {}
        for name in names:
            found = [
                f"{what} {'|'.join(map(write_chain, chains))}"
                for what, expected in facts
                if (chains := self._chains(name, what)) != expected
            ]
            if found:
                instead.setdefault(", ".join(found), []).append(name)
        for found_there, where in instead.items():
            yield f"{', '.join(where)}: {found_there}"

    def _chains(self, view: str, what: str) -> tuple[Chain, ...]:
        tree = self.views[view]
        tips = tree.longest if what == "longest" else tree.finalized[-1:]
        chains = ([*tree.chain(tip.hash)][-2::-1] for tip in tips)
        return tuple(tuple(map(self.name_of, blocks)) for blocks in chains)


class TreeStage(Stage):
    """Block trees without a network: all have all blocks, notarized in the order of commands."""

    def __init__(self, lines: Sequence[Line]) -> None:
        commands = [line.command for line in lines]
        named = [c.view for c in commands if isinstance(c, Notarize) and c.view]
        self.everyone = tuple(dict.fromkeys(named or ["view"]))
        self._blocks = {GENESIS: make_genesis("scenario")}
        blocks = sum(len(c.names) for c in commands if isinstance(c, NewBlocks))
        facts = sum(len(c.facts) for c in commands if isinstance(c, ExpectViews))
        looks = blocks * len(self.everyone) * (1 + facts)
        if looks > _MOST_LOOKS:
            expected = f"fewer blocks, views or expectations: at most {_MOST_LOOKS:,} to look at"
            raise InvalidInput("scenario", looks, expected)
        # One vote of everybody notarizes: who votes does not matter here.
        self.views = {n: BlockTree(self._blocks[GENESIS], quorum=1) for n in self.everyone}
        self.checks = {Consistency.name: Consistency(self.everyone)}
        self._listeners = Listeners(self.checks.values())

    def carry_out(self, command: Command) -> None:
        """Make blocks, or notarize them."""
        match command:
            case NewBlocks(names, parent):
                self._extend(names, self._block(parent))
            case Notarize(names, view):
                for each in (view,) if view else self.everyone:
                    for block in map(self._block, names):
                        self._notarize(each, block)

    def name_of(self, block: Block) -> str:
        """Return the name under which the block was made."""
        return block.payload.decode()

    def _extend(self, names: Chain, below: Block) -> None:
        for name in names:
            epoch, height = epoch_of(name), below.height + 1
            if name in self._blocks:
                raise InvalidInput("chain", name, "a new block: this one is there already")
            if epoch <= below.epoch:
                raise InvalidInput("chain", name, f"an epoch after {below.epoch}")
            below = Block(below.chain_id, epoch, height, below.hash, name.encode())
            self._blocks[name] = below
            for tree in self.views.values():
                tree.add_block(below)

    def _notarize(self, view: str, block: Block) -> None:
        vote = Vote(block.chain_id, block.epoch, block.height, block.hash, "everybody", b"")
        self._listeners.tell_of(self.views[view].add_vote(vote), 0, view)

    def _block(self, name: str) -> Block:
        to_name(name, self._blocks, "block")
        return self._blocks[name]


class NetworkStage(Stage):
    """The bare protocol on a network; everyone is all honest nodes and the observer."""

    simulation: Simulation

    def __init__(self, lines: Sequence[Line]) -> None:
        config = read_config(lines)
        deliveries = [line.command for line in lines if isinstance(line.command, Delivery)]
        links = make_links(config.network, config.nodes, config.seed)
        if deliveries:
            names = (*config.node_ids, OBSERVER)
            links = Links(ScriptedDelay(links.delay, deliveries, names), shortest=1)
        self._config = config
        self.simulation = create_streamlet_network(config, links=links)
        faults = chain.from_iterable(self.simulation.faults.values())
        self._scripts = [fault for fault in faults if isinstance(fault, Script)]
        checks = protocol_checks(config, self.simulation)
        self.simulation.monitors.extend(checks)
        self.checks = {check.name: check for check in checks}
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
        return tuple(find_culprits(self._config, self.simulation))
