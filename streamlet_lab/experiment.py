"""From a configuration to a result."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from streamlet_lab.checks import Check, find_culprits, find_excerpt, market_checks, protocol_checks
from streamlet_lab.config import (
    OBSERVER,
    ExperimentConfig,
    check_config,
    check_runnable,
    given_settings,
    load_config,
    make_config,
    read_settings,
    to_code,
    with_setting,
)
from streamlet_lab.consensus import PublicKeys, is_proven
from streamlet_lab.errors import InvalidInput
from streamlet_lab.garbage import look_at_new_objects_only
from streamlet_lab.keys import Ed25519Keyring
from streamlet_lab.ledger import Ledger
from streamlet_lab.prices import SOURCES
from streamlet_lab.simulator import (
    Forgetter,
    Market,
    Monitor,
    Progress,
    ProgressReport,
    Recorder,
    Simulation,
    StockSimulation,
    create_streamlet_network,
)

if TYPE_CHECKING:
    from streamlet_lab.result import Result


class Experiment:
    """One run of the whole system: quotes, consensus, market.

    The settings are fields of :class:`~streamlet_lab.config.ExperimentConfig`, each with a default.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong, before anything runs.
    DataError
        If the feed's history is missing or damaged.

    Examples
    --------
    >>> result = Experiment(epochs=12, nodes=4, seed=1).run()
    >>> result.safe, result.summary["finalized_blocks"]
    (True, 11)
    """

    def __init__(self, **settings: Any) -> None:
        self.config = make_config(**settings)

    @classmethod
    def from_config(cls, config: ExperimentConfig) -> Self:
        """Return the experiment of a configuration, such as a loaded result's."""
        check_runnable(check_config(config))
        experiment = cls.__new__(cls)
        experiment.config = config
        return experiment

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an experiment from a ``.toml`` or ``.json`` file."""
        return cls.from_config(load_config(path))

    def replace(self, **settings: Any) -> Self:
        """Return another experiment, with these settings changed.

        A section such as ``network`` is replaced as a whole; a single setting of it goes by its
        full name. Defaults that depend on other settings follow the changed ones.

        >>> Experiment(epochs=12).replace(seed=2, **{"network.gst": "5s"})
        Experiment(epochs=12, seed=2, network={"gst": "5s"})
        """
        document = given_settings(self.config)
        for name, value in settings.items():
            document = with_setting(document, name, value)
        return type(self)(**document)

    def save(self, path: str | Path) -> None:
        """Write the experiment to a ``.toml`` or ``.json`` file."""
        self.config.save(path)

    def run(
        self, *, monitors: Sequence[Monitor] = (), progress: Progress | None = None
    ) -> "Result":
        """Run it; the same experiment gives the same result every time.

        Monitors watch, and cannot change the run; ``progress(epoch, epochs)`` is called at the
        beginning of each epoch.
        """
        network = StockSimulation(self.config)
        market, checks = Market(network), market_checks(self.config, network)
        return _run(self.config, network, checks, monitors, progress, market)

    def __repr__(self) -> str:
        return to_code(self.config, "Experiment")


def description() -> Experiment:
    """Return the experiment of the system's description, by the letter of its rules.

    A price lies between $50 and $500, at least 100 shares are quoted, and it is strictly within
    10 % of the last consensus: a price that moves further is locked out. Three sources differ by
    50 bp, so that average and volume-weighted average are some cents apart. The demos of the
    command line run it, with what their options change.

    >>> description().run().prices[["consensus_price", "vwap"]].head(3)
       consensus_price    vwap
    0           150.00  150.26
    1           151.57  151.62
    2           151.23  151.13
    """
    sources = [{"name": name, "noise_bp": 50} for name in SOURCES]
    rules = {"min_price": 50, "max_price": 500, "min_volume": 100, "min_sources": 2}
    deviation = {"max_deviation_percent": 10, "deviation_rule": "strict"}
    prices = {"sources": sources, **rules, **deviation}
    return Experiment(epochs=12, nodes=4, prices=prices, market={"band_percent": 5})


def run_protocol(
    config: ExperimentConfig | None = None,
    /,
    *,
    monitors: Sequence[Monitor] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> "Result":
    """Run the bare protocol, with payloads that mean nothing: a result without prices and market.

    It takes a configuration, or settings by name as an :class:`Experiment` does; those about prices
    and the market do not matter.

    >>> run = run_protocol(epochs=8, nodes=4, faults={"node_3": "silent_leader"})
    >>> run.summary["proposed_blocks"], run.summary["finalized_blocks"]
    (6, 5)
    """
    if config is not None and settings:
        raise InvalidInput("settings", sorted(settings), "none beside a configuration")
    config = read_settings(settings) if config is None else check_config(config)
    simulation = create_streamlet_network(config)
    return _run(config, simulation, protocol_checks(config, simulation), monitors, progress)


@look_at_new_objects_only()
def _run(
    config: ExperimentConfig,
    simulation: Simulation,
    checks: Sequence[Check],
    monitors: Sequence[Monitor],
    progress: Progress | None,
    market: Market | None = None,
) -> "Result":
    # Only here: an experiment is made, shown and saved without frames and pandas.
    from streamlet_lab.frames import Record, make_frames
    from streamlet_lab.result import Result
    from streamlet_lab.totals import NoFrames, Summing

    recorder = Recorder()
    reports: list[Monitor] = [] if progress is None else [ProgressReport(progress, config.epochs)]
    forget = [check.forget for check in checks]
    summing = None
    if config.record == "summary":
        summing = Summing(config, simulation, recorder, market)
        forget.insert(0, summing.forget)
        reports.append(summing)
    forgetter = Forgetter(simulation, () if summing else (OBSERVER,), [*forget, recorder.forget])
    # The market, which is there already, is the last to see an event.
    simulation.monitors[:0] = [recorder, *checks, *monitors, *reports, forgetter]
    simulation.run(config.epochs)
    if market is not None:
        market.close(config.epochs * config.epoch_length)
    ledger = Ledger(simulation.observer.tree, _public_keys(simulation))
    known = {} if ledger.keys is None else ledger.keys.keys
    culprits = find_culprits(config, simulation)
    offences = [(evidence, is_proven(evidence, known)) for evidence in culprits.values()]
    excerpt = find_excerpt(checks, recorder, simulation)
    record = Record.of(config, simulation, recorder, market, excerpt=excerpt, offences=offences)
    return Result(
        config=config,
        frames=NoFrames() if summing else make_frames(record),
        checks={check.name: check.result() for check in checks},
        evidence={evidence.culprit: evidence for evidence in culprits.values()},
        # Its last line is the violation; what the others tell of is not kept for a summary.
        excerpt=excerpt.lines[-1:] if summing else excerpt.lines,
        signatures=simulation.keyring.signatures,
        verifications=simulation.keyring.verifications,
        ledger=ledger,
        totals=summing.finish() if summing else None,
    )


def _public_keys(simulation: Simulation) -> PublicKeys | None:
    keyring = simulation.keyring
    if not isinstance(keyring, Ed25519Keyring):
        return None
    genesis, quorum = simulation.genesis, simulation.observer.tree.quorum
    keys = {name: keyring.public_key(name) for name in simulation.node_ids}
    return PublicKeys(genesis.chain_id, genesis.hash, quorum, keys)
