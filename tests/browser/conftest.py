"""JupyterLab and Voilà on loopback, and a real Chromium to look at them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import streamlet_lab as sl

from .bare import ADDRESS, answer
from .replay import PARTITION, run

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60
# What a page is made of that asks nobody.
OWN = (ADDRESS, "data:", "blob:")

# Where the process of the tests ends without warning, a pipe from it closes, and its server and
# the kernels end too.
SERVE = """
import os, signal, sys, threading

def end_with_the_tests():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_tests, daemon=True).start()

from {module} import main
main()
"""

KINDS = ("CONFIG", "DATA", "RUNTIME")

# No news, no questions, and every cell in the page even when it is scrolled out of sight.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}


def find_chromium() -> str:
    """Say where Chromium is; without it the tests that need it are skipped, in CI they fail."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing = "no chromium on this machine (Debian: apt-get install chromium)"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return executable


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    executable = find_chromium()
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(chromium: Browser) -> Iterator[Page]:
    """A window that tests use one after the other: to open one takes as long as many a test."""
    page = chromium.new_page()
    yield page
    page.close()


@pytest.fixture
def bare(window: Page) -> Iterator[Page]:
    """An empty page that has the modules of the bench: no error, and nobody else is asked."""
    errors: list[str] = []
    listeners: dict[Any, Any] = {
        "pageerror": lambda error: errors.append(str(error)),
        "request": lambda one: one.url.startswith(OWN) or errors.append(one.url),
    }
    for event, listener in listeners.items():
        window.on(event, listener)
    window.set_viewport_size({"width": 1280, "height": 800})
    window.emulate_media(color_scheme="light", reduced_motion="no-preference")
    window.mouse.move(0, 0)
    window.route("**/*", answer)
    window.goto(ADDRESS)
    yield window
    window.goto("about:blank")
    window.unroute_all()
    for event, listener in listeners.items():
        window.remove_listener(event, listener)
    assert errors == []


@pytest.fixture(scope="session")
def calm() -> sl.Result:
    """A run of 12 epochs without faults."""
    return run()


@pytest.fixture(scope="session")
def longer() -> sl.Result:
    """A run of 24 epochs without faults."""
    return run(24)


@pytest.fixture(scope="session")
def parted() -> sl.Result:
    """A run of 16 epochs with a network that is cut in two from 4 s to 9 s."""
    return run(16, network=PARTITION)


@pytest.fixture(scope="session")
def unsafe() -> sl.Result:
    """A run of 8 epochs that violates two properties, one after the other."""
    return run(8, nodes=5, quorum=3, faults=[{"kind": "split", "count": 2}])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab serves: a copy of the notebooks."""
    copy = tmp_path_factory.mktemp("jupyterlab") / "notebooks"
    shutil.copytree(ROOT / "notebooks", copy)
    return copy


@pytest.fixture(scope="session")
def jupyterlab(served: Path) -> Iterator[str]:
    """The address of a JupyterLab."""
    folder = served.parent
    overrides = folder / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS), encoding="utf-8")
    options = [
        *("--allow-root", "--ip=127.0.0.1", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", "--expose-app-in-browser"),
        f"--ServerApp.root_dir={served}",
    ]
    with _serving("jupyterlab.labapp", options, folder, "/api/status") as address:
        yield address


@pytest.fixture(scope="session")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Voilà that shows the notebook of the bench, without its code."""
    folder = tmp_path_factory.mktemp("voila")
    options = [str(ROOT / "notebooks" / "bench.ipynb"), "--Voila.ip=127.0.0.1"]
    with _serving("voila.app", options, folder, "/voila/static/voila.js") as address:
        yield address


@contextmanager
def _serving(module: str, options: list[str], folder: Path, probe: str) -> Iterator[str]:
    """Have a Jupyter application serve, with nothing of this machine's own configuration."""
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in KINDS},
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }
    port = _free_port()
    program = SERVE.replace("{module}", module)
    command = [sys.executable, "-c", program, "--no-browser", f"--port={port}", *options]
    address = f"http://127.0.0.1:{port}"
    log = folder / "log.txt"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _wait_for(address + probe, server, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
