"""Search for violations: random adversaries on random networks, inside the paper's models.

Every run is legal in one of the three models, mostly in that of Byzantine nodes and partial
synchrony: no more nodes are faulty than it tolerates, epochs are long enough, nothing that an
honest node sends is lost. So every property must hold in each. A run follows from the seed and its
number alone; one that fails is made as small as it goes and can be saved as a scenario.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from streamlet_lab.checks import CheckResult, Status
from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.consensus.quorums import FaultModel, max_faulty
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.experiment import run_protocol
from streamlet_lab.fault import Fault
from streamlet_lab.interrupts import terminable
from streamlet_lab.scenarios import Scenario
from streamlet_lab.simulator import Progress, make_fault, offered_fault_kinds, own_fault_kinds
from streamlet_lab.streams import stream
from streamlet_lab.texts import printable
from streamlet_lab.units import to_whole

_MILLISECOND: Final = 1_000

# Of Byzantine nodes in partial synchrony, of crashes, of synchrony.
_MODEL_WEIGHTS: Final = (8, 1, 1)


class Finding(NamedTuple):
    """A run, by its number in the search, whose smallest configuration violates properties.

    Or it ends in an error, which no run should: then its kind is there, and nothing is violated.
    """

    number: int
    config: ExperimentConfig
    violated: tuple[str, ...]
    error: str = ""

    def scenario(self) -> Scenario:
        """Return it as a scenario that expects what should have been."""
        what = f"{self.error} raised" if self.error else f"{', '.join(self.violated)} violated"
        return Scenario.from_config(
            self.config,
            [f"{name} holds" for name in self.violated],
            name=f"run_{self.number}",
            title=f"{what} in a random search",
        )


@dataclass(slots=True)
class Search:
    """What a search has found in so many runs, and why findings could not be saved.

    ``examined`` counts in how many of the runs each property had something to say; ``interrupt`` is
    what ended the search early.
    """

    runs: int = 0
    findings: list[Finding] = field(default_factory=list)
    examined: Counter[str] = field(default_factory=Counter)
    unsaved: list[str] = field(default_factory=list)
    interrupt: KeyboardInterrupt | None = None

    def __repr__(self) -> str:
        errors = sum(bool(finding.error) for finding in self.findings)
        violations = len(self.findings) - errors
        found = f"{violations} violations" if violations else "no violation"
        found += f", {errors} errors" if errors else ""
        held = ", ".join(f"{name} {count}" for name, count in self.examined.items())
        unsaved = "".join(f"; not saved: {reason}" for reason in self.unsaved)
        early = "interrupted after " if self.interrupt else ""
        return printable(f"{early}{self.runs} runs, {found}; applicable in: {held}{unsaved}")


def fuzz(
    runs: int, *, seed: int = 0, save: str | Path | None = None, progress: Progress | None = None
) -> Search:
    """Run random adversaries inside the model and look for violations.

    An interrupt, or SIGTERM, ends the search and loses nothing that was found.

    Parameters
    ----------
    runs : int
    seed : int
        The same seed gives the same runs, whatever their number.
    save : str or Path, optional
        A folder for a scenario of each finding; it is made if it is not there.
    progress : callable, optional
        ``progress(done, runs)`` before each run.

    Raises
    ------
    InvalidInput
        If the number of runs is none, or the folder cannot be made.

    Examples
    --------
    >>> fuzz(3).findings
    []
    """
    runs = to_whole(runs, 1, "runs")
    folder = None if save is None else Path(save)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput("save", str(folder), f"a folder ({error.strerror})") from error
    search = Search()
    try:
        with terminable():
            for number in range(runs):
                if progress is not None:
                    progress(number, runs)
                found = len(search.findings)
                try:
                    _search_once(search, seed, number)
                finally:  # also what is interrupted while it is made small
                    if folder is not None and len(search.findings) > found:
                        _save_last(search, folder / f"fuzz_{seed}_{number}.txt")
    except KeyboardInterrupt as interrupt:
        search.interrupt = interrupt
    return search


def _save_last(search: Search, path: Path) -> None:
    try:
        search.findings[-1].scenario().save(path)
    except (DataError, OSError) as error:  # the search has it all the same
        search.unsaved.append(str(error))


def _search_once(search: Search, seed: int, number: int) -> None:
    config = random_config(stream(seed, f"fuzz/{number}"))
    checks, error = _run(config)
    search.runs += 1
    search.examined.update(
        name for name, check in checks.items() if check.status is not Status.NOT_APPLICABLE
    )
    violated = _violated(checks)
    if not (violated or error):
        return

    def fails(simpler: ExperimentConfig) -> bool:
        checks, its_error = _run(simpler)
        return its_error == error and (bool(error) or not {*violated}.isdisjoint(_violated(checks)))

    search.findings.append(Finding(number, config, violated, error))
    smallest = shrink(config, fails)
    search.findings[-1] = Finding(number, smallest, _violated(_run(smallest)[0]), error)


def violations(config: ExperimentConfig) -> tuple[str, ...]:
    """Run the bare protocol and return which properties are violated."""
    return _violated(run_protocol(config).checks)


def _run(config: ExperimentConfig) -> tuple[Mapping[str, CheckResult], str]:
    """Return the checks of the bare protocol, or what kind of error ended it."""
    try:
        return run_protocol(config).checks, ""
    except Exception as error:
        return {}, type(error).__name__


def _violated(checks: Mapping[str, CheckResult]) -> tuple[str, ...]:
    return tuple(name for name, check in checks.items() if check.status is Status.VIOLATED)


# --- What is run


def random_config(draw: random.Random) -> ExperimentConfig:
    """Return a random configuration inside one of the paper's models, mostly the first."""
    model: FaultModel = draw.choices(get_args(FaultModel), _MODEL_WEIGHTS)[0]
    nodes = draw.choice([4, 4, 4, 5, 6, 7, 8, 10])
    delta = draw.choice([20, 100, 500]) * _MILLISECOND
    skew = draw.choice([0, 0, delta // 4])
    epoch_length = 2 * delta + skew + draw.choice([0, 0, delta])
    epochs = draw.randint(6, 24)
    disturbances = {
        **_random_bad_times(draw, epochs, epoch_length),
        **_random_partition(draw, nodes, epochs * epoch_length),
    }
    if model == "synchronous":
        disturbances = {}  # this model has no bad times
    return make_config(
        nodes=nodes,
        epochs=epochs,
        seed=draw.getrandbits(62),
        model=model,
        signatures="none",
        leaders=draw.choice(["round_robin", "hashed"]),
        epoch_length=_text(epoch_length),
        network={
            "delta": _text(delta),
            "clock_skew": _text(skew),
            "delays": draw.choice(["constant", "uniform", "lognormal"]),
            "median_delay": _text(int(delta * draw.choice([0.02, 0.1, 0.5, 1.0]))),
            "delay_spread": draw.choice([0.3, 0.7, 2.0]),
            "catch_up": draw.random() < 0.2,
            "loss": draw.choice([0.0, 0.0, 0.3]),
            **disturbances,
        },
        faults=_random_faults(draw, nodes, epochs, model),
    )


def _random_bad_times(draw: random.Random, epochs: int, epoch_length: int) -> dict[str, Any]:
    """Bad periods one after the other; short ones, since what they hold back is then released."""
    if draw.random() < 0.3:
        return {}
    end = draw.randint(1, epochs) * epoch_length
    periods, start = [], draw.choice([0, draw.randrange(end)])
    while start < end:
        stop = start + draw.randint(1, 3 * epoch_length)
        periods.append({"start": _text(start), "stop": _text(stop)})
        start = stop
    return {
        "bad_periods": periods,
        "slowdown": draw.choice([1.0, 1.0, 3.0, 20.0]),
        "held": draw.choice([0.0, 0.2, 0.35, 0.5]),
        "held_together": draw.random() < 0.7,
    }


def _random_partition(draw: random.Random, nodes: int, end: int) -> dict[str, Any]:
    if draw.random() < 0.6:
        return {}
    names = [f"node_{index}" for index in range(nodes)]
    draw.shuffle(names)
    cut, start = draw.randint(1, nodes - 1), draw.randrange(end)
    partition = {
        "start": _text(start),
        "stop": _text(start + draw.randint(1, end // 2)),
        "groups": [names[:cut], names[cut:]],
        "one_way": draw.random() < 0.3,
    }
    return {"partitions": [partition]}


def _text(microseconds: int) -> str:
    return f"{microseconds}us"


def _random_faults(draw: random.Random, nodes: int, epochs: int, model: FaultModel) -> list[Fault]:
    """Return faults of as many nodes as the model tolerates, alone or as accomplices."""
    names = [f"node_{index}" for index in range(nodes)]
    most = max_faulty(nodes, model)
    faulty = draw.sample(names, draw.choice([draw.randint(0, most), most]))
    kinds = ("crash",) if model == "crash" else _KINDS
    faults = []
    while faulty:
        together = draw.randint(1, len(faulty))
        group, faulty = faulty[:together], faulty[together:]
        for _ in range(draw.choice([1, 1, 2])):
            start = draw.choice([0, 0, draw.randrange(epochs)])
            stop = draw.choice([None, start + draw.randint(1, epochs)])
            kind = draw.choice(kinds) if kinds != _KINDS or draw.random() < 0.6 else _STRONGEST
            faults.append(Fault(kind, tuple(group), None, start, stop))
    return faults


# Those that need no prices.
_KINDS: Final = tuple(
    kind
    for kind in own_fault_kinds()
    if kind in offered_fault_kinds() and not make_fault(Fault(kind, ("node_0",))).needs_prices
)
# Of all kinds the one under which planted bugs show most often: see `benchmarks/planted_bugs.py`.
_STRONGEST: Final = "hoard"


# --- Making a failing run small


def shrink(config: ExperimentConfig, fails: Callable[[ExperimentConfig], bool]) -> ExperimentConfig:
    """Return the end of a greedy descent from a failing configuration through simpler ones."""
    while (simpler := next(filter(fails, _simpler(config)), None)) is not None:
        config = simpler
    return config


def _simpler(config: ExperimentConfig) -> Iterator[ExperimentConfig]:
    """Yield configurations with something less: fewer epochs, faults, settings of the network."""
    document = config.to_document()
    faults, network = document["faults"], document["network"]
    plain = make_config().network.model_dump(mode="json")
    less: list[dict[str, Any]] = [
        *({"epochs": epochs} for epochs in (config.epochs // 2, config.epochs - 1) if epochs),
        *({"faults": faults[:index] + faults[index + 1 :]} for index in range(len(faults))),
        *(
            {"network": {key: kept for key, kept in network.items() if key != name}}
            for name, value in network.items()
            if name != "delta" and value != plain[name]
        ),
    ]
    if config.leaders != "round_robin":
        less.append({"leaders": "round_robin"})
    return (make_config(**document | settings) for settings in less)
