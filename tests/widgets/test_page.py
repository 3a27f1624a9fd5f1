"""The modules of the browser as one text, and the page that is saved."""

import re
from collections import Counter
from pathlib import Path

import pytest

from streamlet_lab.widgets import page
from streamlet_lab.widgets.film import Film
from streamlet_lab.widgets.page import FOLDER, joined_script, make_page

SCRIPTS = sorted(FOLDER.glob("*.js"))
AT_TOP = re.compile(r"^(?:export )?(?:async )?(?:const|let|function\*?|class) (\w+)", re.MULTILINE)


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two modules."""
    (tmp_path / "film.js").write_text("export function readFilm() {\n}\nexport const A = 1;\n")
    (tmp_path / "bench.js").write_text(
        'import { readFilm } from "./film.js";\nimport {\n  A,\n} from "./film.js";\n'
        "// export is a word\nexport function mountReplay() {\n}\nexport default { A };\n"
    )
    (tmp_path / "bench.css").write_text("main { color: red }\n")
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    return tmp_path


def film_of(title: str) -> Film:
    return Film({"title": title, "version": 1, "names": [], "tables": {}}, [b"\x00\xff"])


def test_joined_modules_neither_import_nor_export(stand_ins: Path) -> None:
    assert joined_script() == (
        "function readFilm() {\n}\nconst A = 1;\n\n"
        "// export is a word\nfunction mountReplay() {\n}\nexport default { A };\n"
    )


def test_modules_that_import_from_each_other_are_joined_once(stand_ins: Path) -> None:
    (stand_ins / "film.js").write_text('import { B } from "./bench.js";\nexport const A = 1;\n')
    assert joined_script().count("const A") == 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_nothing_is_left_of_imports_and_exports(script: Path) -> None:
    unwanted = re.compile(r"^(?:import\b|export (?!default)).*", re.MULTILINE)
    assert unwanted.findall(joined_script(script.stem)) == []


def test_no_two_modules_have_a_name_at_top_level_in_common() -> None:
    names = Counter(
        name for script in SCRIPTS for name in {*AT_TOP.findall(script.read_text("utf-8"))}
    )
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_module_is_small(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("title", ["</script><script>alert(1)</script>", "<!-- a", "a & 'b' \"c\""])
def test_what_a_run_is_called_is_text_only(title: str, stand_ins: Path) -> None:
    text = make_page(film_of(title))

    assert text.lower().count("<script") == text.lower().count("</script") == 2
    assert "<!--" not in text
    assert title not in text
