"""Warnings from some probability on, against another library on the same points."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scored_fields import storms_of_sizes
from scores.categorical import BinaryContingencyManager

from stormdraw.scores.settings import Scores
from stormdraw.scores.statistics.warnings import equitable_threat_score
from stormdraw.scores.summary import summarise

# 3 of 10 members are a probability of 0.3, which is no sum of tenths in binary.
SIZES = (10, 4, 3)
PROBABILITIES = [0.1, 0.25, 0.3, 1 / 3, 1.0]
SCORES = Scores(
    thresholds={"REFC": [15.0, 20.0]},
    neighbourhoods=[1],
    probabilities=PROBABILITIES,
    area_weights=False,
)


@pytest.fixture
def cases(random: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    return storms_of_sizes(random, SIZES)


@pytest.fixture
def summary(
    score_storms: Callable[..., list[Path]], cases: list[tuple[np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    return summarise({"trial": score_storms(cases, SCORES)}, SCORES, 0)


def test_warnings_of_all_sizes_equal_another_library(
    summary: pd.DataFrame, cases: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    for threshold in (15.0, 20.0):
        event = np.concatenate([(truth >= threshold).ravel() for _, truth in cases])
        for probability in PROBABILITIES:
            # In whole members, so that nothing is rounded.
            warned = np.concatenate(
                [
                    ((members >= threshold).sum(axis=0) >= math.ceil(probability * size - 1e-6))
                    .ravel()
                    .astype(float)
                    for (members, _), size in zip(cases, SIZES, strict=True)
                ]
            )
            theirs = BinaryContingencyManager(
                xr.DataArray(warned, dims="point"), xr.DataArray(event * 1.0, dims="point")
            ).transform()
            rows = summary[
                (summary["threshold"] == f"{threshold:g}")
                # Tables have nine digits.
                & np.isclose(summary["probability"], probability, rtol=1e-8)
            ]
            assert dict(zip(rows["metric"], rows["value"], strict=True)) == pytest.approx(
                {
                    "csi": float(theirs.critical_success_index()),
                    "ets": float(theirs.gilberts_skill_score()),
                    "frequency_bias": float(theirs.frequency_bias()),
                }
            )


def test_ets_by_hand() -> None:
    # 30 warned and 40 events of 100 meet 12 times by chance: (20 - 12) / (50 - 12).
    assert equitable_threat_score(20.0, 10.0, 20.0, 50.0) == pytest.approx(8 / 38)
    assert equitable_threat_score(5.0, 0.0, 0.0, 5.0) == 1.0
    assert np.isnan(equitable_threat_score(0.0, 0.0, 0.0, 9.0))
