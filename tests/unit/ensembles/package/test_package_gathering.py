"""What cannot be put into one file."""

import pytest

from stormdraw.ensembles.package.gathering import gathered


def test_two_modules_with_one_name_cannot_be_gathered(tmp_path):
    folder = tmp_path / "stormdraw"
    folder.mkdir()
    (folder / "one.py").write_text("_LIMIT = 1\n")
    (folder / "two.py").write_text("from stormdraw.one import x\n_LIMIT = 2\n")
    with pytest.raises(ValueError, match="_LIMIT is defined by several modules"):
        gathered("stormdraw.two", tmp_path)


def test_a_module_that_is_imported_as_a_whole_cannot_be_gathered(tmp_path):
    folder = tmp_path / "stormdraw"
    folder.mkdir()
    (folder / "one.py").write_text("x = 1\n")
    (folder / "two.py").write_text("import stormdraw.one\n")
    with pytest.raises(ValueError, match=r"stormdraw\.two imports a module as a whole"):
        gathered("stormdraw.two", tmp_path)
