"""Files written whole: a reader never sees half of one. Archives say when they were changed."""

import hashlib
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any, Final

from streamlet_lab.errors import DataError, InvalidInput, shown
from streamlet_lab.texts import decode, parse_json

# Zip files carry a time for each member; a fixed one keeps the same result the same bytes. So does
# storing them plain: compressors differ between machines.
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MANIFEST: Final = "result.json"

# Beyond this a zip file has another form.
_MOST_BYTES: Final = 2**31 - 1
# More than any archive of ours has.
_MOST_MEMBERS: Final = 100
_NAME: Final = re.compile(r"[a-z_]{1,40}\.[a-z]{1,4}")
# What stands before a member, as far as it matters: its size, and that of its name, which follows.
_MEMBER: Final = Struct("<4s14xI4xH2x")


def shipped_folder(name: str) -> Path:
    """Return a folder that comes with the lab: in the installed package, or in the checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


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
    """Write a zip of a manifest and members, with a digest of each: the same bytes everywhere.

    Raises
    ------
    DataError
        If it cannot be written, or is larger than an archive may be, which is 2 GiB.
    """
    check_archive_name(path)
    document = {**manifest, "sha256": _digests(manifest, members)}
    content = _pack({**members, _MANIFEST: (json.dumps(document, indent=2) + "\n").encode()})
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path}: cannot be written ({_too_large(len(content))})")
    write_atomically(path, content)


def read_archive(
    path: Path, written_as: str, names: Collection[str], optional: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read the manifest and the members of these names, if its ``format`` is what is asked for.

    Optional members need not be there.

    An archive has one form only, the one that was written: so every byte is looked at once, no
    member lies within another, and other tools see in it what is read here.

    Raises
    ------
    DataError
        If the file is missing, is no such archive, or was changed since it was written.
    """
    content = _read(path)
    members = _unpack(content)
    if not members or _pack(members) != content:
        raise DataError(f"{path}: not a saved result, or damaged, or packed by another tool")
    try:
        manifest = parse_member(_MANIFEST, members.pop(_MANIFEST, b"null"))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if not isinstance(manifest, dict):
        raise DataError(f"{path}: not a saved result, or damaged ({_MANIFEST} is no table)")
    if manifest.get("format") != written_as:
        raise DataError(
            f"{path}: written as {shown(manifest.get('format'))}, not as {written_as!r}"
        )
    missing, foreign = sorted({*names} - {*members}), sorted({*members} - {*names, *optional})
    if missing or foreign:
        wrong = f"{missing[0]} is missing" if missing else f"{foreign[0]} is none of its members"
        raise DataError(f"{path}: not a saved result, or damaged ({wrong})")
    claimed, found = manifest.pop("sha256", None), _digests(manifest, members)
    if claimed != found:
        known = claimed if isinstance(claimed, dict) else {}
        changed = next(
            (name for name in (_MANIFEST, *members) if known.get(name) != found[name]), _MANIFEST
        )
        raise DataError(f"{path}: {changed} was changed after it was saved")
    return manifest, members


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path}: cannot be read (not a file)")
        if status.st_size > _MOST_BYTES:
            raise DataError(f"{path}: cannot be read ({_too_large(status.st_size)})")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({_reason(error)})") from error


def parse_member(name: str, content: bytes) -> object:
    """Parse a JSON member of an archive; every error names it."""
    return parse_json(decode(content, name), name, most=len(content))


def _too_large(size: int) -> str:
    return f"it has {size:,} bytes; expected at most {_MOST_BYTES:,}"


def _pack(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.create_system = 3  # else it depends on who writes
            archive.writestr(info, content)
    return buffer.getvalue()


def _unpack(content: bytes) -> dict[str, bytes]:
    """Return what seem to be the members, one behind another; :func:`_pack` says if they are."""
    members: dict[str, bytes] = {}
    end = 0
    for _ in range(_MOST_MEMBERS):
        head = content[end : end + _MEMBER.size].ljust(_MEMBER.size)
        mark, size, length = _MEMBER.unpack(head)
        if mark != b"PK\3\4":
            break
        start = end + _MEMBER.size + length
        name = content[end + _MEMBER.size : start].decode("latin-1")
        if not _NAME.fullmatch(name):
            break
        end = start + size
        members[name] = content[start:end]
    return members


def _digests(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, str]:
    contents = {**members, _MANIFEST: json.dumps(manifest).encode()}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
