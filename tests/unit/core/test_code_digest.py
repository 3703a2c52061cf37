import functools
import modulefinder
import re
import subprocess
import sys
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType

import pytest

from stormdraw.code_digest import WITHOUT_EFFECT, code_digest, modules_behind


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
        "draw.py": "from stormdraw.scores import files\n",
        "stormdraw/files.py": "",
        "stormdraw/scores/__init__.py": "",
        "stormdraw/scores/files.py": "",
        "stormdraw/scores/crps.py": "from stormdraw import grids, settings\n",
    }.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def forget():
    """As in another process."""
    for cached in ("_source", "_imports", "_computing", "_path", "_is_there"):
        code_digest.__globals__[cached].cache_clear()


def changed(library, script, edited, text, *modules):
    before = code_digest(library / script, *modules)
    forget()
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x + y", "x - y"),
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 'a'", "x = a"),
        ("x = None", "x = 'None'"),
        ("f(a, b)", "f(a)(b)"),
        ("x = [1, [2]]", "x = [[1], 2]"),
        ("a = b = c", "a = b; b = c"),
        ("if a: b\nelse: c", "if a: b; c"),
        ("def f(a, /, b): pass", "def f(a, b): pass"),
        ("def f(a, b=1): pass", "def f(a=1, b=1): pass"),
        ("import a as b", "from a import b"),
    ],
)
def test_any_other_syntax_counts(library, one, other):
    (library / "stormdraw" / "grids.py").write_text(one)
    assert changed(library, "train.py", "stormdraw/grids.py", other)


def test_settings_do_not_count_since_they_are_parameters(library):
    assert not changed(library, "score.py", "stormdraw/settings.py", "DEFAULT = 2\n")


SETTINGS = """
class Settings:
    @field_validator("systems")
    def systems_differ(cls, systems):
        return {systems}

    def baselines(self):
        return self.in_role({role})

    def in_role(self, role):
        return {in_role}

    def perfect(self):
        return {perfect}
"""
AS_IT_WAS = {"systems": "systems", "role": "'baseline'", "in_role": "role", "perfect": "1"}


@pytest.mark.parametrize(
    ("edit", "counts"),
    [
        ({"role": "'reference'"}, True),
        # What is called is called by another one.
        ({"in_role": "[role]"}, True),
        ({"perfect": "2"}, False),
        ({"systems": "sorted(systems)"}, False),
    ],
)
def test_what_settings_compute_counts_where_it_is_called(library, edit, counts):
    (library / "stormdraw/settings.py").write_text(SETTINGS.format(**AS_IT_WAS))
    crps = "from stormdraw import grids, settings\nsettings.load().baselines()\n"
    (library / "stormdraw/scores/crps.py").write_text(crps)
    edited = SETTINGS.format(**AS_IT_WAS | edit)
    assert changed(library, "score.py", "stormdraw/settings.py", edited) == counts


def test_a_check_of_settings_does_not_count_whatever_has_its_name(library):
    (library / "stormdraw/settings.py").write_text(SETTINGS.format(**AS_IT_WAS))
    crps = "from stormdraw import settings\nsettings.load().systems_differ\n"
    (library / "stormdraw/scores/crps.py").write_text(crps)
    edited = SETTINGS.format(**AS_IT_WAS | {"systems": "sorted(systems)"})
    assert not changed(library, "score.py", "stormdraw/settings.py", edited)


def test_what_a_module_without_effect_computes_does_not_count(library):
    """Else a word in an error, or how a file gets its name, would rerun everything."""
    text = "def replacing():\n    return {}\n"
    (library / "stormdraw/files.py").write_text(text.format(1))
    (library / "draw.py").write_text("from stormdraw.files import replacing\nreplacing()\n")
    assert not changed(library, "draw.py", "stormdraw/files.py", text.format(2))


def test_the_name_of_a_module_counts(library):
    """A score is called as its file."""
    (library / "draw.py").write_text('FILES = "stormdraw.scores.*"\n')
    before = code_digest(library / "draw.py")
    forget()
    (library / "stormdraw/scores/crps.py").rename(library / "stormdraw/scores/crps_fair.py")
    assert code_digest(library / "draw.py") != before


def test_every_process_finds_the_same_digest(library, root):
    """Names come in another order from a set where text is hashed otherwise."""
    script = (
        "import sys; from pathlib import Path; from stormdraw.code_digest import code_digest; "
        "print(code_digest(Path(sys.argv[1])))"
    )
    here = code_digest(library / "score.py")
    for seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", script, library / "score.py"],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root / "workflow_scripts")},
            capture_output=True,
            check=True,
            text=True,
        )
        assert told.stdout.strip() == here


def test_a_module_counts_whose_last_name_is_that_of_one_that_does_not(library):
    assert changed(library, "draw.py", "stormdraw/scores/files.py", "X = 1\n")


def test_a_module_that_is_started_by_its_name_counts(library):
    (library / "draw.py").write_text('START = ["python", "-m", "stormdraw.scores.crps"]\n')
    assert changed(library, "draw.py", "stormdraw/scores/crps.py", "X = 1\n")


def test_a_module_chosen_by_name_counts_with_its_imports(library):
    for edited in ("crps.py", "__init__.py", "../grids.py"):
        assert changed(
            library, "train.py", f"stormdraw/scores/{edited}", "X = 1\n", "stormdraw.scores.crps"
        )


def test_a_module_chosen_by_name_must_be_there(library):
    with pytest.raises(ValueError, match=r"no module stormdraw.scores.none, on which train.py"):
        code_digest(library / "train.py", "stormdraw.scores.none")


def test_all_modules_of_a_package_that_is_named_with_a_star_count(library):
    (library / "draw.py").write_text('FILES = "stormdraw.scores.*"\n')
    for edited in ("crps.py", "a_new_one.py", "../grids.py"):
        assert changed(library, "draw.py", f"stormdraw/scores/{edited}", "X = 1\n"), edited
        (library / "stormdraw/scores/crps.py").write_text("from stormdraw import grids\n")


def name_of(path: Path, library: Path) -> str:
    return ".".join(path.relative_to(library).with_suffix("").parts).removesuffix(".__init__")


compiled = functools.cache(compile)


@functools.cache
def scanned(code: CodeType) -> list[tuple]:
    return list(ModuleFinder().scan_opcodes(code))


class Finder(ModuleFinder):
    """Python's own finder of modules, which reads a file once, whatever imports it."""

    def run_script(self, pathname: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(modulefinder, "compile", compiled, raising=False)
            super().run_script(pathname)

    def scan_opcodes(self, co: CodeType) -> list[tuple]:
        return scanned(co)


def imported_by(script: Path, library: Path) -> set[str]:
    """What Python's own finder of modules says that a script imports of the package."""
    finder = Finder([str(library)], excludes=list(WITHOUT_EFFECT))
    finder.run_script(str(script))
    return {name for name in finder.modules if name.partition(".")[0] == "stormdraw"}


@pytest.fixture(scope="module")
def scripts(root) -> dict[str, set[str]]:
    """What each script of the workflow imports, directly or not."""
    library = root / "workflow_scripts"
    return {path.name: imported_by(path, library) for path in library.glob("*.py")}


def test_every_module_that_a_script_imports_is_in_its_digest(root, scripts):
    assert len(scripts["models_train.py"]) > 20
    for script, imported in scripts.items():
        assert imported <= modules_behind(root / "workflow_scripts" / script), script


def named_in_strings(library: Path) -> set[str]:
    """Modules that are started, and packages whose modules are found, by their names."""
    text = "".join(path.read_text() for path in library.glob("stormdraw/**/*.py"))
    return set(re.findall(r'"(stormdraw(?:\.\w+)+)["{.]', text)) - set(WITHOUT_EFFECT)


def found_by_their_files(library: Path) -> set[str]:
    """Modules of packages that a star stands for, and what they import."""
    text = "".join(path.read_text() for path in library.glob("stormdraw/**/*.py"))
    packages = re.findall(r'"(stormdraw[.\w]+)\.\*"', text)
    assert "stormdraw.scores.statistics" in packages
    paths = [path for name in packages for path in library.joinpath(*name.split(".")).glob("*.py")]
    return set().union(*(imported_by(path, library) | {name_of(path, library)} for path in paths))


def test_a_digest_holds_no_more_than_its_script_imports_or_starts(root, scripts):
    library = root / "workflow_scripts"
    by_name = named_in_strings(library) | found_by_their_files(library)
    for script, imported in scripts.items():
        assert modules_behind(library / script) <= imported | by_name, script


def test_every_module_is_in_a_digest_or_read_by_the_rules(root, scripts, tmp_path):
    """No module that makes a result is reached in a way that a digest does not follow."""
    library = root / "workflow_scripts"
    everything = {name_of(path, library) for path in library.glob("stormdraw/**/*.py")}
    rules = "".join(path.read_text() for path in (root / "rules").rglob("*.smk"))
    # A long import stands in parentheses.
    imports = r"^from stormdraw\S* import (?:\([\w,\s]+\)|[\w, ]+$)"
    lines = re.findall(imports, rules, flags=re.MULTILINE)
    (tmp_path / "rules.py").write_text("\n".join(lines))
    # The rules read the settings, and with them what checks these.
    finder = Finder([str(library)])
    finder.run_script(str(tmp_path / "rules.py"))
    packages = named_in_strings(library)
    chosen = {name for name in everything if name.rpartition(".")[0] in packages}
    assert "stormdraw.models.networks.gnn" in chosen
    in_digests = set().union(
        *(modules_behind(library / script, *chosen) for script in scripts), WITHOUT_EFFECT
    )
    assert everything <= in_digests | set(finder.modules)
    assert set(WITHOUT_EFFECT) <= everything


def test_no_name_stands_for_two_things_in_the_rules(root):
    """Rule files share their names: the last import of one decides for all."""
    named: dict[str, list[str]] = {}
    for path in [root / "Snakefile", *sorted((root / "rules").rglob("*.smk"))]:
        text = path.read_text()
        for module, names in re.findall(r"^from (\S+) import \(?([\w,\s]+?)\)?$", text, re.M):
            for name in re.findall(r"\w+", names):
                named.setdefault(name, []).append(module)
        for name in re.findall(r"^(?:def (\w+)\(|(\w+) = )", text, re.M):
            named.setdefault("".join(name), []).append(path.name)
    assert len(named) > 60
    assert {name: where for name, where in named.items() if len(set(where)) > 1} == {}
