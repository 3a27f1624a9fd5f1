"""A scenario from its text to what came of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import BlockTree
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.files import write_atomically
from streamlet_lab.scenarios.settings import placed_by_content, read_config, write_settings
from streamlet_lab.scenarios.stages import NetworkStage, TreeStage
from streamlet_lab.scenarios.syntax import (
    Chain,
    Document,
    ExpectCheck,
    ExpectGuilty,
    ExpectViews,
    Line,
    NewBlocks,
    Notarize,
    Run,
    Setting,
    placed,
    read_document,
    write_chain,
)
from streamlet_lab.simulator import Simulation
from streamlet_lab.simulator.script import Delivery, Step

_TREE_COMMANDS = (NewBlocks, Notarize)
_NETWORK_COMMANDS = (Setting, Step, Delivery, Run)
_EXPECTATIONS = (ExpectViews, ExpectGuilty, ExpectCheck)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expectation.

    Parameters
    ----------
    line : int
        Where it stands.
    expected : str
        As written.
    found : str
        What was there instead; empty if the expectation was met.
    """

    line: int
    expected: str
    found: str

    @property
    def met(self) -> bool:
        """Whether it was as expected."""
        return not self.found


class ScenarioRun:
    """A scenario that was played to its end.

    Attributes
    ----------
    scenario : Scenario
    outcomes : tuple of Outcome
        Of each expectation, in the order of the text.
    simulation : Simulation or None
        The run, where there is a network.
    views : dict of str to BlockTree
        What everyone sees at the end.
    """

    def __init__(self, scenario: "Scenario") -> None:
        self.scenario = scenario
        self._stage = scenario.make_stage()
        self.outcomes = tuple(self._play(scenario.lines))

    @property
    def simulation(self) -> Simulation | None:
        """The run, where there is a network."""
        return self._stage.simulation if isinstance(self._stage, NetworkStage) else None

    @property
    def views(self) -> Mapping[str, BlockTree]:
        """What everyone sees at the end, by name."""
        return self._stage.views

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The expectations that were not met."""
        return tuple(outcome for outcome in self.outcomes if not outcome.met)

    @property
    def passed(self) -> bool:
        """Whether all expectations were met."""
        return not self.failures

    def report(self) -> list[str]:
        """Return lines of text that say what was expected and, where it differs, found."""
        lines = [f"{self.scenario.name}: {self.scenario.title}"]
        for outcome in self.outcomes:
            lines.append(f"  {'met' if outcome.met else 'NOT MET'}: {outcome.expected}")
            if not outcome.met:
                lines.append(f"    line {outcome.line}, found {outcome.found}")
        if not self.outcomes:
            return [*lines, "nothing was expected: there is no line such as 'expect final 0-1'"]
        met = len(self.outcomes) - len(self.failures)
        return [*lines, f"{met} of {len(self.outcomes)} expectations met"]

    def __repr__(self) -> str:
        return "\n".join(self.report())

    def _play(self, lines: Iterable[Line]) -> Iterator[Outcome]:
        for line in lines:
            with placed_by_content(self.scenario.document, self.scenario.source):
                self._stage.carry_out(line.command)
            if isinstance(line.command, _EXPECTATIONS):
                yield Outcome(line.number, line.text, self._difference(line.command))

    def _difference(self, expectation: ExpectViews | ExpectGuilty | ExpectCheck) -> str:
        match expectation:
            case ExpectViews(names, facts):
                return "; ".join(self._other_views(names or self._stage.everyone, facts))
            case ExpectGuilty(names):
                guilty = self._stage.guilty()
                return "" if {*guilty} == {*names} else f"guilty {', '.join(guilty) or 'none'}"
            case ExpectCheck(name, status):
                result = self._stage.checks[name].result()
                if result.status == status:
                    return ""
                return f"{name} {result.status}: {result.evidence}"

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
        tree = self._stage.views[view]
        tips = tree.longest if what == "longest" else tree.finalized[-1:]
        chains = ([*tree.chain(tip.hash)][-2::-1] for tip in tips)
        return tuple(tuple(map(self._stage.name_of, blocks)) for blocks in chains)


@dataclass(frozen=True)
class Scenario:
    """A worked example: what is done, and what must come of it. It is its text.

    Parameters
    ----------
    text : str
    source : str
        Where the text comes from, for error messages.

    Attributes
    ----------
    document : Document
        What the text says.
    config : ExperimentConfig or None
        Of the network, if there is one.

    Raises
    ------
    InvalidInput
        For the first line that is wrong, before anything runs.

    Examples
    --------
    >>> mine = Scenario('''scenario mine: genesis is the first of three
    ... chain 0-1
    ... notarize 0 1
    ... expect longest 0-1, final 0
    ... ''')
    >>> mine.run().passed
    True
    """

    text: str
    source: str = field(default="scenario", compare=False)
    document: Document = field(init=False, repr=False, compare=False)
    config: ExperimentConfig | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        document = read_document(self.text, self.source)
        object.__setattr__(self, "document", document)
        is_tree = _is_tree(document, self.source)
        object.__setattr__(self, "config", None if is_tree else read_config(document, self.source))
        self._rehearse()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a scenario from a text."""
        return cls(text)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a scenario from a file.

        Raises
        ------
        DataError
            If there is no such file, or it is not text.
        InvalidInput
            For the first line that is wrong.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: not a text in UTF-8 ({error.reason})") from error
        return cls(text, path.name)

    @classmethod
    def from_config(
        cls,
        config: ExperimentConfig,
        expectations: Iterable[str],
        *,
        epochs: int | None = None,
        name: str = "saved",
        title: str = "a run of the bare protocol",
    ) -> Self:
        """Return the scenario that runs the bare protocol as a configuration says.

        It names what differs from the defaults, the seed and the epoch's length in any case, and
        runs the same way as :func:`~streamlet_lab.simulator.create_streamlet_network`.

        Parameters
        ----------
        config : ExperimentConfig
        expectations : iterable of str
            Each as behind ``expect``: ``"consistency holds"``.
        epochs : int, optional
            The configuration's unless given.
        name, title : str

        Raises
        ------
        InvalidInput
            If the configuration holds a function, which a text cannot.
        """
        for reason in config.not_rerunnable:
            raise InvalidInput("config", reason, "a configuration that is data")
        settings = [f"{key} = {value}" for key, value in write_settings(config)]
        expected = [f"expect {expectation}" for expectation in expectations]
        run = f"run {config.epochs if epochs is None else epochs}"
        return cls("\n".join([f"scenario {name}: {title}", *settings, run, *expected, ""]))

    @property
    def name(self) -> str:
        """Its name, from the first line."""
        return self.document.name

    @property
    def title(self) -> str:
        """One sentence that says what it shows, from the first line."""
        return self.document.title

    @property
    def lines(self) -> tuple[Line, ...]:
        """The commands and expectations."""
        return self.document.lines

    def to_text(self) -> str:
        """Return the text, comments and all."""
        return self.text

    def save(self, path: str | Path) -> None:
        """Write the text to a file."""
        write_atomically(Path(path), self.text.encode())

    def run(self) -> ScenarioRun:
        """Play it; the same scenario gives the same run every time."""
        return ScenarioRun(self)

    def make_stage(self) -> TreeStage | NetworkStage:
        """Return the place where it is played, before the first command."""
        commands = [line.command for line in self.lines]
        if self.config is None:
            views = dict.fromkeys(c.view for c in commands if isinstance(c, Notarize) and c.view)
            return TreeStage(tuple(views) or ("view",))
        return NetworkStage(self.config, [c for c in commands if isinstance(c, Delivery)])

    def __repr__(self) -> str:
        return f"Scenario({self.name}: {self.title})"

    def _rehearse(self) -> None:
        """Find what is wrong before anything runs. Block trees know no time: they are played."""
        with placed_by_content(self.document, self.source):
            stage = self.make_stage()
        for line in self.lines:
            with placed(self.source, line.number):
                _check_names(line, stage)
                if isinstance(stage, TreeStage):
                    stage.carry_out(line.command)


def _is_tree(document: Document, source: str) -> bool:
    """Say which of the two kinds of scenarios it is; refuse a mixture."""
    is_tree = any(isinstance(line.command, _TREE_COMMANDS) for line in document.lines)
    if not is_tree and not any(isinstance(line.command, Run) for line in document.lines):
        expected = "among them a line such as 'run 12', or 'chain 0-1-2'"
        raise InvalidInput(f"{source}: lines", [line.text for line in document.lines], expected)
    foreign = _NETWORK_COMMANDS if is_tree else _TREE_COMMANDS
    for line in document.lines:
        if isinstance(line.command, foreign):
            with placed(source, line.number):
                raise InvalidInput(
                    "command", line.text, "either block trees or a network, not both"
                )
    return is_tree


def _check_names(line: Line, stage: TreeStage | NetworkStage) -> None:
    """Refuse what names nobody, or no check."""
    match line.command:
        case ExpectViews(names):
            mentioned: Iterable[str] = names
        case ExpectGuilty(names):
            mentioned = names
        case Delivery(senders=senders, receivers=receivers):
            mentioned = (*(senders or ()), *(receivers or ()))
        case ExpectCheck(check) if check not in stage.checks:
            raise InvalidInput("check", check, f"one of {', '.join(stage.checks)}")
        case _:
            mentioned = ()
    for name in mentioned:
        if name not in stage.views:
            raise InvalidInput("name", name, f"one of {', '.join(stage.views)}")
