"""Files that repeat what pyproject.toml or the package says, and must follow: needs, version."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import streamlet_lab as sl

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONSTRAINTS = [
    line
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]

#: conda-forge calls these by another name than PyPI.
PYPI_NAMES = {"matplotlib-base": "matplotlib"}
#: What makes the numbers and the pictures of stored outputs.
COMPUTE_AND_DRAW = {"matplotlib", "numpy", "pandas", "scipy"}
#: What the lab's users asked to find in the conda environment.
ASKED_FOR = {"jupyterlab", "pandas", "matplotlib", "cryptography", "ipywidgets", "nbval"}


def bounds(requirements):
    parsed = map(Requirement, requirements)
    return {canonicalize_name(each.name): each.specifier for each in parsed}


RUNTIME = bounds(PROJECT["project"]["dependencies"])
EXTRAS = PROJECT["project"]["optional-dependencies"]
TEST, LAB, DOCS = (bounds(EXTRAS[extra]) for extra in ("test", "lab", "docs"))
BUILD = bounds(PROJECT["build-system"]["requires"])
PINS = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in CONSTRAINTS}


def conda_packages():
    names = [line for line in CONDA["dependencies"] if isinstance(line, str)]
    packages = bounds([line for line in names if line != "pip" and not line.startswith("python=")])
    return {PYPI_NAMES.get(name, name): specifier for name, specifier in packages.items()}


def test_conda_takes_packages_from_conda_forge_only():
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


def test_conda_has_every_dependency_with_its_bound_or_the_version_of_the_stored_outputs():
    packages = conda_packages()
    pinned = {name: SpecifierSet(f"=={PINS[name]}") for name in COMPUTE_AND_DRAW}

    assert {name: packages.get(name) for name in RUNTIME} == RUNTIME | pinned


def test_what_conda_has_beside_is_of_the_notebooks_or_the_tests_with_its_bound():
    beside = {name: spec for name, spec in conda_packages().items() if name not in RUNTIME}

    assert beside == {name: (TEST | LAB).get(name) for name in beside}


def test_conda_has_what_was_asked_for():
    assert conda_packages().keys() >= ASKED_FOR


def test_conda_names_a_python_that_binder_reads_and_the_lab_supports():
    (python,) = [line for line in CONDA["dependencies"] if str(line).startswith("python")]

    assert re.fullmatch(r"python=3\.\d+", python)
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["project"]["requires-python"])


def test_conda_ends_with_the_lab_itself():
    assert "pip" in CONDA["dependencies"]
    assert CONDA["dependencies"][-1] == {"pip": ["-e ."]}


@pytest.mark.parametrize("line", CONSTRAINTS)
def test_a_constraint_is_a_name_and_a_version(line):
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)


@pytest.mark.parametrize(("name", "bound"), sorted((RUNTIME | TEST | LAB | DOCS | BUILD).items()))
def test_every_dependency_is_pinned_within_its_bound(name, bound):
    assert PINS[canonicalize_name(name)] in bound


def test_the_version_to_cite_is_that_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert citation["version"] == sl.__version__


def test_the_lab_does_not_constrain_itself():
    assert canonicalize_name(PROJECT["project"]["name"]) not in PINS
