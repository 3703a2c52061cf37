"""A case from GRIB2 to its scores, as the workflow makes it, and what is needed to check it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from grib_manifests import write_manifest

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.ensembles.files import Case, ensemble_file
from stormdraw.fields.normalise import normalise_day
from stormdraw.fields.percentiles import Percentiles
from stormdraw.fields.settings import Fields
from stormdraw.fields.states import read_grid_of
from stormdraw.fields.writing import Destination
from stormdraw.scores.case import score_case
from stormdraw.scores.check.agreement import write_check
from stormdraw.scores.check.opinion import CaseFiles, Run, write_opinion
from stormdraw.scores.check.truth import Origin
from stormdraw.scores.points import CommonPoints, write_points
from stormdraw.scores.settings import Scores
from stormdraw.seeds import generator_for

ARCHIVE = HRRR.crop(slice(480, 503), slice(880, 909))
INIT = datetime(2026, 6, 8, 6)
LEADS = (1, 2)
STATE = ["REFC", "T2M", "U10", "V10", "CIN"]
SEED = 7
# Temperatures of the archive are on steps of a quarter, so that some are exactly the threshold.
SCORES = Scores(
    thresholds={"REFC": [20, 30], "T2M": [285, "<= 284.3"], "CIN": ["<= -50"], "WIND10": [5]},
    maps=False,
    neighbourhoods=[1],
)


def fields_of_hour(lead: int) -> dict[str, np.ndarray]:
    """Storms on a floor, temperatures, a wind, and inhibition that is often none, (y, x)."""
    random = generator_for(SEED, "archive", lead)
    rough = np.clip(random.normal(size=(4, *ARCHIVE.shape)), -3, 3)
    slope = np.linspace(-3.0, 3.0, ARCHIVE.shape[0])[:, None]
    return {
        "REFC": np.where(rough[0] > 0.3, 15 * rough[0] + slope, 0.0) - 10.0,
        "T2M": np.round(4 * (285 + slope + 2 * rough[1])) / 4,
        "U10": 4 + slope + 3 * rough[2],
        "V10": 3 * rough[3],
        "CIN": -np.maximum(0.0, np.round(60 * rough[1])),
    }


@dataclass
class CheckedCase:
    """The files of a case below `folder`, and the settings that they were made with."""

    folder: Path
    fields: Fields
    manifests: list[Path]
    truth: list[Path]
    ensemble: Path
    percentiles: Path | None = None
    scores: Scores = SCORES

    @property
    def points(self) -> Path:
        return self.folder / "points.nc"

    def score(self) -> Path:
        """The file of our own sums."""
        path = self.folder / "scores" / "trial" / f"{INIT:%Y%m%d%H}.nc"
        write_points([self.ensemble], LEADS, self.points)
        climate = Percentiles(self.percentiles) if self.percentiles else None
        common = CommonPoints(self.points)
        score_case(self.ensemble, self.truth, path, SEED, self.scores, common, climate)
        return path

    def opinion(self, on_grid: bool = True, **more: Any) -> pd.DataFrame:
        """What other libraries say."""
        origin = Origin(self.manifests, on_grid, no_echo=-10.0)
        run = Run(
            SEED,
            LEADS,
            dict.fromkeys(STATE, origin),
            self.fields,
            self.scores.thresholds,
            self.scores.area_weights,
            self.percentiles,
        )
        files = CaseFiles(self.ensemble, self.points, self.truth)
        return write_opinion(files, run, self.folder / "opinion.csv", **more)

    def check(self, statistics: Path) -> pd.DataFrame:
        """Both together, as the rule does it."""
        opinions = {"trial": self.folder / "opinion.csv"}
        output = self.folder / "check.csv"
        return write_check(opinions, {"trial": statistics}, self.scores, SEED, output)


def make_case(folder: Path, members: int = 6, packed: bool = True, **fields: Any) -> CheckedCase:
    """From messages on the archive's grid; `fields` is the section of a configuration."""
    settings = Fields(**fields)
    manifests, truth = [], []
    for lead in LEADS:
        hour = folder / "archive" / "hrrr" / f"hour{lead}"
        manifests.append(write_manifest(hour, messages(lead)))
        truth.append(folder / "fields" / f"hour{lead}.nc")
        destination = Destination(truth[-1], folder / "quality.csv", settings, {})
        normalise_day(manifests[-1], STATE, destination, no_echo=-10.0)
    ensemble = folder / "ensemble.nc"
    write_members(ensemble, truth, members, packed)
    return CheckedCase(folder, settings, manifests, truth, ensemble)


def messages(lead: int, changed: Mapping[str, np.ndarray] | None = None, **more: Any) -> list[dict]:
    """Analyses of an hour."""
    valid = INIT + timedelta(hours=lead)
    common = {
        **{"grid": ARCHIVE, "longitude_of_orientation": 262.5, "latitude_of_tangency": 38.5},
        **{"init": valid, "lead": 0, **more},
    }
    fields = fields_of_hour(lead) | dict(changed or {})
    return [{"message": {"name": name, "values": own, **common}} for name, own in fields.items()]


def write_members(
    path: Path, truth: Sequence[Path], members: int, packed: bool, lost: Sequence[int] = ()
) -> None:
    """The truth and an error, within the bounds of each variable; `lost` members have no value."""
    case = Case("trial", "diffusion", INIT, LEADS, STATE)
    grid = read_grid_of(truth[0])
    with ensemble_file(path, grid, case, range(members), {}, packed=packed) as put:
        for place, (lead, hour) in enumerate(zip(LEADS, truth, strict=True)):
            with xr.open_dataset(hour) as file:
                state = np.stack([file[name].values[0] for name in STATE])
            for member in range(members):
                error = generator_for(SEED, "member", member, lead).normal(size=state.shape)
                error *= np.array([8.0, 1.0, 2.0, 2.0, 30.0])[:, None, None]
                drawn = (np.nan_to_num(state, nan=280.0) + error).astype(np.float32)
                drawn[0] = np.maximum(drawn[0], -10.0)
                drawn[4] = np.minimum(drawn[4], 0.0)
                put(member, place, np.full_like(drawn, np.nan) if member in lost else drawn)


def write_mean_and_spread(path: Path, members: Path) -> None:
    """Of an ensemble file, as an ensemble publishes them; some spreads are 0."""
    with xr.open_dataset(members, decode_timedelta=False) as file:
        statistics = {
            f"{name}_{kind}": made.astype(np.float32)
            for name in (*STATE, "WIND10")
            for kind, made in (
                ("mean", file[name].mean("member")),
                ("spread", file[name].std("member", ddof=1)),
            )
        }
        others = file.drop_vars([*STATE, "WIND10", "member"])
        others.assign(statistics).to_netcdf(path, engine="netcdf4")
