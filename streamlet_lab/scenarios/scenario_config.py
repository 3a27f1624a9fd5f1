"""Between the settings in a scenario and the configuration that they make."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import tomli_w

from streamlet_lab.config import ExperimentConfig, read_settings
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.scenarios.syntax import Line, Run, Setting, add_setting, placed
from streamlet_lab.simulator.script import Step

_BARE_KEY: Final = re.compile(r"[\w-]+", re.ASCII)


def read_config(lines: Sequence[Line]) -> ExperimentConfig:
    """Return the configuration of a scenario with a network: its settings and its scripted nodes.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong.
    """
    settings: dict[str, Any] = {}
    for line in lines:
        if isinstance(line.command, Setting):
            add_setting(settings, line.command, line.text)
    commands = [line.command for line in lines]
    if "epochs" in settings:
        raise InvalidInput("epochs", settings["epochs"], "epochs only behind 'run'")
    settings["epochs"] = sum(command.epochs for command in commands if isinstance(command, Run))
    steps = [command for command in commands if isinstance(command, Step)]
    if steps:
        nodes = tuple(dict.fromkeys(chain.from_iterable(step.nodes for step in steps)))
        texts = [step.text for step in steps]
        faults = read_settings(settings).faults
        settings["faults"] = [*faults, Fault("script", nodes, parameters={"steps": texts})]
    return read_settings(settings)


def write_settings(config: ExperimentConfig) -> Iterator[str]:
    """Yield a line for each setting that differs from its default, and for some in any case."""
    document = config.to_document()
    settings = config.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    settings |= {"seed": config.seed, "epoch_length": document["epoch_length"]}
    if not _is_made_of(config, settings):  # there are defaults that depend on another setting
        settings = document
    for key, value in settings.items():
        if isinstance(value, dict):
            for inner, setting in value.items():
                yield f"{key}.{inner} = {_write_value(setting)}"
        elif key != "epochs":
            yield f"{key} = {_write_value(value)}"


def _is_made_of(config: ExperimentConfig, settings: dict[str, Any]) -> bool:
    try:
        return read_settings(settings) == config
    except InvalidInput:
        return False


@contextmanager
def placed_by_cause(
    source: str, lines: Sequence[Line], again: Callable[[Sequence[Line]], object]
) -> Iterator[None]:
    """Have an error say which line is its cause: without that and later ones it does not come.

    To find out, what was done with the lines is done ``again`` with some of them.
    """
    try:
        yield
    except InvalidInput as error:
        with placed(source, _cause(error, lines, again)):
            raise


def _cause(
    error: InvalidInput, lines: Sequence[Line], again: Callable[[Sequence[Line]], object]
) -> int | None:
    for line in lines:
        if line.text == error.value:
            return line.number
    causes = [index for index, line in enumerate(lines) if isinstance(line.command, Setting | Step)]

    def comes(last: int) -> bool:
        try:
            again([line for index, line in enumerate(lines) if index <= last or index not in held])
        except InvalidInput as other:
            return (other.field, other.value) == (error.field, error.value)
        return False

    held = {*causes}
    first = bisect_left(causes, True, key=comes)
    return lines[causes[first]].number if first < len(causes) else None


def _write_value(value: Any) -> str:
    """Write a value as TOML in one line."""
    match value:
        case dict():
            items = (f"{_write_key(key)} = {_write_value(item)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(map(_write_value, value))}]"
        case _:
            return tomli_w.dumps({"_": value}).removeprefix("_ = ").removesuffix("\n")


def _write_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _write_value(key)
