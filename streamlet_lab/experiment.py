"""From a configuration to a result."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from streamlet_lab.checks import make_checks
from streamlet_lab.config import OBSERVER, ExperimentConfig, load_config, make_config
from streamlet_lab.frames import build_frames, protocol_frame
from streamlet_lab.prices import PreviousConsensus
from streamlet_lab.result import ProtocolRun, Result
from streamlet_lab.simulator import (
    Market,
    Monitor,
    Progress,
    ProgressReport,
    Recorder,
    StockMarketConsensusNetwork,
    create_streamlet_network,
)


class Experiment:
    """One run of the whole system: quotes, consensus, market.

    Parameters
    ----------
    **settings
        Fields of :class:`~streamlet_lab.config.ExperimentConfig`; each has a default.

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
        self._set_up(make_config(**settings))

    @classmethod
    def from_config(cls, config: ExperimentConfig) -> Self:
        """Return the experiment of a configuration, such as a loaded result's."""
        experiment = cls.__new__(cls)
        experiment._set_up(config)
        return experiment

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an experiment from a ``.toml`` or ``.json`` file."""
        return cls.from_config(load_config(path))

    def save(self, path: str | Path) -> None:
        """Write the experiment to a ``.toml`` or ``.json`` file."""
        self.config.save(path)

    def run(
        self,
        *,
        monitors: Sequence[Monitor] = (),
        progress: Progress | None = None,
    ) -> Result:
        """Run it; the same experiment gives the same result every time.

        Parameters
        ----------
        monitors : sequence of Monitor
            Further watchers; they cannot change the run.
        progress : callable, optional
            ``progress(epoch, epochs)`` is called at the beginning of each epoch.
        """
        config = self.config
        network = StockMarketConsensusNetwork(config)
        honest = (set(config.node_ids) - config.faulty_nodes) | {OBSERVER}
        voter = network.application.voter
        genesis = PreviousConsensus(network.feed.path.base_price, network.genesis.epoch)
        checks = make_checks(honest, voter, genesis)
        recorder = Recorder()
        network.monitors.extend((recorder, *checks, *monitors))
        if progress is not None:
            network.monitors.append(ProgressReport(progress, config.epochs))
        market = Market(network)
        network.run(config.epochs)
        return Result(
            config=config,
            symbol=network.symbol,
            frames=build_frames(network, market, recorder),
            checks={check.name: check.result() for check in checks},
            signatures=network.keyring.signatures,
            verifications=network.keyring.verifications,
        )

    def __repr__(self) -> str:
        settings = self.config.model_dump(mode="json", exclude_defaults=True)
        arguments = ", ".join(f"{name}={value!r}" for name, value in settings.items())
        return f"Experiment({arguments})"

    def _set_up(self, config: ExperimentConfig) -> None:
        self.config = config
        # Making the network reads everything that a run reads, so that a wrong feed or fault is
        # reported now.
        StockMarketConsensusNetwork(config)


def run_protocol(*, progress: Progress | None = None, **settings: Any) -> ProtocolRun:
    """Run the bare protocol, with payloads that mean nothing.

    Parameters
    ----------
    progress : callable, optional
        See :meth:`Experiment.run`.
    **settings
        Fields of :class:`~streamlet_lab.config.ExperimentConfig`; those about prices and the market
        do not matter.

    Examples
    --------
    >>> run_protocol(epochs=8, nodes=4, faults={"node_3": "silent_leader"})
    4 nodes, quorum 3: 5 of 6 proposed blocks final after 8 epochs
    """
    config = make_config(**settings)
    recorder = Recorder()
    monitors: list[Monitor] = [recorder]
    if progress is not None:
        monitors.append(ProgressReport(progress, config.epochs))
    simulation = create_streamlet_network(config, monitors)
    simulation.run(config.epochs)
    return ProtocolRun(config, protocol_frame(simulation, recorder))
