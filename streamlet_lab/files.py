"""Files written whole: a reader never sees half of one. Archives say when they were changed."""

import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
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
    """Write a file whole: it is there with all its content, or it is as it was before.

    It is on the disk when this returns. Where the path is a symbolic link, what it names is
    written; an old file keeps its permissions, a new one has those of the process (its umask); a
    device or a pipe just takes the content.

    Raises
    ------
    DataError
        If it cannot be written, with the reason.
    """
    try:
        target = Path(os.path.realpath(path))
        old = target.stat().st_mode if os.path.lexists(target) else None
        if old is None or stat.S_ISREG(old) or stat.S_ISDIR(old):
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, content, old)
        else:
            target.write_bytes(content)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise DataError(f"{path}: cannot be written ({_reason(error)})") from error


def _replace(target: Path, content: bytes, old: int | None) -> None:
    beside = target.with_name(f".streamlet-lab-{os.urandom(8).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less the umask
    try:
        with os.fdopen(handle, "wb") as file:
            if old is not None:
                beside.chmod(stat.S_IMODE(old))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    # Some file systems cannot do this for a folder; the file itself is whole in any case.
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


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
        raise DataError(f"{path}: cannot be read ({_reason(error)})") from error
    except _DAMAGED as error:
        raise DataError(f"{path}: not a saved result, or damaged ({error})") from error


def _digests(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, str]:
    contents = {**members, _MANIFEST: json.dumps(manifest).encode()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
