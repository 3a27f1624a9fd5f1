"""How nbval checks the notebooks: pictures too, and without the user's own settings."""

import os
import tempfile

import pytest
from nbval.plugin import IPyNbCell

PICTURES = {"image/png", "image/jpeg"}


def pytest_configure(config: pytest.Config) -> None:
    """Keep the configuration of the machine away from the kernels."""
    if hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist, whose environment is that of its controller
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    os.environ["IPYTHONDIR"] = os.environ["MPLCONFIGDIR"] = folder.name
    # Outputs must not depend on the order of sets; the same one makes a red run red again.
    os.environ["PYTHONHASHSEED"] = "7"
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compare pictures byte for byte, which nbval leaves out."""
    for item in items:
        if isinstance(item, IPyNbCell):
            file = item.parent
            file.skip_compare = tuple(key for key in file.skip_compare if key not in PICTURES)
