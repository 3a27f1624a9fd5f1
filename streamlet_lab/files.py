"""Writing files so that a reader never sees half of one."""

import os
import tempfile
from pathlib import Path

from streamlet_lab.errors import DataError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole: it is there with all its content, or it is as it was before."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
