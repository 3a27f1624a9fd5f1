"""Opening a notebook in JupyterLab."""

from playwright.sync_api import Browser, Page

TIMEOUT_MS = 60_000
KERNEL_IS_IDLE = (
    "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status"
    " === 'idle'"
)
RUN_ALL = "window.jupyterapp.commands.execute('notebook:run-all-cells')"
# Answers false where no cell holds the text.
RUN_CELL_WITH = """(text) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const sources = notebook.widgets.map((cell) => cell.model.sharedModel.source);
    const place = sources.findIndex((source) => source.includes(text));
    if (place < 0) return false;
    notebook.activeCellIndex = place;
    return window.jupyterapp.commands.execute('notebook:run-cell').then(() => true);
}"""


def open_notebook(chromium: Browser, jupyterlab: str, name: str) -> Page:
    """Return a new page of a notebook whose kernel is ready."""
    page = chromium.new_page(viewport={"width": 1600, "height": 1200})
    page.set_default_timeout(TIMEOUT_MS)
    return go_to_notebook(page, jupyterlab, name)


def go_to_notebook(page: Page, jupyterlab: str, name: str) -> Page:
    """Show a notebook in a page, until its kernel is ready; a page used again has the scripts."""
    page.goto(f"{jupyterlab}/doc/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function(KERNEL_IS_IDLE)
    return page
