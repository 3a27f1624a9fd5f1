"""Live views of experiments for notebooks, on the charts."""

from typing import NoReturn

from streamlet_lab.errors import StreamletLabError
from streamlet_lab.widgets.bench import Bench as Bench


def Explorer(*_: object, **settings: object) -> NoReturn:  # noqa: N802 - a class before
    """Say what to write instead."""
    given = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    raise StreamletLabError(f"The explorer has become the bench: write sl.Bench({given})")
