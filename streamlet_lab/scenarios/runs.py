"""A scenario from its text to what came of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import BlockTree
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.files import write_atomically
from streamlet_lab.scenarios.scenario_config import placed_by_cause, read_config, write_settings
from streamlet_lab.scenarios.stages import NetworkStage, Stage, TreeStage
from streamlet_lab.scenarios.syntax import (
    Document,
    Expectation,
    Line,
    NetworkCommand,
    Run,
    TreeCommand,
    placed,
    read_document,
)
from streamlet_lab.simulator import Simulation


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


@dataclass(frozen=True)
class Scenario:
    """A worked example: what is done, and what must come of it. It is its text.

    Attributes
    ----------
    text : str
    source : str
        Where the text comes from, for error messages.
    document : Document
        What the text says.
    config : ExperimentConfig or None
        Of the network, if there is one.

    Raises
    ------
    InvalidInput
        For the first line that cannot be read, or setting that is wrong.

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
        config = None
        if not _is_tree(document, self.source):
            with placed_by_cause(self.source, document.lines, read_config):
                config = read_config(document.lines)
        object.__setattr__(self, "config", config)

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
            As from a text.
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

        It names what differs from the defaults, the seed and the epoch's length in any case.

        Parameters
        ----------
        config : ExperimentConfig
            Without functions, which a text cannot hold; else `InvalidInput`.
        expectations : iterable of str
            Each as behind ``expect``: ``"consistency holds"``.
        epochs : int, optional
            The configuration's unless given.
        name, title : str
        """
        for reason in config.not_rerunnable:
            raise InvalidInput("config", reason, "a configuration that is data")
        run = f"run {config.epochs if epochs is None else epochs}"
        expected = [f"expect {expectation}" for expectation in expectations]
        lines = [f"scenario {name}: {title}", *write_settings(config), run, *expected, ""]
        return cls("\n".join(lines))

    @property
    def name(self) -> str:
        """Its name, from the first line."""
        return self.document.name

    @property
    def title(self) -> str:
        """One sentence that says what it shows, from the first line."""
        return self.document.title

    def to_text(self) -> str:
        """Return the text, comments and all."""
        return self.text

    def save(self, path: str | Path) -> None:
        """Write the text to a file."""
        write_atomically(Path(path), self.text.encode())

    def run(self) -> "ScenarioRun":
        """Play it; the same scenario gives the same run every time.

        Raises
        ------
        InvalidInput
            For the first line that is wrong; on a network before the first epoch, but for scripted
            votes on blocks that nobody has made in time.
        """
        return ScenarioRun(self)

    def __repr__(self) -> str:
        return f"Scenario({self.name}: {self.title})"


class ScenarioRun:
    """A scenario that was played to its end.

    Attributes
    ----------
    scenario : Scenario
    outcomes : tuple of Outcome
        Of each expectation, in the order of the text.
    views : dict of str to BlockTree
        What everyone sees at the end.
    simulation : Simulation or None
        The run, where there is a network.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        source, lines = scenario.source, scenario.document.lines
        make_stage: Callable[[Sequence[Line]], Stage] = (
            TreeStage if scenario.config is None else NetworkStage
        )
        with placed_by_cause(source, lines, make_stage):
            stage = make_stage(lines)
        for line in lines:
            with placed(source, line.number):
                stage.check_names(line.command)
        self.views: Mapping[str, BlockTree] = stage.views
        self.simulation: Simulation | None = stage.simulation
        self.outcomes = tuple(self._play(stage))

    def _play(self, stage: Stage) -> Iterator[Outcome]:
        source, lines = self.scenario.source, self.scenario.document.lines
        for line in lines:
            place = placed(source, line.number)
            if isinstance(line.command, Run):  # what goes wrong in a run is a step's fault
                place = placed_by_cause(source, lines, read_config)
            with place:
                stage.carry_out(line.command)
            if isinstance(line.command, Expectation):
                yield Outcome(line.number, line.text, stage.difference(line.command))

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


def _is_tree(document: Document, source: str) -> bool:
    """Say which of the two kinds of scenarios it is; refuse a mixture."""
    is_tree = any(isinstance(command, TreeCommand) for command in document.commands)
    if not is_tree and not any(isinstance(command, Run) for command in document.commands):
        expected = "among them a line such as 'run 12', or 'chain 0-1-2'"
        raise InvalidInput(f"{source}: lines", [line.text for line in document.lines], expected)
    foreign = NetworkCommand if is_tree else TreeCommand
    for line in document.lines:
        if isinstance(line.command, foreign):
            with placed(source, line.number):
                raise InvalidInput(
                    "command", line.text, "either block trees or a network, not both"
                )
    return is_tree
