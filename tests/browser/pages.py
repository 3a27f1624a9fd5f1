"""Opening a notebook in JupyterLab."""

from playwright.sync_api import Browser, Page

TIMEOUT_MS = 60_000
KERNEL_IS_IDLE = (
    "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status"
    " === 'idle'"
)
RUN_ALL = "window.jupyterapp.commands.execute('notebook:run-all-cells')"


def open_notebook(chromium: Browser, jupyterlab: str, name: str) -> Page:
    """Return the page of a notebook whose kernel is ready."""
    page = chromium.new_page(viewport={"width": 1600, "height": 1200})
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{jupyterlab}/doc/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function(KERNEL_IS_IDLE)
    return page
