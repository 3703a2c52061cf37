"""Ensembles exported to Zarr: what readers see of the store, at any moment."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import dask.array
import numpy as np
import pytest
import xarray as xr
import zarr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.export import CaseToExport, export_case
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.ensembles.zarr_case import write_case
from stormdraw.ensembles.zarr_store import add_case, waiting_case
from stormdraw.errors import StormdrawError
from stormdraw.fields.packing import packing_of
from stormdraw.files import write_text
from stormdraw.grids import Grid
from stormdraw.times import format_init

GRID = HRRR.crop(slice(480, 484), slice(880, 885))
VARIABLES = ["T2M", "U10", "V10"]
LEADS = [1, 3]
INITS = ["2026060806", "2026060906", "2026061006"]


def values_of(init: str, version: int = 0, members: int = 3) -> np.ndarray:
    """Values (member, lead, variable, y, x) that 16 bits hold exactly, other ones in each case."""
    noise = np.random.default_rng([int(init), version])
    steps = noise.integers(-500, 500, size=(members, len(LEADS), 3, *GRID.shape))
    return (np.array([280, 0, 0])[:, None, None] + steps / 64).astype(np.float32)


def write_ensemble(folder: Path, init: str, settings=None, **how) -> Path:
    values = values_of(init, **how)
    case = Case("ours", "diffusion", datetime.strptime(init, "%Y%m%d%H"), LEADS, VARIABLES)
    path = folder / f"{init}.nc"
    with ensemble_file(
        path, GRID, case, range(len(values)), settings or {"a": 1}, packed=True
    ) as put:
        for k in range(len(values)):
            for j in range(len(LEADS)):
                put(k, j, values[k, j])
    return path


def export(path: Path, store: Path, members: int = 3, inits=INITS) -> None:
    export_case("zarr", CaseToExport(path, store, members, inits))


def read(store: Path) -> dict[str, np.ndarray]:
    """T2M, U10 and V10 of the cases that a reader sees, by initial time."""
    if not (store / "zarr.json").exists():
        return {}
    with xr.open_zarr(store) as dataset:
        # All variables have all cases.
        fields = np.stack([dataset[name].values for name in VARIABLES], axis=3)
        times = dataset["init_time"].dt.strftime("%Y%m%d%H").values
        leads = dataset["lead_time"].values
        valid = dataset["valid_time"].values
        assert np.array_equal(valid, dataset["init_time"].values[:, None] + leads)
    return dict(zip(times, fields, strict=True))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "ours.zarr"


def test_readers_see_what_the_netcdf_holds(tmp_path, store):
    paths = [write_ensemble(tmp_path, init) for init in INITS]
    for path in paths:
        export(path, store)
    with xr.open_zarr(store) as exported:
        assert exported["T2M"].dims == ("init_time", "number", "lead_time", "y", "x")
        assert exported["T2M"].dtype == np.float32
        assert set(exported.data_vars) == {*VARIABLES, "WIND10"}
        for index, path in enumerate(paths):
            with xr.open_dataset(path, decode_timedelta=False) as file:
                case = exported.isel(init_time=index)
                for name in exported.data_vars:
                    assert np.array_equal(case[name].values, file[name].values.astype("f4"))
                    assert case[name].attrs["units"] == file[name].attrs["units"]
                assert case["init_time"].values == file["init"].values
                hours_ahead = (case["lead_time"] / np.timedelta64(1, "h")).values
                assert np.array_equal(hours_ahead, file["lead"].values)
                assert Grid.of(case) == Grid.of(file) == GRID
                np.testing.assert_array_equal(case["latitude"], file["latitude"])


def test_each_field_is_a_lazy_chunk_and_a_case_a_few_files(tmp_path, store):
    for init in INITS[:2]:
        export(write_ensemble(tmp_path, init), store)
    with xr.open_zarr(store) as exported:
        assert isinstance(exported["T2M"].data, dask.array.Array)
        assert exported["T2M"].data.chunksize == (1, 1, 1, *GRID.shape)
    metadata = json.loads((store / "zarr.json").read_text())
    assert (metadata["zarr_format"], "consolidated_metadata" in metadata) == (3, True)
    assert len([path for path in (store / "T2M" / "c").rglob("*") if path.is_file()]) == 2
    assert sorted(path.name for path in (store / ".cases").iterdir()) == ["lock", "waiting"]
    assert list((store / ".cases" / "waiting").iterdir()) == []


def test_files_hold_all_members_of_as_many_leads_as_fit(tmp_path, store, monkeypatch):
    of_a_lead = 4 * 3 * GRID.shape[0] * GRID.shape[1]
    monkeypatch.setattr("stormdraw.ensembles.zarr_case.BYTES_AT_ONCE", of_a_lead)
    export(write_ensemble(tmp_path, INITS[0]), store)
    array = zarr.open_array(store / "T2M")
    assert array.shards == (1, 3, 1, *GRID.shape)
    assert len([path for path in (store / "T2M" / "c").rglob("*") if path.is_file()]) == 2
    assert np.array_equal(read(store)[INITS[0]], values_of(INITS[0]))


def test_the_store_follows_the_cf_conventions(tmp_path, store):
    export(write_ensemble(tmp_path, INITS[0]), store)
    with xr.open_zarr(store) as exported:
        assert exported["T2M"].attrs["standard_name"] == "air_temperature"
        assert exported["T2M"].attrs["grid_mapping"] == "projection"
        assert exported["projection"].attrs["grid_mapping_name"] == "lambert_conformal_conic"
        assert set(exported["T2M"].coords) >= {"latitude", "longitude", "valid_time", "projection"}
        standard = {
            name: own.attrs["standard_name"]
            for name, own in exported.coords.items()
            if "standard_name" in own.attrs
        }
        assert standard["init_time"] == "forecast_reference_time"
        assert standard["lead_time"] == "forecast_period"
        assert standard["number"] == "realization"
        assert standard["valid_time"] == "time"
        assert exported.attrs["Conventions"] == "CF-1.11"


def test_missing_members_leads_and_points_are_nan(tmp_path, store):
    path = write_ensemble(tmp_path, INITS[0], members=2)
    with xr.open_dataset(path, mask_and_scale=False).load() as file:
        file["T2M"][1, 0] = 65535
        file["U10"][0, 1, 2, 3] = 65535
        file["V10"][:] = 65535
    file.to_netcdf(path)
    export(path, store)
    found = read(store)[INITS[0]]
    expected = np.full((3, len(LEADS), 3, *GRID.shape), np.nan, np.float32)
    expected[:2] = values_of(INITS[0], members=2)
    expected[1, 0, 0] = np.nan
    expected[0, 1, 1, 2, 3] = np.nan
    expected[:, :, 2] = np.nan
    np.testing.assert_array_equal(found, expected)


def test_more_members_than_the_run_has_are_refused(tmp_path, store):
    path = write_ensemble(tmp_path, INITS[0])
    with pytest.raises(StormdrawError, match=r"2026060806.nc: has 3 members, .* has 2 at most"):
        export(path, store, members=2)
    assert read(store) == {}


def test_mean_and_spread_have_no_members(tmp_path, store):
    path = write_ensemble(tmp_path, INITS[0])
    with xr.open_dataset(path) as file:
        both = xr.Dataset(
            {"T2M_mean": file["T2M"].mean("member"), "T2M_spread": file["T2M"].std("member")},
            {name: file[name] for name in file.coords if name != "member"},
            file.attrs,
        ).load()
    both.to_netcdf(path)
    export(path, store, members=0)
    with xr.open_zarr(store) as exported:
        assert set(exported.data_vars) == {"T2M_mean", "T2M_spread"}
        assert exported["T2M_mean"].dims == ("init_time", "lead_time", "y", "x")
        np.testing.assert_array_equal(
            exported["T2M_spread"][0], both["T2M_spread"].astype(np.float32)
        )


def test_a_case_waits_for_those_before_it(tmp_path, store):
    paths = {init: write_ensemble(tmp_path, init) for init in INITS}
    export(paths[INITS[2]], store)
    assert list(read(store)) == []
    export(paths[INITS[0]], store)
    with xr.open_zarr(store) as lazy:
        assert list(read(store)) == INITS[:1]
        export(paths[INITS[1]], store)
        # What was opened before stays right.
        assert np.array_equal(lazy["T2M"].values[0], values_of(INITS[0])[:, :, 0])
    assert list(read(store)) == INITS
    for init, found in read(store).items():
        assert np.array_equal(found, values_of(init))


def test_a_case_that_is_made_again_replaces_the_old_one(tmp_path, store):
    for init in INITS:
        export(write_ensemble(tmp_path, init), store)
    export(write_ensemble(tmp_path, INITS[1], version=1), store)
    for index, (init, found) in enumerate(read(store).items()):
        assert np.array_equal(found, values_of(init, version=index == 1))


def test_what_a_new_version_of_a_case_lacks_is_missing(tmp_path, store):
    export(write_ensemble(tmp_path, INITS[0]), store)
    path = write_ensemble(tmp_path, INITS[0], version=1)
    with xr.open_dataset(path, mask_and_scale=False).load() as file:
        file["V10"][:] = 65535
    file.to_netcdf(path)
    export(path, store)
    found = read(store)[INITS[0]]
    assert np.isnan(found[:, :, 2]).all()
    assert np.array_equal(found[:, :, :2], values_of(INITS[0], version=1)[:, :, :2])


def test_cases_that_a_configuration_adds_follow_the_others(tmp_path, store):
    for init in INITS[1:]:
        export(write_ensemble(tmp_path, init), store, inits=INITS[1:])
    export(write_ensemble(tmp_path, INITS[0]), store)
    assert list(read(store)) == [*INITS[1:], INITS[0]]
    for init, found in read(store).items():
        assert np.array_equal(found, values_of(init))


@pytest.mark.parametrize("other", [{"settings": {"a": 2}}, {"members": 2}])
def test_other_settings_or_another_layout_begin_anew(other, tmp_path, store):
    for init in INITS:
        export(write_ensemble(tmp_path, init), store)
        (store / ".cases" / f"{init}.json").write_text("{}")
    members = other.get("members", 3)
    export(write_ensemble(tmp_path, INITS[0], **other), store, members=members)
    assert list(read(store)) == INITS[:1]
    assert np.array_equal(read(store)[INITS[0]], values_of(INITS[0], members=members))
    # Snakemake makes the others again.
    assert list((store / ".cases").glob("2*.json")) == []
    export(write_ensemble(tmp_path, INITS[1], **other), store, members=members)
    assert list(read(store)) == INITS[:2]


def fields(store: Path) -> dict[str, np.ndarray]:
    """`read`, without xarray, for many readings."""
    if not (store / "zarr.json").exists():
        return {}
    group = zarr.open_consolidated(store)
    times = group["init_time"][:].astype("datetime64[h]").astype(datetime)
    values = np.stack([group[name][:] for name in VARIABLES], axis=3)
    return {format_init(time): own for time, own in zip(times, values, strict=True)}


class KilledError(BaseException):
    """Caught by no more than `finally`."""


class Death:
    """Stops all changes of names of files after some of them, as if the process were killed."""

    def __init__(self, monkeypatch):
        self.left = sys.maxsize
        for owner, name in (
            (Path, "replace"),
            (Path, "unlink"),
            (os, "replace"),
            (shutil, "rmtree"),
        ):
            monkeypatch.setattr(owner, name, self._counting(getattr(owner, name)))

    def _counting(self, change):
        def changed(*arguments, **options):
            self.left -= 1
            if self.left < 0:
                raise KilledError
            return change(*arguments, **options)

        return changed

    def comes(self, steps: int, job: Callable[[], None]) -> bool:
        """Whether a job is killed by it after some steps."""
        self.left = steps
        try:
            job()
        except KilledError:
            return True
        finally:
            self.left = sys.maxsize
        return False


@pytest.mark.parametrize("again", [None, 0], ids=["new", "old"])
def test_a_killed_job_leaves_whole_cases_and_the_next_one_heals_the_store(
    again, tmp_path, monkeypatch
):
    before, store = tmp_path / "before.zarr", tmp_path / "ours.zarr"
    for init in INITS[:2]:
        export(write_ensemble(tmp_path, init), before)
    init = INITS[2] if again is None else INITS[again]
    with waiting_case(before, init) as folder:
        write_case(write_ensemble(tmp_path / "new", init, version=1), folder, 3)
    # Nothing is read after a power failure here.
    for module in ("files", "ensembles.zarr_store"):
        monkeypatch.setattr(f"stormdraw.{module}.flush", lambda path: None)
    died, steps = True, 0
    death = Death(monkeypatch)
    while died:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(before, store)
        died = death.comes(steps, lambda: add_case(store, init, INITS))
        seen = fields(store)
        assert list(seen) in (INITS[:2], INITS[:3], INITS[:again])
        for one, found in seen.items():
            assert any(np.array_equal(found, values_of(one, version)) for version in (0, 1)), steps
        add_case(store, init, INITS)
        seen = fields(store)
        assert list(seen) == sorted({*INITS[:2], init})
        for one, found in seen.items():
            assert np.array_equal(found, values_of(one, int(one == init))), steps
        assert {path.name for path in (store / ".cases").iterdir()} == {"waiting", "lock"}, steps
        steps += 1
    assert steps > 12


def test_a_file_system_without_locks_is_told(tmp_path, store, monkeypatch):
    def none(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.lockf", none)
    with pytest.raises(StormdrawError, match=r"ours.zarr: its file system has no locks \(No locks"):
        export(write_ensemble(tmp_path, INITS[0]), store)
    assert read(store) == {}


def test_no_other_process_changes_the_store_meanwhile(tmp_path, store, monkeypatch):
    """`write_text` is where the first change of a case is written down."""
    lock = store / ".cases" / "lock"
    program = (
        "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    errors = []

    def attempt(path, text):
        run = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, lock], capture_output=True, text=True
        )
        errors.append(run.stderr.strip().rpartition("\n")[2].partition(":")[0])
        write_text(path, text)

    path = write_ensemble(tmp_path, INITS[0])
    with monkeypatch.context() as patch:
        patch.setattr("stormdraw.ensembles.zarr_store.write_text", attempt)
        export(path, store)
    assert set(errors) == {"BlockingIOError"}
    assert list(read(store)) == INITS[:1]
    subprocess.run([sys.executable, "-I", "-S", "-c", program, lock], check=True)


def test_a_store_that_lost_its_parts_is_told(tmp_path, store):
    export(write_ensemble(tmp_path, INITS[0]), store)
    (store / "zarr.json").unlink()
    moving = {"init": INITS[0], "inits": INITS[:1]}
    (store / ".cases" / "moving.json").write_text(json.dumps(moving))
    told = r"ours\.zarr: parts of it are missing; delete it to make it again"
    with pytest.raises(StormdrawError, match=told):
        export(write_ensemble(tmp_path, INITS[1]), store)


def test_jobs_of_several_cases_write_at_once(tmp_path, store, root):
    inits = [(datetime(2026, 6, 1) + timedelta(hours=6 * k)).strftime("%Y%m%d%H") for k in range(8)]
    for init in inits:
        write_ensemble(tmp_path, init)
    program = (
        "import sys; from pathlib import Path\n"
        "from stormdraw.ensembles.export import CaseToExport, export_case\n"
        "folder, own, *inits = sys.argv[1:]\n"
        "for init in own.split():\n"
        "    path = Path(folder) / f'{init}.nc'\n"
        "    export_case('zarr', CaseToExport(path, Path(folder) / 'ours.zarr', 3, inits))\n"
    )
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), " ".join(own), *inits],
            env={"PYTHONPATH": str(root / "workflow_scripts"), "PATH": ""},
        )
        for own in (inits[::-2], inits[-2::-2])
    ]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0]
    assert list(read(store)) == inits
    for init, found in read(store).items():
        assert np.array_equal(found, values_of(init))


def test_a_full_value_range_keeps_its_packing_steps(tmp_path, store):
    """What is exported of 16 bits is what NetCDF readers get, to the last bit."""
    packing = packing_of("T2M")
    path = write_ensemble(tmp_path, INITS[0])
    export(path, store)
    steps = (read(store)[INITS[0]][:, :, 0] - packing.offset) / packing.step
    np.testing.assert_array_equal(steps, np.rint(steps))
