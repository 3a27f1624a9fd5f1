"""A scenario from its text to what came of it, and the worked ones of the lab by name."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple, Self

from streamlet_lab.config import ExperimentConfig
from streamlet_lab.consensus import BlockTree
from streamlet_lab.errors import InvalidInput
from streamlet_lab.files import write_atomically
from streamlet_lab.fixed import fixed
from streamlet_lab.scenarios.scenario_config import placed_by_cause, read_config, write_settings
from streamlet_lab.scenarios.stages import NetworkStage, Stage, TreeStage
from streamlet_lab.scenarios.syntax import (
    Expectation,
    Line,
    NetworkCommand,
    Run,
    TreeCommand,
    placed,
    read_lines,
)
from streamlet_lab.simulator import Simulation
from streamlet_lab.texts import one_of, printable, read_text, to_path
from streamlet_lab.units import to_text

_FOLDER: Final = files("streamlet_lab.scenarios")


class Outcome(NamedTuple):
    """What became of one expectation, as it is written in a line of the text."""

    line: int
    expected: str
    found: str  # what was there instead; empty if the expectation was met

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
    name, title : str
        From the first line; the title says what it shows.
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
    name: str = field(init=False, compare=False)
    title: str = field(init=False, compare=False)
    lines: tuple[Line, ...] = field(init=False, compare=False)
    config: ExperimentConfig | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        name, title, lines = read_lines(to_text(self.text, "text"), self.source)
        config = None
        if not _is_tree(lines, self.source):
            with placed_by_cause(self.source, lines, read_config):
                config = read_config(lines)
        vars(self).update(name=name, title=title, lines=lines, config=config)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a scenario from a file.

        Raises
        ------
        DataError
            If there is no such file, or it is not text.
        """
        return cls(read_text(path), to_path(path).name)

    @classmethod
    def from_config(
        cls,
        config: ExperimentConfig,
        expectations: Iterable[str],
        *,
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
        name, title : str
        """
        for reason in config.not_rerunnable:
            raise InvalidInput("config", reason, "a configuration that is data")
        expected = [f"expect {expectation}" for expectation in expectations]
        run = f"run {config.epochs}"
        lines = [f"scenario {name}: {title}", *write_settings(config), run, *expected, ""]
        return cls("\n".join(lines))

    def save(self, path: str | Path) -> None:
        """Write the text to a file."""
        write_atomically(to_path(path), self.text.encode())

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
        return printable(f"Scenario({self.name}: {self.title})")


class ScenarioRun:
    """A scenario that was played to its end; printed, it says what was expected and found.

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
        source, lines = scenario.source, scenario.lines
        make_stage: Callable[[Sequence[Line]], Stage] = (
            TreeStage if scenario.config is None else NetworkStage
        )
        with placed_by_cause(source, lines, make_stage):
            stage = make_stage(lines)
        for line in lines:
            with placed(source, line.number):
                stage.check_names(line.command)
        self.views: Mapping[str, BlockTree] = fixed(stage.views)
        self.simulation: Simulation | None = stage.simulation
        self.outcomes = tuple(self._play(stage))

    def _play(self, stage: Stage) -> Iterator[Outcome]:
        source, lines = self.scenario.source, self.scenario.lines
        for line in lines:
            place = placed(source, line.number)
            if isinstance(line.command, Run):  # what goes wrong in a run is a step's fault
                place = placed_by_cause(source, lines, read_config)
            with place:
                stage.carry_out(line.command)
            if isinstance(line.command, Expectation):
                yield Outcome(line.number, line.text, stage.difference(line.command))

    @property
    def passed(self) -> bool:
        """Whether all expectations were met."""
        return all(outcome.met for outcome in self.outcomes)

    def __repr__(self) -> str:
        lines = [f"{self.scenario.name}: {self.scenario.title}"]
        for outcome in self.outcomes:
            lines.append(f"  {'met' if outcome.met else 'NOT MET'}: {outcome.expected}")
            if not outcome.met:
                lines.append(f"    line {outcome.line}, found {outcome.found}")
        met = sum(outcome.met for outcome in self.outcomes)
        lines.append(
            f"{met} of {len(self.outcomes)} expectations met"
            if self.outcomes
            else "nothing was expected: there is no line such as 'expect final 0-1'"
        )
        return "\n".join(map(printable, lines))


def scenario_names() -> tuple[str, ...]:
    """Return the names of all worked scenarios, A2 before A10."""
    names = (file.name for file in _FOLDER.iterdir())
    own = (name.removesuffix(".txt") for name in names if name.endswith(".txt"))
    return tuple(sorted(own, key=_parts))


def _parts(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def scenario(source: str | Path) -> Scenario:
    """Return a worked scenario by its name, whose case does not matter, or else that of a file.

    Raises
    ------
    InvalidInput
        If the source is neither a name nor a path, or for the first line that cannot be read.
    DataError
        If the file cannot be read.

    Examples
    --------
    >>> print(scenario("A4").run())
    A4: of three consecutive epochs on a notarized chain the second is final, with its prefix
      met: expect longest 0-2..4, final 0-2-3
    1 of 1 expectations met
    """
    names = {name.lower(): name for name in scenario_names()}
    own = names.get(str(source).lower())
    if own is not None:
        file = f"{own}.txt"
        return Scenario(_FOLDER.joinpath(file).read_text(encoding="utf-8"), file)
    with suppress(OSError):  # a name may be too long for a file
        # An empty path is the folder that one is in.
        if isinstance(source, str | Path) and str(source) and Path(source).exists():
            return Scenario.load(source)
    raise InvalidInput("scenario", source, one_of(source, names.values(), "a file, or one of"))


def _is_tree(lines: Sequence[Line], source: str) -> bool:
    """Say which of the two kinds of scenarios it is; refuse a mixture."""
    is_tree = any(isinstance(line.command, TreeCommand) for line in lines)
    if not is_tree and not any(isinstance(line.command, Run) for line in lines):
        expected = "among them a line such as 'run 12', or 'chain 0-1-2'"
        raise InvalidInput(f"{source}: lines", [line.text for line in lines], expected)
    foreign = NetworkCommand if is_tree else TreeCommand
    for line in lines:
        if isinstance(line.command, foreign):
            with placed(source, line.number):
                expected = "either block trees or a network, not both"
                raise InvalidInput("command", line.text, expected)
    return is_tree
