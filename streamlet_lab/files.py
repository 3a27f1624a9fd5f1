"""Files written whole: a reader never sees half of one. Archives say when they were changed."""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streamlet_lab.errors import DataError, InvalidInput

# Zip files carry a time for each member; a fixed one keeps the same result the same bytes. So does
# storing them plain: compressors differ between machines.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MANIFEST: Final = "result.json"

# What is raised by what is no archive: RuntimeError by zipfile for encryption, and by json for a
# thousand brackets.
_DAMAGED: Final = (
    zipfile.BadZipFile,
    EOFError,
    RuntimeError,
    KeyError,
    AttributeError,
    TypeError,
    ValueError,
)


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


def check_archive_name(path: Path, field: str = "path") -> None:
    """Refuse a file name that does not end in ``.zip``."""
    if path.suffix != ".zip":
        raise InvalidInput(field, str(path), "a file name ending in .zip")


def write_archive(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    """Write a zip of a manifest and members, with a digest of each: the same bytes everywhere."""
    check_archive_name(path)
    document = {**manifest, "sha256": _digests(manifest, members)}
    contents = {**members, _MANIFEST: (json.dumps(document, indent=2) + "\n").encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)
    write_atomically(path, buffer.getvalue())


def read_archive(path: Path, written_as: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read manifest and members, if the manifest's ``format`` is the one that is asked for.

    Raises
    ------
    DataError
        If the file is missing, is no such archive, or was changed since it was written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(info.compress_type for info in archive.infolist()):
                raise DataError(f"{path}: not a saved result: its members are compressed")
            members = {name: archive.read(name) for name in archive.namelist()}
        manifest: dict[str, Any] = json.loads(members.pop(_MANIFEST))
        if manifest["format"] != written_as:
            raise DataError(f"{path}: written as {manifest['format']!r}, not as {written_as!r}")
        digests = manifest.pop("sha256")
        found = _digests(manifest, members)
        for name in (_MANIFEST, *members):
            if found[name] != digests[name]:
                raise DataError(f"{path}: {name} was changed after it was saved")
        return manifest, members
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except _DAMAGED as error:
        raise DataError(f"{path}: not a saved result, or damaged ({error})") from error


def _digests(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, str]:
    contents = {**members, _MANIFEST: json.dumps(manifest).encode()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
