"""Run the notebooks again and store their outputs, so that the same code gives the same bytes.

usage: python tools/execute_notebooks.py [--into FOLDER] [NOTEBOOK ...]
"""

import argparse
import copy
import os
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CELL_TIMEOUT_S = 120

# What a front end needs to open the notebook; everything else depends on the machine.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# Of a cell: what papermill puts values into, what the pages of the course leave folded.
_CELL_METADATA = ("jupyter", "tags")
# Widget views carry an id that is new in every session.
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with fresh outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; nothing is written then.
    """
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute()
    return notebook


def stored_form(notebook: nbformat.NotebookNode) -> str:
    """Return the text of the notebook's file, without what differs from session to session."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in _CELL_METADATA if name in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            _forget_session(output)
    text: str = nbformat.writes(notebook)
    return text + "\n"


def _forget_session(output: Any) -> None:
    output.get("data", {}).pop(_WIDGET_VIEW, None)
    if "metadata" in output:
        output["metadata"] = nbformat.from_dict({})


def main() -> None:
    """Execute the notebooks named on the command line, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--into", type=Path, default=NOTEBOOKS, metavar="FOLDER")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The kernel must not see a user's own configuration of IPython or matplotlib.
        os.environ["IPYTHONDIR"] = os.environ["MPLCONFIGDIR"] = folder
        for path in options.notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
            target = options.into / path.name
            text = stored_form(execute(path))
            changed = not target.exists() or target.read_text(encoding="utf-8") != text
            target.write_text(text, encoding="utf-8")
            print(f"{path.name}: {'changed' if changed else 'unchanged'}")


if __name__ == "__main__":
    main()
