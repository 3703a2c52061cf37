"""Small files of every kind that the scores stage reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.grids import Grid
from stormdraw.scores import registry
from stormdraw.scores.case import score_case
from stormdraw.scores.settings import Scores


@pytest.fixture(scope="session")
def grid() -> Grid:
    """A crop of 5 x 7 points away from the tangent parallel."""
    return HRRR.crop(slice(100, 105), slice(900, 907))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20260608)


@pytest.fixture
def write_fields(tmp_path: Path, grid: Grid) -> Callable[..., Path]:
    """Write fields (time, y, x) of the given names and times; returns the path."""

    def write(
        name: str,
        times: list[datetime],
        fields: Mapping[str, np.ndarray],
        on: Grid | None = None,
    ) -> Path:
        dataset = xr.Dataset(
            {key: (("time", "y", "x"), value) for key, value in fields.items()},
            coords={"time": np.array(times, "datetime64[ns]"), **(on or grid).coordinates()},
        )
        path = tmp_path / "fields" / name
        path.parent.mkdir(exist_ok=True)
        dataset.to_netcdf(path, engine="netcdf4")
        return path

    return write


@pytest.fixture
def make_ensemble(grid: Grid) -> Callable[..., xr.Dataset]:
    """An ensemble file's content: arrays (member, lead, y, x), or (lead, y, x) for `_mean` etc."""

    def make(
        init: datetime, leads: list[int], fields: Mapping[str, np.ndarray], system: str = "trial"
    ) -> xr.Dataset:
        variables = {
            key: (("member", "lead", "y", "x")[4 - value.ndim :], value)
            for key, value in fields.items()
        }
        return xr.Dataset(
            variables,
            coords={
                "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
                "init": np.datetime64(init, "ns"),
                **grid.coordinates(),
            },
            attrs={"system": system, "method": "diffusion"},
        )

    return make


@pytest.fixture
def score_cases(
    tmp_path: Path,
    make_ensemble: Callable[..., xr.Dataset],
    write_fields: Callable[..., Path],
) -> Callable[..., list[Path]]:
    """Score an ensemble and its truth (lead, y, x), by name, of each case: the files.

    Leads are 1, 2, ... h; the ensemble is as `make_ensemble` takes it.
    """

    def score(
        cases: Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]], scores: Scores
    ) -> list[Path]:
        written = []
        for number, (ensemble, truth) in enumerate(cases):
            init = datetime(2026, 6, 8, 6) + timedelta(hours=30 * number)
            name = f"{init:%Y%m%d%H}.nc"
            leads = [*range(1, 1 + len(next(iter(truth.values()))))]
            fields = write_fields(name, [init + timedelta(hours=lead) for lead in leads], truth)
            make_ensemble(init, leads, ensemble).to_netcdf(tmp_path / name)
            written.append(tmp_path / "scores" / "trial" / name)
            score_case(tmp_path / name, [fields], written[-1], 0, scores)
        return written

    return score


@pytest.fixture
def score_storms(score_cases: Callable[..., list[Path]]) -> Callable[..., list[Path]]:
    """Score REFC at 1 h, of members (member, y, x) and truth (y, x) of each case: the files."""

    def score(cases: list[tuple[np.ndarray, np.ndarray]], scores: Scores) -> list[Path]:
        one = [({"REFC": members[:, None]}, {"REFC": truth[None]}) for members, truth in cases]
        return score_cases(one, scores)

    return score


@pytest.fixture(scope="session")
def make_system() -> Callable[..., xr.Dataset]:
    """A system as `load_systems` gives it, from sums that are given for (init, variable, lead).

    What is not given is as in `write_statistics`; there are no tables.
    """

    def make(
        inits: Sequence[str], variables: list[str], leads: list[int], **given: np.ndarray | float
    ) -> xr.Dataset:
        shape = (len(inits), len(variables), len(leads))
        values = _sums(shape)
        for name, value in given.items():
            values[name] = np.broadcast_to(np.asarray(value, values[name].dtype), shape)
        times = [np.datetime64(datetime.strptime(init, "%Y%m%d%H"), "ns") for init in inits]
        return xr.Dataset(
            {name: (("init", "variable", "lead"), value) for name, value in values.items()},
            coords={
                "init": times,
                "variable": np.array(variables, object),
                "lead": np.array(leads, np.int32),
                "gap": ("init", np.full(len(inits), "", object)),
            },
        )

    return make


def _sums(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The sums of one number in a score file where nothing else is known."""
    scalars = {name: own for name, own in registry.sums().items() if own.dims == ("region",)}
    values = {name: np.zeros(shape, own.kind) for name, own in scalars.items()}
    values |= {"weight_sum": np.full(shape, 10.0), "points": np.full(shape, 10)}
    values["members"] = np.full(shape, 3)
    values["crps_gaussian_fair_sum"] = np.full(shape, np.nan)
    return values


@pytest.fixture
def write_statistics(tmp_path: Path) -> Callable[..., Path]:
    """Write a score file from sums (variable, lead); what is not given is 0, members are 3.

    Nobody says of how many members a mean and spread are.

    Tables are given with all their dimensions, the region first.
    """

    def write(
        system: str,
        init: str,
        variables: list[str],
        leads: list[int],
        **given: np.ndarray | float | list,
    ) -> Path:
        shape = (len(variables), len(leads), 1)
        dims = ("variable", "lead", "region")
        values = _sums(shape)
        rank_counts = np.asarray(given.pop("rank_counts", np.zeros((*shape[:2], 4), np.int64)))
        tables = {name: np.asarray(given.pop(name)) for name in registry.tables() if name in given}
        for name, value in given.items():
            array = np.broadcast_to(np.asarray(value, values[name].dtype), shape[:2])
            values[name] = array[..., None]
        dataset = xr.Dataset(
            {name: (dims, value) for name, value in values.items()},
            coords={
                "variable": np.array(variables, object),
                "lead": ("lead", np.array(leads, np.int32), {"units": "h"}),
                "init": np.datetime64(datetime.strptime(init, "%Y%m%d%H"), "ns"),
                "region": np.array(["domain"], object),
            },
        )
        dataset["rank_counts"] = ((*dims, "rank"), rank_counts[:, :, None])
        for name, value in tables.items():
            dataset[name] = (("variable", "lead", *registry.sums()[name].dims), value)
        path = tmp_path / "scores" / system / f"{init}.nc"
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.to_netcdf(path, engine="netcdf4")
        return path

    return write
