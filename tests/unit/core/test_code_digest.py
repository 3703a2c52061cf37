from pathlib import Path

import pytest

from stormdraw.code_digest import code_digest


@pytest.fixture
def library(tmp_path: Path) -> Path:
    package = tmp_path / "stormdraw"
    (package / "scores").mkdir(parents=True)
    for path, text in {
        "train.py": "from stormdraw.models import fit\n",
        "score.py": "import stormdraw.scores.crps\n",
        "stormdraw/__init__.py": "",
        "stormdraw/models.py": "from stormdraw import grids\nfit = 1\n",
        "stormdraw/grids.py": "SPACING = 3000\n",
        "stormdraw/settings.py": "DEFAULT = 1\n",
        "stormdraw/scores/__init__.py": "",
        "stormdraw/scores/crps.py": "from stormdraw import grids, settings\n",
    }.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def changed(library, script, edited, text, *modules):
    before = code_digest(library / script, *modules)
    code_digest.__globals__["_parsed"].cache_clear()
    code_digest.__globals__["_tree"].cache_clear()
    code_digest.__globals__["_imports"].cache_clear()
    (library / edited).write_text(text)
    return code_digest(library / script, *modules) != before


def test_a_change_two_imports_away_counts(library):
    assert changed(library, "train.py", "stormdraw/grids.py", "SPACING = 2500\n")


def test_the_script_itself_counts(library):
    assert changed(library, "train.py", "train.py", "from stormdraw.models import fit\nfit\n")


def test_a_package_init_counts(library):
    assert changed(library, "score.py", "stormdraw/scores/__init__.py", "X = 1\n")


def test_a_score_does_not_concern_training(library):
    assert not changed(library, "train.py", "stormdraw/scores/crps.py", "X = 1\n")


def test_comments_and_layout_do_not_count(library):
    text = "# three kilometres\nSPACING = (\n    3000\n)\n"
    assert not changed(library, "train.py", "stormdraw/grids.py", text)


def test_settings_do_not_count_since_they_are_parameters(library):
    assert not changed(library, "score.py", "stormdraw/settings.py", "DEFAULT = 2\n")


def test_a_module_chosen_by_name_counts_with_its_imports(library):
    for edited in ("stormdraw/scores/crps.py", "stormdraw/grids.py"):
        assert changed(library, "train.py", edited, "X = 1\n", "stormdraw.scores.crps")
