"""The same points for all systems: what one lacks is left out of the others."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from stormdraw.files import replacing
from stormdraw.scores.case import score_case
from stormdraw.scores.points import CommonPoints
from stormdraw.scores.settings import WHOLE_DOMAIN, Scores


@dataclass(frozen=True)
class CaseFiles:
    """The files of one system for one case: its ensemble and its own statistics."""

    ensemble: Path
    statistics: Path


def score_in_common(
    systems: Mapping[str, CaseFiles],
    truth_paths: Sequence[Path],
    outputs: Mapping[str, Path],
    run_seed: int,
    scores: Scores,
    threads: int = 1,
) -> bool:
    """Write each system's statistics of one case over the points that no system lacks.

    Mostly no system lacks any: then what each was scored on by itself stands, and True is returned.
    Else all are scored anew, on the points they have in common.
    """
    if same_points([files.statistics for files in systems.values()]):
        now = time.time_ns()
        for name, files in systems.items():
            _take_over(files.statistics, outputs[name], now)
        return True
    in_common = CommonPoints(files.ensemble for files in systems.values())
    for name, files in systems.items():
        score_case(files.ensemble, truth_paths, outputs[name], run_seed, scores, in_common, threads)
    return False


def same_points(paths: Sequence[Path]) -> bool:
    """Whether the statistics of all systems are of the same leads and points."""
    found: dict[tuple[str, int], set[int]] = {}
    leads: set[tuple[int, ...]] = set()
    for path in paths:
        with xr.open_dataset(path, engine="netcdf4", decode_timedelta=False) as statistics:
            checksums = statistics["mask_checksum"].sel(region=WHOLE_DOMAIN).load()
        leads.add(tuple(checksums["lead"].values))
        for name in checksums["variable"].values:
            for lead in checksums["lead"].values:
                own = int(checksums.sel(variable=name, lead=lead))
                found.setdefault((str(name), int(lead)), set()).add(own)
    return len(leads) == 1 and all(len(checksums) == 1 for checksums in found.values())


def _take_over(source: Path, target: Path, now: int) -> None:
    """The same file under another name, where the file system can, else a copy; no older.

    A linked file has one time under both names. All systems' get the same one, `now` in nanoseconds
    since 1970: else the first output would be older than the last input.
    """
    with replacing(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
        os.utime(temporary, ns=(now, now))
