from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from one_system import configuration

from stormdraw.ensembles import diffusion, downscale, one_step, perturbed
from stormdraw.ensembles.downscale import Downscaling
from stormdraw.ensembles.drawing import DrawingFiles, draw_case
from stormdraw.ensembles.files import Case
from stormdraw.ensembles.rollout import Inputs, Rollout
from stormdraw.settings import Settings, load_settings


def test_what_members_are_drawn_from_by_name() -> None:
    plain = DrawingFiles.named({"checkpoint": "model.pt", "states": ["day.nc"], "static": []})
    assert plain == DrawingFiles(Path("model.pt"), [Path("day.nc")], None, None, driving=[])
    assert plain.files() == [Path("model.pt"), Path("day.nc")]
    crossed = DrawingFiles.named(
        {
            "checkpoint": "def.pt",
            "states": ["one.nc", "two.nc"],
            "static": ["static.nc"],
            "forecaster": "gnn.pt",
            "calibration": ["calibration.json"],
            "driving": ["gfs.nc"],
        }
    )
    assert (crossed.static, crossed.forecaster) == (Path("static.nc"), Path("gnn.pt"))
    # All that a sampling resumed later must still be the same.
    assert [path.name for path in crossed.files()] == [
        *("def.pt", "one.nc", "two.nc", "gfs.nc", "static.nc", "gnn.pt", "calibration.json")
    ]


HOW = {"sampler": "ddim", "steps": 7, "eta": 0.25}
DRAWN = DrawingFiles(Path("model.pt"), [Path("day.nc")], Path("static.nc"), Path("forecaster.pt"))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the functions that draw members are given, instead of drawing."""
    given: list[Any] = []
    for module, name in (
        (diffusion, "write_diffusion"),
        (one_step, "write_one_step"),
        (perturbed, "write_def"),
        (downscale, "write_downscaled"),
    ):
        monkeypatch.setattr(module, name, lambda *a, **k: given.extend([*a, *k.values()]))
    return given


def run_of(system: dict[str, Any]) -> Settings:
    config = configuration(system, seed=5, models=["small"])
    config["ensembles"] |= {"members": 9, "batch_gigabytes": 0.5}
    return load_settings(config)


@pytest.mark.parametrize(
    ("system", "files"),
    [
        (
            {"method": "diffusion", "rho": 0.5, "noise_amplitude": 1.2, **HOW},
            [Path("model.pt"), [Path("day.nc")], Path("static.nc")],
        ),
        (
            {"method": "one_step", "rho": 0.5, "noise_amplitude": 0.9},
            [Path("model.pt"), [Path("day.nc")], Path("static.nc")],
        ),
        (
            {
                **{"method": "def", "rho": 0.5, **HOW},
                **{"guidance": 0.75, "walks": 3, "restandardise": ["T2M"]},
            },
            [
                (Path("model.pt"), Path("forecaster.pt")),
                Inputs([Path("day.nc")], Path("static.nc")),
            ],
        ),
    ],
)
def test_a_system_is_drawn_as_its_keys_say(
    written: list[Any], system: dict[str, Any], files: list[Any]
) -> None:
    run = run_of({**system, "model": "small"})
    it, init = run.ensembles.system("it"), datetime(2026, 6, 8)
    draw_case(run, it, DRAWN, init, 9, Path("e.nc"), {"a": 1}, 3, range(4, 6), Path("kept"))  # type: ignore[arg-type]
    (how,) = [one for one in written if isinstance(one, Rollout)]
    said = {key: vars(how)[key] for key in system if key != "method"}
    said |= {"noise_amplitude": how.noise_amplitude[0]} if "noise_amplitude" in system else {}
    said |= {key: list(value) for key, value in said.items() if isinstance(value, tuple)}
    assert said == {key: value for key, value in system.items() if key != "method"}
    assert (how.members, how.run_seed, how.batch_gigabytes) == (9, 5, 0.5)
    assert (how.chosen, how.kept) == (range(4, 6), Path("kept"))
    assert written[: len(files)] == files
    after = written[written.index(how) + 1 :]
    # What drives a run, for methods that take it here: nothing.
    assert after[:3] == [Path("e.nc"), {"a": 1}, 3]
    assert after[3:] in ([], [None])


def test_noise_is_calibrated_by_variable(written: list[Any]) -> None:
    """What calibration says multiplies the system's own amplitude; 1 is not said."""
    run = run_of({"method": "diffusion", "model": "small", "noise_amplitude": 2.0})
    it, init = run.ensembles.system("it"), datetime(2026, 6, 8)
    draw_case(
        *(run, it, DRAWN, init, 9, Path("e.nc"), {}, 3),  # type: ignore[arg-type]
        amplitudes={"REFC": 1.5, "T2M": 1.25},
    )
    (how,) = [one for one in written if isinstance(one, Rollout)]
    by_variable = dict(zip(run.variables, how.noise_amplitude, strict=True))
    others = {name: 2.0 for name in run.variables if name not in ("REFC", "T2M")}
    assert by_variable == {"REFC": 3.0, "T2M": 2.5, **others}


@pytest.mark.parametrize(
    ("source", "only"),
    [({}, ["hrrr_00h"]), ({"source": "lagged", "ages": [6, 0]}, ["hrrr_00h", "hrrr_06h"])],
)
def test_a_system_downscales_as_its_keys_say(
    written: list[Any], source: dict[str, Any], only: list[str]
) -> None:
    how = HOW | {"noise_amplitude": 1.2}
    run = run_of({"method": "downscale", "models": ["small"], **how, **source})
    case = Case("it", "downscale", datetime(2026, 6, 8), [1, 2], ["T2M"])
    files = ([Path("fine.pt")], Path("forecasts.nc"))
    run.ensembles.system("it").draw(run, *files, case, Path("e.nc"), {"a": 1}, 3)  # type: ignore[attr-defined]
    right = Downscaling(members=9, run_seed=5, batch_gigabytes=0.5, **how)
    assert written == [*files, only, run.variables, case, right, Path("e.nc"), {"a": 1}, 3]
