"""A reader never sees half a file, whatever goes wrong while it is written."""

import os
import stat
from pathlib import Path

import pytest

from streamlet_lab import Experiment
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
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444, "others may read it"


def test_an_old_file_is_replaced(old_file):
    write_atomically(old_file, b"new")

    assert old_file.read_bytes() == b"new"
    assert list(old_file.parent.iterdir()) == [old_file]


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


def _be_interrupted(monkeypatch):
    def interrupt(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)


failures = pytest.mark.parametrize("fail", [_fail_to_write, _fail_to_rename, _be_interrupted])


@failures
def test_a_failure_leaves_the_old_file_and_nothing_else(fail, old_file, monkeypatch):
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises((OSError, KeyboardInterrupt)):
            write_atomically(old_file, b"new content")

    assert old_file.read_bytes() == b"old"
    assert list(old_file.parent.iterdir()) == [old_file]


@pytest.mark.parametrize("fail", [_fail_to_rename])
@pytest.mark.parametrize("name", ["e.toml", "e.json", "r.zip"])
def test_a_failed_save_leaves_nothing_behind(fail, name, tmp_path, monkeypatch):
    experiment = Experiment(epochs=2, market={"traders": 0})
    savable = experiment.run() if name == "r.zip" else experiment
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises((OSError, KeyboardInterrupt)):
            savable.save(tmp_path / name)

    assert list(tmp_path.iterdir()) == []
