"""The scores of a case by other people's libraries.

They are `results/scores/second_opinion/{system}/{init}.csv`: those of the summary, over the whole
domain.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stormdraw.fields.settings import Fields
from stormdraw.files import replacing
from stormdraw.scores.check.chosen import chosen_fields
from stormdraw.scores.check.forecast import (
    Forecast,
    areas,
    open_file,
    points_in_common,
    variables_of,
)
from stormdraw.scores.check.libraries import (
    Limits,
    Means,
    along_points,
    of_gaussian,
    of_members,
    rank_counts,
)
from stormdraw.scores.check.truth import Origin, TruthOfCase
from stormdraw.scores.check.values import Scored, values_of
from stormdraw.scores.parameters import PARAMETERS
from stormdraw.scores.threshold import Threshold
from stormdraw.seeds import generator_for
from stormdraw.times import format_init

# How many values (members x points x fields) of a case are scored: two minutes' work.
MOST_VALUES = 400_000_000

COLUMNS = (
    *("system", "init", "variable", "lead_hours", "metric", *PARAMETERS),
    *("library", "starts_from", "sample", "theirs", "relative_to", "scale"),
)

# It is read from the library's description, which is long.
_version_of = functools.cache(version)


@dataclass(frozen=True)
class Run:
    """What the scores of a run depend on.

    `origins` and `thresholds` are by variable; `percentiles` is the file of those of the training
    times, if a threshold is one.
    """

    seed: int
    leads: Sequence[int]
    origins: Mapping[str, Origin]
    fields: Fields
    thresholds: Mapping[str, Sequence[Threshold]]
    area_weights: bool = True
    percentiles: Path | None = None


@dataclass(frozen=True)
class CaseFiles:
    """The files of a case: the ensemble, the points that count, and the truth as NetCDF."""

    ensemble: Path
    points: Path
    truth: Sequence[Path]


def write_opinion(
    files: CaseFiles, run: Run, output: Path, most_values: int = MOST_VALUES
) -> pd.DataFrame:
    """Score a case by other libraries, write the table with COLUMNS, and return it.

    `theirs` is the score; differences to it are relative to `scale`, the value of the score
    `relative_to`. Of an ensemble with more than `most_values` values only some fields are scored,
    chosen by the seed; `sample` says how many.

    Raises StormdrawError as `TruthOfCase.field` does.
    """
    rows: list[dict] = []
    with open_file(files.ensemble) as ensemble:
        case = _Case(ensemble, files, run)
        names, system = variables_of(ensemble), ensemble.attrs["system"]
        every = len(names) * len(run.leads)
        size = math.prod(ensemble.sizes.get(dim, 2) for dim in ("member", "y", "x"))
        most = max(1, most_values // size)
        chosen = chosen_fields(run.seed, system, names, run.leads, most)
        sample = "all" if len(chosen) == every else f"{len(chosen)} of {every} fields"
        for name, lead in chosen:
            scored, starts_from = case.score(name, lead)
            labels = {
                **{"system": system, "init": case.init, "variable": name, "lead_hours": lead},
                **{**PARAMETERS, "starts_from": starts_from, "sample": sample},
            }
            for one in values_of(scored):
                known = asdict(one) | {"library": f"{one.library} {_version_of(one.library)}"}
                rows.append(labels | known | {"theirs": known.pop("value")})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    with replacing(output) as temporary:
        table.to_csv(temporary, index=False, float_format="%.17g", lineterminator="\n")
    return table


class _Case:
    def __init__(self, ensemble: xr.Dataset, files: CaseFiles, run: Run) -> None:
        self._ensemble, self._points, self._run = ensemble, files.points, run
        init = ensemble["init"].values.astype("datetime64[s]").item()
        self.init = format_init(init)
        self._truth = TruthOfCase(run.origins, files.truth, init, ensemble, run.fields)
        self._shape = (ensemble.sizes["y"], ensemble.sizes["x"])
        self._areas = areas(ensemble) if run.area_weights else np.ones(self._shape)

    def score(self, name: str, lead: int) -> tuple[Scored, str]:
        """The scores of a field where its truth is known, and where that starts from.

        Systems are compared on the same points, so none counts if the forecast lacks one of them.
        """
        truth, starts_from = self._truth.field(name, lead)
        if lead not in self._ensemble["lead"].values:
            return Scored(0, 0, {}), starts_from
        counts = points_in_common(self._points, name, lead, self._shape) & np.isfinite(truth)
        forecast = Forecast(self._ensemble, name, lead)
        random = generator_for(self._run.seed, "ranks", self.init, name, lead).random(truth.shape)
        ranks = np.zeros(forecast.members + 1, np.int64)
        total, sums = 0.0, Means()
        for rows, parts in forecast.bands():
            here = counts[rows]
            if not here.any():
                continue
            values = [part[..., here] for part in parts]
            if not all(np.isfinite(part).all() for part in values):
                return Scored(0, 0, {}), starts_from
            own = [along_points(part.T) for part in values]
            seen, weights = along_points(truth[rows][here]), along_points(self._areas[rows][here])
            limits = self._limits(name, rows, here)
            if forecast.members:
                means = of_members(own[0], seen, weights, limits)
                ranks += rank_counts(own[0], seen, random[rows][here])
            else:
                means = of_gaussian(own[0], own[1], seen, weights, limits)
            weight = float(weights.sum())
            total += weight
            sums = {key: sums.get(key, 0.0) + weight * mean for key, mean in means.items()}
        averages = {key: value / total for key, value in sums.items()}
        several = forecast.members > 1
        scored = Scored(int(counts.sum()), forecast.members, averages, ranks if several else None)
        return scored, starts_from

    def _limits(self, name: str, rows: slice, here: np.ndarray) -> list[Limits]:
        """The thresholds of a variable at some points of some rows."""
        limits = []
        for own in self._run.thresholds.get(name, ()):
            exact: np.ndarray | float = own.number
            if own.percentile:
                with open_file(self._run.percentiles) as file:  # type: ignore[arg-type]
                    exact = file[f"{name}_p{own.number:.9g}"].isel(y=rows).values[here]
            limits.append(Limits(own, np.asarray(exact, np.float32).astype(np.float64), exact))
        return limits
