"""Archives: a zip of plain texts that say when they were changed, the same bytes everywhere."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streamlet_lab.errors import DataError, InvalidInput
from streamlet_lab.files import write_atomically

# Zip files carry a time for each member; a fixed one keeps the same result the same bytes. So does
# storing them plain: compressors differ between machines.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MANIFEST: Final = "result.json"


def check_archive_name(path: Path, field: str = "path") -> None:
    """Refuse a file name that does not end in ``.zip``.

    Raises
    ------
    InvalidInput
    """
    if path.suffix != ".zip":
        raise InvalidInput(field, str(path), "a file name ending in .zip")


def write_archive(path: Path, manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> None:
    """Write a manifest and members, with a digest of each.

    Raises
    ------
    InvalidInput
        If the path does not end in ``.zip``.
    """
    check_archive_name(path)
    digests = {name: _digest(content) for name, content in members.items()}
    digests[_MANIFEST] = _digest_of(manifest)
    document = {**manifest, "sha256": digests}
    contents = {**members, _MANIFEST: (json.dumps(document, indent=2) + "\n").encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)
    write_atomically(path, buffer.getvalue())


def read_archive(path: Path, written_as: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read manifest and members.

    Parameters
    ----------
    path : Path
    written_as : str
        What the manifest's ``format`` must be.

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
        found = {name: _digest(content) for name, content in members.items()}
        for name, digest in {_MANIFEST: _digest_of(manifest), **found}.items():
            if digest != digests[name]:
                raise DataError(f"{path}: {name} was changed after it was saved")
        return manifest, members
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,  # what zipfile says to encryption, and json to a thousand brackets
        KeyError,
        AttributeError,
        TypeError,
        ValueError,
    ) as error:
        raise DataError(f"{path}: not a saved result, or damaged ({error})") from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(manifest: Mapping[str, Any]) -> str:
    return _digest(json.dumps(manifest).encode())
