"""Who may import whom: each contract is seen to hold, and to break on an illegal import."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import LAYERS
from tests.server import ROOT

PACKAGES = ("content", "drills", "engine", "pages")

# (contract, the file that gets the import, the import)
ILLEGAL = [
    ("layers", "content", "import engine"),
    ("layers", "content", "import drills"),
    ("layers", "drills", "import engine"),
    ("layers", "engine", "import drills"),
    ("layers", "engine", "import pages.settings"),
    ("engine-stands-alone", "engine", "import content.schema"),
    ("no-ui-below-pages", "content", "import streamlit"),
    ("no-ui-below-pages", "drills", "import streamlit"),
    ("no-ui-below-pages", "engine", "import streamlit"),
    ("light-below", "content", "import sympy"),
    ("light-below", "drills", "import torch"),
    ("pages-are-thin", "pages/parts", "import torch"),
    ("pages-are-thin", "pages/course", "import sympy"),
    ("pages-are-thin", "pages/practice", "import genanki"),
    ("pages-are-thin", "pages/labs", "import yaml"),
    ("screens-independent", "pages/course", "import pages.practice.planted_screen"),
    ("parts-below-screens", "pages/parts", "import pages.course.planted_screen"),
    ("parts-below-screens", "pages/labs", "import pages.course.planted_screen"),
    ("parts-below-screens", "pages/parts", "import pages.labs.planted_screen"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__", "static", "lessons")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    for folder in ("course", "practice", "labs"):
        (tmp_path / "pages" / folder / "planted_screen.py").touch()
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_contracts_hold(tree: Path) -> None:
    ended = _lint(tree)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "package", "line"), ILLEGAL)
def test_an_illegal_import_breaks_its_contract(
    tree: Path, contract: str, package: str, line: str
) -> None:
    (tree / package / "planted.py").write_text(line + "\n")
    ended = _lint(tree, "--contract", contract)
    assert ended.returncode == 1, ended.stdout
    assert "BROKEN" in ended.stdout
    assert ".planted" in ended.stdout


@pytest.mark.parametrize("file", ["engine/x.py", "drills/x.py", "content/x.py"])
def test_the_linter_refuses_streamlit_below_pages(file: str) -> None:
    assert "TID251" in _ruff(file, '"""Draw."""\n\nimport streamlit\n\nstreamlit.write()\n')


@pytest.mark.parametrize("file", ["app.py", "pages/x.py", "pages/course/x.py", "tests/x.py"])
def test_the_linter_allows_streamlit_where_drawing_belongs(file: str) -> None:
    assert "TID251" not in _ruff(file, '"""Draw."""\n\nimport streamlit\n\nstreamlit.write()\n')


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("TID251", "import torch\n\ntorch.manual_seed(0)\n"),
        ("NPY002", "import numpy\n\nnumpy.random.seed(0)\n"),
        ("DTZ005", "import datetime\n\ndatetime.datetime.now()\n"),
        ("S101", "assert 1\n"),
    ],
)
def test_the_linter_refuses_hidden_state(rule: str, code: str) -> None:
    assert rule in _ruff("engine/x.py", f'"""Compute."""\n\n{code}')


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", LAYERS, "--no-logo", "--no-cache", *options)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _ruff(name: str, code: str) -> str:
    command = (sys.executable, "-m", "ruff", "check", "--stdin-filename", name, "-")
    ended = subprocess.run(
        command, cwd=ROOT, input=code, capture_output=True, text=True, check=False
    )
    return ended.stdout
