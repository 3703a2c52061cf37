"""A kind of system is a file: found by its name, and known to nothing else."""

import inspect
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from one_system import configuration
from pydantic import TypeAdapter, ValidationError

from stormdraw.archive.base_model import base_model_names
from stormdraw.code_digest import modules_behind
from stormdraw.ensembles import systems
from stormdraw.ensembles.registry import any_system, kinds
from stormdraw.ensembles.system import AnySystem
from stormdraw.settings import load_settings

NAMES = sorted(kinds())


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_is_called_as_its_file(name: str) -> None:
    fields = kinds()[name].model_fields
    called = get_args(fields["kind" if "kind" in fields else "method"].annotation)
    # The forecast of the base model may be called by the model's name instead.
    assert called == (("base_model", *base_model_names()) if name == "base_model" else (name,))


@pytest.mark.parametrize("name", NAMES)
def test_a_kind_says_how_it_is_made(name: str) -> None:
    """By `draw` if it needs trained models, and else by `write`: there are rules for both."""
    kind = kinds()[name]
    assert not inspect.isabstract(kind)
    from_models = kind.by_model or kind.drawn_from is not AnySystem.drawn_from
    made_by = [how for how in ("draw", "write") if hasattr(kind, how)]
    assert made_by == (["draw"] if from_models else ["write"])


def test_a_file_is_all_that_a_new_kind_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(systems.__path__[0], "persistence.py").read_text()
    (tmp_path / "stillness.py").write_text(text.replace('"persistence"', '"stillness"'))
    monkeypatch.setattr(systems, "__path__", [*systems.__path__, str(tmp_path)])
    entry = TypeAdapter(any_system())
    still = entry.validate_python({"name": "still", "method": "baseline", "kind": "stillness"})
    assert (still.kind, still.role, still.by_model) == ("stillness", "baseline", False)
    with pytest.raises(ValidationError, match=r"Input should be .*'stillness'"):
        entry.validate_python({"name": "still", "method": "baseline", "kind": "chance"})


@pytest.mark.parametrize(
    ("given", "location", "said"),
    [
        ({"method": "baseline"}, ("baseline", "kind"), "Field required"),
        (
            {"method": "baseline", "kind": None},
            ("baseline", "kind"),
            "Input should be 'base_model'",
        ),
        ({"method": "baseline", "kind": ["lagged"]}, ("baseline", "kind"), "Input should be"),
        ({"method": "baseline", "kind": "lagged", "ages": [1]}, ("baseline", "ages"), "at least 2"),
        ({"method": "reference", "ages": [0, 6]}, ("reference", "ages"), "Extra inputs"),
        ({"method": "chance"}, (), "does not match any of the expected tags"),
        ({}, (), "Unable to extract tag"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_where_it_stands(
    given: dict, location: tuple, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(any_system()).validate_python({"name": "it", **given})
    (finding,) = caught.value.errors()
    assert finding["loc"] == location
    assert said in finding["msg"]


def test_a_key_of_another_kind_may_have_its_usual_value() -> None:
    entry = {"name": "it", "method": "baseline", "kind": "persistence", "season_days": 45}
    assert "season_days" not in TypeAdapter(any_system()).validate_python(entry).model_dump()
    with pytest.raises(ValidationError, match="season_days applies only to kind: climatology"):
        TypeAdapter(any_system()).validate_python(entry | {"season_days": 44})


def test_the_order_of_ages_makes_no_other_system() -> None:
    entry = {"name": "it", "method": "baseline", "kind": "lagged"}
    one, other = (
        TypeAdapter(any_system()).validate_python(entry | {"ages": ages})
        for ages in ([0, 6, 12], [12, 0, 6])
    )
    assert one == other


SCRIPTS = ("ensembles_take", "ensembles_sample", "ensembles_part", "ensembles_downscale")


@pytest.mark.parametrize("name", NAMES)
def test_a_case_depends_on_the_file_of_its_own_kind_alone(root: Path, name: str) -> None:
    """None of the others is in the digest of any script that makes a case."""
    own = f"stormdraw.ensembles.systems.{name}"
    for script in SCRIPTS:
        behind = modules_behind(root / "workflow_scripts" / f"{script}.py", own)
        assert {one for one in behind if one.startswith("stormdraw.ensembles.systems.")} == {own}


def test_a_sampler_is_in_the_digest_of_the_kind_that_samples(root: Path) -> None:
    def behind(kind: str) -> set[str]:
        script = root / "workflow_scripts" / "ensembles_sample.py"
        return modules_behind(script, f"stormdraw.ensembles.systems.{kind}")

    sampler = "stormdraw.ensembles.samplers"
    assert {kind for kind in NAMES if sampler in behind(kind)} == {"diffusion", "def", "downscale"}


def test_a_configuration_is_read_without_torch(root: Path) -> None:
    read = (
        "import sys, yaml; from stormdraw.settings import load_settings; "
        "load_settings(yaml.safe_load(open('config/demo.yaml'))); "
        "print('torch' in sys.modules)"
    )
    library = {"PYTHONPATH": str(root / "workflow_scripts")}
    command = [sys.executable, "-c", read]
    assert subprocess.check_output(command, cwd=root, env=library, text=True) == "False\n"


def test_hours_that_a_system_asks_for_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_settings(configuration()).analysis_times()
    hour = before[0].replace(day=2)
    monkeypatch.setattr(kinds()["persistence"], "analyses", lambda system, run, init: (hour,))
    assert set(load_settings(configuration()).analysis_times()) == {*before, hour}
