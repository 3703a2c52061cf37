"""The values of our scores beside those of four libraries, on the same ensembles and truth.

    python tests/comparisons/score_libraries.py [output.md]

Ours are those of a run: an ensemble file and a truth file are scored as the workflow does it, with
all points weighted alike since the libraries know no area weights. Ends with an error if any two
values differ by more than one part in a million. What a library does not have is left empty.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "stormdraw-compiled"))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import numpy as np
import properscoring
import scores.continuous
import scores.probability
import scores.spatial
import scoringrules
import xarray as xr
import xskillscore

from stormdraw.archive.base_models.hrrr import GRID as HRRR
from stormdraw.report.machine import processor
from stormdraw.scores.case import score_case
from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.probability_matched_mean import probability_matched_mean
from stormdraw.scores.summary import summarise

LIBRARIES = ("properscoring", "xskillscore", "scoringrules", "scores")
TOLERANCE = 1e-6
INIT = datetime(2026, 6, 8, 6)
SHAPE, MEMBERS = (40, 50), 10
STORM, BOX = 20.0, 5
Fields = Mapping[str, np.ndarray]
Values = dict[str, float]


def draw() -> tuple[Fields, Fields]:
    """Members (member, y, x) and truth (y, x): smooth temperatures, storms with a floor, a wind."""
    random = np.random.default_rng(20260608)
    members, truth = {}, {}
    for name, centre, spread in (("T2M", 290.0, 2.0), ("U10", 3.0, 2.0), ("V10", -1.0, 2.0)):
        base = centre + spread * random.normal(size=SHAPE)
        members[name] = (base + random.normal(size=(MEMBERS, *SHAPE))).astype(np.float32)
        truth[name] = (base + random.normal(size=SHAPE)).astype(np.float32)
    base = random.normal(5.0, 14.0, SHAPE)
    # No storms near the edge, where one library's boxes count what lies outside as no event.
    base[:BOX], base[-BOX:], base[:, :BOX], base[:, -BOX:] = -90.0, -90.0, -90.0, -90.0
    storms = np.maximum(base + random.normal(0.0, 8.0, (MEMBERS + 1, *SHAPE)), -10.0)
    members["REFC"], truth["REFC"] = (part.astype(np.float32) for part in (storms[1:], storms[0]))
    members["WIND10"] = np.hypot(members["U10"], members["V10"])
    return members, truth


def ours(members: Fields, truth: Fields, folder: Path) -> dict[tuple[str, str], float]:
    """By (variable, metric), from files as the workflow writes them."""
    grid = HRRR.crop(slice(500, 500 + SHAPE[0]), slice(900, 900 + SHAPE[1]))
    ensemble = xr.Dataset(
        {name: (("member", "lead", "y", "x"), field[:, None]) for name, field in members.items()},
        coords={"lead": ("lead", [1], {"units": "h"}), "init": INIT, **grid.coordinates()},
        attrs={"system": "trial", "method": "drawn"},
    )
    fields = xr.Dataset(
        {name: (("time", "y", "x"), field[None]) for name, field in truth.items()},
        coords={"time": [INIT.replace(hour=7)], **grid.coordinates()},
    )
    ensemble.to_netcdf(folder / "ensemble.nc")
    fields.to_netcdf(folder / "truth.nc")
    settings = Scores(
        thresholds={"REFC": [STORM]}, neighbourhoods=[BOX], variogram_lags=[1], area_weights=False
    )
    score_case(folder / "ensemble.nc", [folder / "truth.nc"], folder / "own.nc", 0, settings)
    table = summarise({"trial": [folder / "own.nc"]}, settings, 0)
    # There is one threshold, and one width.
    return dict(
        zip(zip(table["variable"], table["metric"], strict=True), table["value"], strict=True)
    )


def of_temperature(members: np.ndarray, truth: np.ndarray) -> dict[str, Values]:
    """Scores of a continuous variable by each library that has them."""
    forecast = xr.DataArray(members.reshape(MEMBERS, -1), dims=("member", "point"))
    observed = xr.DataArray(truth.ravel(), dims="point")
    values, y = forecast.values, observed.values
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    crps = scores.probability.crps_for_ensemble

    def share(counts: np.ndarray) -> float:
        return float(np.abs(counts / counts.sum() - 1 / counts.size).sum())

    return {
        "crps_standard": {
            "properscoring": properscoring.crps_ensemble(y, values, axis=0).mean(),
            "xskillscore": float(xskillscore.crps_ensemble(observed, forecast, dim="point")),
            "scoringrules": scoringrules.crps_ensemble(y, values, m_axis=0, estimator="nrg").mean(),
            "scores": float(crps(forecast, observed, "member", method="ecdf")),
        },
        "crps_fair": {
            "scoringrules": scoringrules.crps_ensemble(
                y, values, m_axis=0, estimator="fair"
            ).mean(),
            "scores": float(crps(forecast, observed, "member", method="fair")),
        },
        "crps_gaussian": {
            "properscoring": properscoring.crps_gaussian(y, mean, spread).mean(),
            "xskillscore": float(
                xskillscore.crps_gaussian(
                    observed,
                    xr.DataArray(mean, dims="point"),
                    xr.DataArray(spread, dims="point"),
                    dim="point",
                )
            ),
            "scoringrules": scoringrules.crps_normal(y, mean, spread).mean(),
        },
        "rmse": {
            "xskillscore": float(xskillscore.rmse(forecast.mean("member"), observed)),
            "scores": float(scores.continuous.rmse(forecast.mean("member"), observed)),
        },
        "bias": {
            "xskillscore": float(xskillscore.me(forecast.mean("member"), observed)),
            "scores": float(scores.continuous.additive_bias(forecast.mean("member"), observed)),
        },
        "rank_index": {
            "xskillscore": share(xskillscore.rank_histogram(observed, forecast).values),
            "scores": share(scores.probability.rank_histogram(forecast, observed, "member").values),
        },
        "variogram_standard": {"scoringrules": _variogram(members, truth)},
    }


def of_storms(members: np.ndarray, truth: np.ndarray) -> dict[str, Values]:
    """Scores of an event and of what lies above its threshold, by each library that has them."""
    forecast = xr.DataArray(members.reshape(MEMBERS, -1), dims=("member", "point"))
    observed = xr.DataArray(truth.ravel(), dims="point")
    values, y = forecast.values, observed.values
    event, exceeding = observed >= STORM, forecast >= STORM
    probability = exceeding.mean("member")
    brier = scores.probability.brier_score_for_ensemble
    tail = scores.probability.tail_tw_crps_for_ensemble
    # Between the shares of members, since 3 / 10 is not 0.3.
    steps = [0.0, *(np.arange(MEMBERS) + 0.5) / MEMBERS]
    curve = scores.probability.roc_curve_data(probability, event.astype(float), steps)
    return {
        f"threshold_weighted_crps_{kind}": {
            "scoringrules": scoringrules.twcrps_ensemble(
                y, values, a=STORM, m_axis=0, estimator=estimator
            ).mean(),
            "scores": float(tail(forecast, observed, "member", STORM, tail="upper", method=method)),
        }
        for kind, estimator, method in (("standard", "nrg", "ecdf"), ("fair", "fair", "fair"))
    } | {
        "brier": {
            "xskillscore": float(xskillscore.brier_score(event, probability)),
            "scoringrules": scoringrules.brier_score(
                event.values.astype(float), probability.values
            ).mean(),
            "scores": float(
                brier(forecast, observed, "member", STORM, fair_correction=False).squeeze()
            ),
        },
        "brier_fair": {
            "xskillscore": float(
                xskillscore.brier_score(event, exceeding, member_dim="member", fair=True)
            ),
            "scores": float(brier(forecast, observed, "member", STORM).squeeze()),
        },
        "roc_area": {
            "xskillscore": float(
                xskillscore.roc(event, probability, np.array(steps), return_results="area")
            ),
            "scores": float(curve["AUC"]),
        },
        "pmm_fss": {
            "scores": float(
                scores.spatial.fss_2d_single_field(
                    probability_matched_mean(members.reshape(MEMBERS, -1)).reshape(SHAPE),
                    truth,
                    event_threshold=STORM,
                    window_size=(BOX, BOX),
                    zero_padding=True,
                )
            )
        },
    }


def of_wind(members: Fields, truth: Fields) -> dict[str, Values]:
    """Scores of the wind as a vector."""
    drawn = np.stack([members[name].reshape(MEMBERS, -1).T for name in ("U10", "V10")], -1)
    seen = np.stack([truth[name].ravel() for name in ("U10", "V10")], -1)
    return {
        f"energy_{kind}": {
            "scoringrules": scoringrules.es_ensemble(seen, drawn, estimator=estimator).mean()
        }
        for kind, estimator in (("standard", "nrg"), ("fair", "fair"))
    }


def _variogram(members: np.ndarray, truth: np.ndarray) -> float:
    """Mean over neighbours of the score of two points, in which the library counts a pair twice."""
    pairs = []
    for axis in (1, 2):
        first, second = (np.delete(members, end, axis).reshape(MEMBERS, -1) for end in (-1, 0))
        seen = [np.delete(truth, end, axis - 1).ravel() for end in (-1, 0)]
        both = np.stack([first.T, second.T], -1)
        pairs.append(scoringrules.vs_ensemble(np.stack(seen, -1), both, p=0.5) / 2.0)
    return float(np.concatenate(pairs).mean())


def table(own: Mapping[tuple[str, str], float], theirs: Mapping[str, dict[str, Values]]) -> str:
    """Markdown; raises SystemExit where a library's value is another one."""
    lines = ["| score | ours | " + " | ".join(LIBRARIES) + " |", "|---|" + "---|" * 5]
    apart = []
    for variable, by_score in theirs.items():
        for score, values in by_score.items():
            mine = own[variable, score]
            cells = [f"{values[name]:.9g}" if name in values else "" for name in LIBRARIES]
            lines.append(f"| {variable} {score} | {mine:.9g} | {' | '.join(cells)} |")
            apart += [
                f"{variable} {score}: ours {mine}, {library} {value}"
                for library, value in values.items()
                if not abs(value - mine) <= TOLERANCE * abs(mine)
            ]
    if apart:
        raise SystemExit("\n".join(["values differ:", *apart]))
    return "\n".join(lines)


def main(output: str = "") -> None:
    members, truth = draw()
    with tempfile.TemporaryDirectory() as folder:
        own = ours(members, truth, Path(folder))
    theirs = {
        "T2M": of_temperature(members["T2M"].astype(np.float64), truth["T2M"].astype(np.float64)),
        "REFC": of_storms(members["REFC"].astype(np.float64), truth["REFC"].astype(np.float64)),
        "WIND10": of_wind(members, truth),
    }
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    text = (
        "# Our scores beside those of other libraries\n\n"
        "Written by `make compare-scores`: one ensemble of 10 members and its truth, drawn at "
        f"{SHAPE[0] * SHAPE[1]:,} points\nwith a fixed seed, scored by this workflow and by each "
        "library that has the score. The command fails\nwhere two values differ by more than one "
        "part in a million.\n\n"
        "Every run compares them on its own files as well: `scores_check` writes "
        "`results/scores/check.csv`\n"
        "([a second opinion](../config/README.md#a-second-opinion)).\n\n"
        f"{table(own, theirs)}\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, Python {platform.python_version()};\n"
        f"{versions}, numpy {np.__version__}.\n"
    )
    print(text)
    if output:
        Path(output).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
