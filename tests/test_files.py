"""A reader never sees half a file, whatever goes wrong while it is written."""

import os
import stat
from pathlib import Path

import pytest

from streamlet_lab import DataError, Experiment
from streamlet_lab.errors import printable
from streamlet_lab.files import write_atomically


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    return path


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "some" / "where" / "file.bin"
    write_atomically(path, b"content")

    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_an_old_file_is_replaced_and_keeps_its_permissions(old_file):
    old_file.chmod(0o604)
    write_atomically(old_file, b"new")

    assert old_file.read_bytes() == b"new"
    assert stat.S_IMODE(old_file.stat().st_mode) == 0o604
    assert list(old_file.parent.iterdir()) == [old_file]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_of_the_process(umask, mode, tmp_path):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", b"content")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_symbolic_link_stays_and_what_it_names_is_written(old_file, tmp_path):
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to(old_file.name)
    dangling.symlink_to(tmp_path / "elsewhere" / "new")
    for each in (link, dangling):
        write_atomically(each, b"new")
        assert each.is_symlink()
        assert each.read_bytes() == b"new"

    assert not old_file.is_symlink()


def test_the_content_is_on_the_disk_before_the_name_and_then_the_name(old_file, monkeypatch):
    done = []
    sync, replace = os.fsync, Path.replace

    def note_sync(handle):
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        done.append((kind, os.fstat(handle).st_size if kind == "file" else 0))
        sync(handle)

    def note_replace(self, target):
        done.append("renamed")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    write_atomically(old_file, b"content")

    assert done == [("file", len(b"content")), "renamed", ("folder", 0)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/dev/full", "No space left on device"),
        ("file.bin/below/it", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        ("a" * 256, "File name too long"),
        ("nul\0", "embedded null"),
        ("", "Is a directory"),
    ],
)
def test_what_cannot_be_written_is_named_with_the_reason(name, reason, old_file):
    (old_file.parent / "loop").symlink_to("loop")
    path = old_file.parent / name
    with pytest.raises(DataError) as caught:
        write_atomically(path, b"content")

    shown = printable(str(path))
    assert str(caught.value).startswith(f"{shown}: cannot be written (")
    assert reason in str(caught.value)  # newer Pythons say too which call it was


class _FullDisk:
    """A file that takes half of what it is given."""

    def __init__(self, handle):
        self._handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._handle)

    def write(self, content):
        os.write(self._handle, content[: len(content) // 2])
        raise OSError(28, "No space left on device")


def _fail_to_write(monkeypatch):
    monkeypatch.setattr("streamlet_lab.files.os.fdopen", lambda handle, mode: _FullDisk(handle))


def _fail_to_rename(monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)


def _fail_to_sync(monkeypatch):
    def refuse(handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)


def _be_interrupted(monkeypatch):
    def interrupt(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)


@pytest.mark.parametrize("fail", [_fail_to_write, _fail_to_sync, _fail_to_rename, _be_interrupted])
def test_a_failure_leaves_the_old_file_and_nothing_else(fail, old_file, monkeypatch):
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises((DataError, KeyboardInterrupt)):
            write_atomically(old_file, b"new content")

    assert old_file.read_bytes() == b"old"
    assert list(old_file.parent.iterdir()) == [old_file]


@pytest.mark.parametrize("name", ["e.toml", "e.json", "r.zip"])
def test_a_failed_save_leaves_nothing_behind(name, tmp_path, monkeypatch):
    experiment = Experiment(epochs=2, market={"traders": 0})
    savable = experiment.run() if name == "r.zip" else experiment
    _fail_to_rename(monkeypatch)
    with pytest.raises(DataError, match=name):
        savable.save(tmp_path / name)

    assert list(tmp_path.iterdir()) == []
