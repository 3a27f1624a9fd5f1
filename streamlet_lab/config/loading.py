"""Configurations from settings and from files."""

import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streamlet_lab.config.experiment_config import ExperimentConfig
from streamlet_lab.errors import DataError
from streamlet_lab.values import first_mistake


def make_config(**settings: Any) -> ExperimentConfig:
    """Validate settings.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong.
    """
    try:
        return ExperimentConfig(**settings)
    except ValidationError as error:
        raise first_mistake(error, ExperimentConfig) from error


def load_config(path: str | Path) -> ExperimentConfig:
    """Read a configuration from a ``.toml`` or ``.json`` file.

    Raises
    ------
    DataError
        If there is no such file, or it is not TOML or JSON.
    InvalidInput
        If a setting in it is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a TOML or JSON document ({error})") from error
    if not isinstance(document, dict):
        raise DataError(f"{path}: not a table of settings")
    return make_config(**document)
