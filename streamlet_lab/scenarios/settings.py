"""Between the settings in a scenario and the configuration that they make."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, takewhile
from typing import Any

import tomli_w

from streamlet_lab.config import ExperimentConfig, make_config
from streamlet_lab.errors import InvalidInput
from streamlet_lab.fault import Fault
from streamlet_lab.scenarios.syntax import Document, Line, Run, Setting, placed
from streamlet_lab.simulator.script import Step

_BARE_KEY = re.compile(r"[\w-]+", re.ASCII)


def read_config(document: Document, source: str) -> ExperimentConfig:
    """Return the configuration of a scenario with a network: its settings and its scripted nodes.

    Raises
    ------
    InvalidInput
        For the first setting that is wrong, with its line.
    """
    settings = dict(document.settings)
    with placed_by_content(document, source):
        if "epochs" in settings:
            raise InvalidInput("epochs", settings["epochs"], "epochs only behind 'run'")
        settings["epochs"] = sum(c.epochs for c in document.commands if isinstance(c, Run))
        steps = [command for command in document.commands if isinstance(command, Step)]
        if steps:
            faults = settings.get("faults", [])
            if isinstance(faults, Mapping):
                faults = [Fault.parse(node, text) for node, text in faults.items()]
            nodes = tuple(dict.fromkeys(chain.from_iterable(step.nodes for step in steps)))
            texts = [step.text for step in steps]
            settings["faults"] = [*faults, Fault("script", nodes, parameters={"steps": texts})]
        return make_config(**settings)


def write_settings(config: ExperimentConfig) -> Iterator[str]:
    """Yield a line for each setting that differs from its default, or that defaults depend on."""
    changed = config.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    # An epoch's length depends on another setting if it is not given.
    always = {"seed": config.seed, "epoch_length": config.to_document()["epoch_length"]}
    for key, value in {**changed, **always}.items():
        if key == "epochs":
            continue
        if isinstance(value, dict):
            for inner, setting in value.items():
                yield f"{key}.{inner} = {_write_value(setting)}"
        else:
            yield f"{key} = {_write_value(value)}"


@contextmanager
def placed_by_content(document: Document, source: str) -> Iterator[None]:
    """Have an error of the configuration say which line it is about, if that can be found."""
    try:
        yield
    except InvalidInput as error:
        with placed(source, _line_of(error, document)):
            raise


def _line_of(error: InvalidInput, document: Document) -> int | None:
    field = [] if error.field == "setting" else error.field.split(".")
    # What is unknown is named by the value, what is wrong with something known by the field.
    path = [*field, str(error.value)]

    def rank(line: Line) -> tuple[int, bool]:
        if line.text == error.value:
            return len(path) + 1, True
        match line.command:
            case Setting(keys):
                pass
            case Step():
                keys = ("faults",)
            case _:
                return 0, False
        pairs = zip(keys, path, strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        is_near = common >= min(len(keys), len(field))
        return (common, str(error.value) in line.text) if is_near else (0, False)

    best = max(document.lines, key=rank, default=None)
    return best.number if best is not None and rank(best) > (0, False) else None


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
