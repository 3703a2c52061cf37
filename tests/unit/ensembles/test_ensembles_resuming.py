"""A sampling job that is killed goes on where it was; members in parts are those of the whole,
up to rounding."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import torch
import xarray as xr
from rounding import assert_same_members

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles import rollout
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.joining import join_parts
from stormdraw.ensembles.one_step import forecast, one_step_model
from stormdraw.ensembles.resuming import blocks_to_draw, resuming
from stormdraw.ensembles.rollout import Inputs, Rollout, write_rollout
from stormdraw.ensembles.spread import scale_spread
from stormdraw.ensembles.stretch import Stretch, stretches_of
from stormdraw.errors import StormdrawError
from stormdraw.fields.netcdf import written_in_parts
from stormdraw.fields.statistics import Statistics
from stormdraw.models.checkpoint import load_model, save_model
from stormdraw.models.settings import ModelSettings
from stormdraw.models.training import new_model
from stormdraw.roles import Roles

GRID = HRRR.crop(slice(480, 488), slice(880, 889))
STATE = ["T2M", "U10", "V10", "CAPE"]
INIT = datetime(2026, 6, 1, 6)
CASE = Case("small", "one_step", INIT, (1, 2), STATE)
ONES = np.ones(4, dtype=np.float32)
STATISTICS = Statistics(
    tuple(STATE),
    ("identity", "identity", "identity", "signed_sqrt"),
    mean=np.array([290.0, 0.0, 0.0, 2.0], dtype=np.float32),
    std=5 * ONES,
    tendency_mean=0 * ONES,
    tendency_std=3 * ONES,
)
SETTINGS = ModelSettings.model_validate(
    {
        "family": "stochastic_unet",
        "network": {"channels": [8, 8], "noise_scales": [1, 4]},
        "prediction": "target",
        "target": "residual",
        "loss": {"kind": "almost_fair_crps"},
        "history": 2,
        "training": {"epochs": 1},
    }
)
# Members 0 to 6, two at a time: blocks 0-1, 2-3, 4-5 and 6.
MEMBERS, AT_ONCE, HOURS = 7, 2, 2


class KilledError(Exception):
    """What a test stops a job with."""


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", AT_ONCE)
    monkeypatch.setattr(rollout, "sampling_bytes", lambda *_: 1)


def write_files(folder: Path) -> list[Path]:
    """A checkpoint of an untrained model and a day file with two hours."""
    model = new_model("small", 1, SETTINGS, STATISTICS)
    save_model(folder / "model.pt", "small", model, STATISTICS, None, GRID)
    times = [INIT - timedelta(hours=1), INIT]
    time = xr.DataArray(np.array(times, dtype="datetime64[ns]"), dims="time")
    names = {name: name for name in STATE}
    with written_in_parts(folder / "day.nc", GRID, {"time": time}, names, {}) as file:
        for name, value in zip(STATE, (290.0, 2.0, -3.0, 4.0), strict=True):
            file[name][:] = value + np.array([1.0, 0.0])[:, None, None] * np.ones(GRID.shape)
    return [folder / "model.pt", folder / "day.nc"]


def draw(
    folder: Path, output: Path, kept: Path | None, stop_after: int | None = None, **how: Any
) -> int:
    """Draw a case; returns how many passes of the network it took, raising in the pass after
    `stop_after`."""
    checkpoint, day = (folder / name for name in ("model.pt", "day.nc"))
    trained = load_model(checkpoint, torch.device("cpu"), Roles(predicted=tuple(STATE)))
    generate, passes = forecast(one_step_model(trained, "small")), 0

    def counted(*arguments: Any) -> torch.Tensor:
        nonlocal passes
        if passes == stop_after:
            raise KilledError
        passes += 1
        return generate(*arguments)

    run = Rollout(**{"members": MEMBERS, "run_seed": 1, "rho": 0.5, "kept": kept, **how})
    write_rollout(trained, counted, Inputs([day], None), CASE, run, output, {"seed": 1}, {})
    return passes


def content(path: Path) -> xr.Dataset:
    with xr.open_dataset(path) as dataset:
        return dataset.load()


def assert_same_file(one: xr.Dataset, other: xr.Dataset) -> None:
    """The same members at the same leads and points, up to rounding."""
    assert set(one.variables) == set(other.variables)
    for name in other.coords:
        np.testing.assert_array_equal(one[name], other[name])
    states = [np.stack([file[name].values for name in STATE], axis=2) for file in (one, other)]
    assert_same_members(*states, STATE, packed=True)


def test_it_resumes_at_the_next_block(tmp_path: Path) -> None:
    inputs = write_files(tmp_path)
    blocks = 4
    assert draw(tmp_path, tmp_path / "whole.nc", None) == blocks * HOURS
    output = tmp_path / "case.nc"
    with pytest.raises(KilledError), resuming(output, "key", inputs) as kept:
        draw(tmp_path, output, kept, stop_after=2 * HOURS + 1)  # in the third block's second hour
    assert not output.exists()
    with resuming(output, "key", inputs) as kept:
        assert sorted(path.name for path in kept.iterdir()) == [
            "members_0000_0001.nc",
            "members_0002_0003.nc",
        ]
        assert draw(tmp_path, output, kept) == 2 * HOURS
    resumed, whole = content(output), content(tmp_path / "whole.nc")
    assert_same_file(resumed, whole)
    assert len({state.tobytes() for state in resumed["T2M"].values[:, 0]}) == MEMBERS
    told = set(whole.attrs) - {"history"}
    assert {k: resumed.attrs[k] for k in told} == {
        k: pytest.approx(v, abs=0.01) if k.startswith("bounded_share") else v
        for k, v in whole.attrs.items()
        if k in told
    }
    assert 0 < whole.attrs["bounded_share_CAPE"] < 1
    assert not output.with_suffix(".resume").exists()


@pytest.mark.parametrize("change", ["settings", "checkpoint"])
def test_members_drawn_otherwise_are_not_taken(tmp_path: Path, change: str) -> None:
    inputs = write_files(tmp_path)
    output = tmp_path / "case.nc"
    with pytest.raises(KilledError), resuming(output, "key", inputs) as kept:
        draw(tmp_path, output, kept, stop_after=3 * HOURS)
    if change == "checkpoint":
        with open(inputs[0], "ab") as stream:
            stream.write(b"trained anew")
    with resuming(output, "other key" if change == "settings" else "key", inputs) as kept:
        assert list(kept.iterdir()) == []
        assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_block_that_cannot_be_read_is_drawn_again(tmp_path: Path) -> None:
    inputs = write_files(tmp_path)
    output = tmp_path / "case.nc"
    with pytest.raises(KilledError), resuming(output, "key", inputs) as kept:
        draw(tmp_path, output, kept, stop_after=3 * HOURS)
    with resuming(output, "key", inputs) as kept:
        (kept / "members_0002_0003.nc").write_bytes(b"")
        assert draw(tmp_path, output, kept) == 2 * HOURS
    assert content(output)["member"].values.tolist() == list(range(MEMBERS))


def test_another_batch_size_draws_what_is_left() -> None:
    assert blocks_to_draw(range(7), [0, 1], 3) == [range(2, 5), range(5, 7)]
    assert blocks_to_draw(range(4, 9), [5, 6], 3) == [range(4, 5), range(7, 9)]
    assert blocks_to_draw(range(3), [0, 1, 2], 2) == []


def test_joining_moves_every_member_to_its_place_and_changes_no_digit(tmp_path: Path) -> None:
    write_files(tmp_path)
    parts = [tmp_path / f"{name}.nc" for name in "ab"]
    for path, chosen in zip(parts, (range(4, 7), range(4)), strict=True):
        draw(tmp_path, path, None, chosen=chosen)
    join_parts(parts, CASE, tmp_path / "joined.nc", {"seed": 1})
    joined = content(tmp_path / "joined.nc")
    assert joined["member"].values.tolist() == list(range(7))
    for path in parts:
        part = content(path)
        same = joined.sel(member=part["member"])
        assert same.drop_attrs().identical(part.drop_attrs())


def test_members_of_several_jobs_are_those_of_one(tmp_path: Path) -> None:
    write_files(tmp_path)
    draw(tmp_path, tmp_path / "whole.nc", None)
    parts = [tmp_path / f"{name}.nc" for name in "ab"]
    whole = content(tmp_path / "whole.nc")
    # The same batches in both jobs as in the one, and others.
    for border, order in ((4, -1), (3, 1)):
        for path, chosen in zip(parts, (range(border), range(border, 7)), strict=True):
            draw(tmp_path, path, None, chosen=chosen)
        join_parts(parts[::order], CASE, tmp_path / "joined.nc", {"seed": 1})
        joined = content(tmp_path / "joined.nc")
        assert_same_file(joined, whole)
        assert (joined.attrs["rho"], joined.attrs["model"]) == (0.5, "small")
        share = whole.attrs["bounded_share_CAPE"]
        assert joined.attrs["bounded_share_CAPE"] == pytest.approx(share, abs=0.01)


def test_a_member_in_two_parts(tmp_path: Path) -> None:
    write_files(tmp_path)
    parts = [tmp_path / "a.nc", tmp_path / "b.nc"]
    for path, chosen in zip(parts, (range(2), range(1, 3)), strict=True):
        draw(tmp_path, path, None, chosen=chosen)
    with pytest.raises(StormdrawError, match=r"a member is in two of a\.nc, b\.nc"):
        join_parts(parts, CASE, tmp_path / "joined.nc", {})


def draw_in_stretches(folder: Path, **how: Any) -> list[Path]:
    """Draw both hours of the case, the second from the last states of the first."""
    states = folder / "states"
    states.mkdir()
    stretches = [Stretch(1, 1, after=states), Stretch(2, 2, before=states)]
    outputs = [folder / f"{stretch}.nc" for stretch in stretches]
    for stretch, output in zip(stretches, outputs, strict=True):
        assert draw(folder, output, None, stretch=stretch, **how) == 4
    return outputs


def assert_same_bytes(one: Path, other: Path) -> None:
    with netCDF4.Dataset(one) as own, netCDF4.Dataset(other) as theirs:
        for file in (own, theirs):
            file.set_auto_maskandscale(False)
        for name in (*STATE, "WIND10"):
            assert own[name][:].tobytes() == theirs[name][:].tobytes(), name


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_hours_drawn_one_stretch_after_the_other_are_those_of_one(
    tmp_path: Path, rho: float
) -> None:
    write_files(tmp_path)
    draw(tmp_path, tmp_path / "whole.nc", None, rho=rho)
    parts = draw_in_stretches(tmp_path, rho=rho)
    join_parts(parts, CASE, tmp_path / "joined.nc", {"seed": 1})
    assert_same_bytes(tmp_path / "joined.nc", tmp_path / "whole.nc")
    joined, whole = content(tmp_path / "joined.nc"), content(tmp_path / "whole.nc")
    assert joined["lead"].values.tolist() == [1, 2]
    told = {name: value for name, value in whole.attrs.items() if name != "history"}
    assert {name: joined.attrs[name] for name in told} == pytest.approx(told)
    first = content(parts[0]).attrs["bounded_share_CAPE"]
    assert not np.isclose(whole.attrs["bounded_share_CAPE"], first)


def test_members_go_on_in_other_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path)
    draw(tmp_path, tmp_path / "whole.nc", None)
    (tmp_path / "states").mkdir()
    first = Stretch(1, 1, after=tmp_path / "states")
    draw(tmp_path, tmp_path / "first.nc", None, stretch=first)
    monkeypatch.setattr(rollout, "LARGEST_CPU_BATCH", 3)
    second = Stretch(2, 2, before=tmp_path / "states")
    draw(tmp_path, tmp_path / "second.nc", None, stretch=second)
    join_parts([tmp_path / "first.nc", tmp_path / "second.nc"], CASE, tmp_path / "j.nc", {})
    assert_same_file(content(tmp_path / "j.nc"), content(tmp_path / "whole.nc"))


def test_a_stretch_killed_in_the_middle_hands_all_states_on(tmp_path: Path) -> None:
    inputs = write_files(tmp_path)
    draw(tmp_path, tmp_path / "whole.nc", None)
    states, output = tmp_path / "states", tmp_path / "first.nc"
    states.mkdir()
    first = Stretch(1, 1, after=states)
    with pytest.raises(KilledError), resuming(output, "key", inputs) as kept:
        draw(tmp_path, output, kept, stop_after=2, stretch=first)
    assert not any(states.iterdir())
    with resuming(output, "key", inputs) as kept:
        assert draw(tmp_path, output, kept, stretch=first) == 2
    second = tmp_path / "second.nc"
    draw(tmp_path, second, None, stretch=Stretch(2, 2, before=states))
    join_parts([output, second], CASE, tmp_path / "joined.nc", {"seed": 1})
    assert_same_bytes(tmp_path / "joined.nc", tmp_path / "whole.nc")


def test_spread_scaled_by_stretch_is_that_scaled_at_once(tmp_path: Path) -> None:
    write_files(tmp_path)
    factors = {name: {1: 1.5, 2: 0.5} for name in ("T2M", "U10")}
    draw(tmp_path, tmp_path / "drawn.nc", None)
    scale_spread(tmp_path / "drawn.nc", factors, CASE, tmp_path / "whole.nc", {"seed": 1})
    parts = []
    for lead, drawn in zip(CASE.leads, draw_in_stretches(tmp_path), strict=True):
        parts.append(tmp_path / f"scaled_{lead}.nc")
        scale_spread(drawn, factors, replace(CASE, leads=[lead]), parts[-1], {"seed": 1})
    join_parts(parts, CASE, tmp_path / "joined.nc", {"seed": 1})
    assert_same_bytes(tmp_path / "joined.nc", tmp_path / "whole.nc")
    told = content(tmp_path / "joined.nc").attrs["spread_factor_T2M"]
    np.testing.assert_array_equal(told, content(tmp_path / "whole.nc").attrs["spread_factor_T2M"])


def test_shares_are_averaged_over_hours(tmp_path: Path) -> None:
    """0.3 in the first hour and 0.6 in the two after it are 0.5 in all."""
    case, parts = replace(CASE, leads=(1, 3)), []
    for lead, share in ((1, 0.3), (3, 0.6)):
        parts.append(tmp_path / f"{lead}.nc")
        notes = {"bounded_share_CAPE": np.float32(share)}
        of_lead = replace(CASE, leads=[lead])
        with ensemble_file(parts[-1], GRID, of_lead, [0], {}, notes, packed=True) as put:
            put(0, 0, np.full((4, *GRID.shape), 250.0))
    join_parts(parts, case, tmp_path / "joined.nc", {})
    assert content(tmp_path / "joined.nc").attrs["bounded_share_CAPE"] == pytest.approx(0.5)


def test_a_lead_in_two_parts(tmp_path: Path) -> None:
    write_files(tmp_path)
    parts = draw_in_stretches(tmp_path)
    draw(tmp_path, parts[1], None)
    with pytest.raises(StormdrawError, match=r"a member is in two of 001_001\.nc, 002_002\.nc"):
        join_parts(parts, CASE, tmp_path / "joined.nc", {})


def test_stretches_end_at_their_leads() -> None:
    stretches = stretches_of([1, 3, 6, 12, 18], [3, 12])
    assert [str(one) for one in stretches] == ["001_003", "004_012", "013_018"]
    assert [one.leads_of([1, 3, 6, 12, 18]) for one in stretches] == [[1, 3], [6, 12], [18]]
    assert [str(one) for one in stretches_of([1, 2], [])] == ["001_002"]


KILLED_JOB = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {library!r}]
from stormdraw.ensembles import rollout
from stormdraw.ensembles.resuming import resuming
from test_ensembles_resuming import AT_ONCE, draw
rollout.LARGEST_CPU_BATCH = AT_ONCE
put = rollout.ensemble_file
def killing(path, *rest, **more):
    if path.name == "members_0004_0005.nc":
        os.kill(os.getpid(), signal.SIGKILL)
    return put(path, *rest, **more)
rollout.ensemble_file = killing
folder = Path({folder!r})
with resuming(folder / "case.nc", "key", [folder / "model.pt", folder / "day.nc"]) as kept:
    draw(folder, folder / "case.nc", kept)
"""


@pytest.mark.slow
def test_a_job_killed_outright_resumes_all_the_same(tmp_path: Path) -> None:
    inputs = write_files(tmp_path)
    draw(tmp_path, tmp_path / "whole.nc", None)
    library = str(Path(rollout.__file__).resolve().parents[2])
    script = KILLED_JOB.format(
        tests=str(Path(__file__).parent), library=library, folder=str(tmp_path)
    )
    job = subprocess.run([sys.executable, "-c", script], env=os.environ, timeout=120)
    assert job.returncode == -signal.SIGKILL
    with resuming(tmp_path / "case.nc", "key", inputs) as kept:
        assert draw(tmp_path, tmp_path / "case.nc", kept) == 2 * HOURS
    assert_same_file(content(tmp_path / "case.nc"), content(tmp_path / "whole.nc"))
