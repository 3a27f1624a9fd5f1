"""Configurations from settings and from files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamlet_lab.config.experiment_config import ExperimentConfig
from streamlet_lab.config.runnable import check_runnable
from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.texts import MOST_SETTINGS, parse_json, parse_toml, read_text, to_path


def make_config(**settings: Any) -> ExperimentConfig:
    """Validate settings, with the parameters of all that they name.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong.
    DataError
        If the feed's history is missing or damaged.
    """
    config = read_settings(settings)
    check_runnable(config)
    return config


def read_settings(settings: dict[str, Any]) -> ExperimentConfig:
    """Validate settings as they were saved, whatever is registered here of what they name."""
    return ExperimentConfig(**settings)


def load_config(path: str | Path) -> ExperimentConfig:
    """Read a configuration from a ``.toml`` or ``.json`` file, as `read_settings` does.

    `DataError` is raised if there is no such file, or it is not TOML or JSON.
    """
    text = read_text(path)
    if to_path(path).suffix == ".json":
        document = parse_json(text, str(path), most=MOST_SETTINGS)
    else:
        document = parse_toml(text, str(path))
    if not isinstance(document, dict):
        raise DataError(f"{path}: not a table of settings")
    return read_settings(document)


def with_setting(document: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return settings with one of them changed, which may be a section's: ``"network.delta"``."""
    if not isinstance(name, str):
        raise InvalidInput("setting", name, "the name of a setting")
    head, dot, rest = name.partition(".")
    if not dot:
        return {**document, head: value}
    section = document.get(head, {})
    if not isinstance(section, Mapping):
        raise InvalidInput(head, section, f"a mapping of settings, since {name} is given too")
    return {**document, head: with_setting(dict(section), rest, value)}


def given_settings(config: ExperimentConfig) -> dict[str, Any]:
    """Return the settings that a configuration was given, for `make_config`.

    Those that it was not given keep to their defaults, which may depend on others: an epoch follows
    Δ, and symbols follow the feed.
    """
    document = config.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    settings: dict[str, Any] = _with_functions(document, config)
    return {**settings, "feed": config.feed}  # it may be a frame


def _with_functions(document: Any, setting: object) -> Any:
    """Return settings with the functions themselves, of which a document has only the names."""
    if isinstance(document, dict):
        if not isinstance(setting, Mapping):
            setting = {name: getattr(setting, name, None) for name in document}
        return {name: _with_functions(value, setting.get(name)) for name, value in document.items()}
    if isinstance(document, list) and isinstance(setting, tuple | list):
        return [_with_functions(one, its) for one, its in zip(document, setting, strict=True)]
    return setting if callable(setting) else document
