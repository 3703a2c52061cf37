import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_run import DEMO, Run

from stormdraw.report.headline_numbers import headline_numbers, write_headline
from stormdraw.report.summary import load_summary
from stormdraw.scores.headline import headline
from stormdraw.scores.overall import COLUMNS
from stormdraw.scores.summary import COLUMNS as SUMMARY
from stormdraw.scores.summary import read_summary, write_summary
from stormdraw.settings import load_settings


def written(run: Run, folder: Path) -> dict[str, Any]:
    """The content of headline.json of a run, which must be JSON without NaN."""
    stations = (run.stations["summary"], run.stations["overall"]) if run.stations else None
    write_headline(run.settings, (run.summary, run.overall), stations, folder / "headline.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = (folder / "headline.json").read_text()
    numbers: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return numbers


def test_the_numbers_are_those_of_the_headline(demo_run: Run, tmp_path: Path) -> None:
    numbers = written(demo_run, tmp_path)
    table = headline(load_summary(demo_run.summary), "href").set_index(["system", "variable"])
    assert len(numbers["scores"]) == len(table)
    for entry in numbers["scores"]:
        row = table.loc[(entry["system"], entry["variable"])]
        for key in ("crps_fair", "skill", "spread_error_ratio"):
            expected = row[key]
            assert entry[key] == (
                pytest.approx(expected, rel=1e-5) if expected == expected else None
            )
    assert numbers["scores"][0]["units"]
    assert (numbers["reference"], numbers["cases"]) == ("href", 2)
    assert numbers["leads_hours"] == [1, 2, 3]
    assert numbers["winner"]["system"] == "ddpm_residual"
    assert numbers["simulated"] is True
    fair = table["crps_fair"]
    assert numbers["perfect"] == "perfect"
    # One ratio for each of 3 leads; the mean over leads is a ratio of means, and so in between.
    ratios = [
        entry["crps_ratio"]
        for entry in numbers["against_perfect"]
        if (entry["system"], entry["variable"]) == ("ddpm_residual", "T2M")
    ]
    assert len(ratios) == 3
    assert min(ratios) <= fair["ddpm_residual", "T2M"] / fair["perfect", "T2M"] <= max(ratios)


def test_skills_stand_with_their_intervals(tmp_path: Path) -> None:
    rows = [
        ("trial", "href", "T2M", "crps_fair", 2, 20, 15.0, 0.9, 1.0, 0.1, 0.05, 0.15, "better"),
        (
            "trial",
            "href",
            "all",
            "crps_fair",
            2,
            20,
            15.0,
            np.nan,
            np.nan,
            0.1,
            0.0,
            0.2,
            "undecided",
        ),
        ("trial", "other", "T2M", "crps_fair", 2, 20, 15.0, 0.9, 1.8, 0.5, 0.4, 0.6, "better"),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    settings = load_settings(DEMO)
    numbers = headline_numbers(pd.DataFrame(columns=list(SUMMARY)), table, settings)
    assert numbers["confidence"] == 0.95
    of_t2m, of_all = numbers["against_reference"]
    assert "reference" not in of_t2m
    assert (of_t2m["skill"], of_t2m["ci_low"], of_t2m["ci_high"]) == (0.1, 0.05, 0.15)
    assert (of_t2m["system"], of_t2m["verdict"], of_t2m["days"]) == ("trial", "better", 20)
    assert (of_all["variable"], of_all["value"], of_all["verdict"]) == ("all", None, "undecided")


def test_stations_have_scores_of_their_own(demo_run: Run, tmp_path: Path) -> None:
    numbers = written(demo_run, tmp_path)
    at_stations = pd.read_csv(demo_run.stations["summary"])
    rows = at_stations[
        (at_stations["which"] == "all")
        & (at_stations["system"] == "href")
        & (at_stations["variable"] == "T2M")
        & (at_stations["metric"] == "crps_fair")
    ]
    expected = rows["value"].mean()
    (entry,) = [
        one
        for one in numbers["stations"]["scores"]
        if (one["system"], one["variable"]) == ("href", "T2M")
    ]
    assert entry["crps_fair"] == pytest.approx(expected, rel=1e-5)
    # The reports have errors of a degree, the fields have none.
    (of_fields,) = [
        one for one in numbers["scores"] if (one["system"], one["variable"]) == ("href", "T2M")
    ]
    assert entry["crps_fair"] > of_fields["crps_fair"]
    compared = {row["system"] for row in numbers["stations"]["against_reference"]}
    assert compared == {one.name for one in demo_run.settings.ensembles.systems} - {"href"}


def test_stations_held_out_are_not_mixed_with_all(demo_run: Run, tmp_path: Path) -> None:
    before = written(demo_run, tmp_path)["stations"]
    table = read_summary(demo_run.stations["summary"])
    apart = table.assign(which="held_out", value=2.0 * table["value"])
    write_summary(pd.concat([table, apart]), tmp_path / "stations.csv")
    stations = {**demo_run.stations, "summary": tmp_path / "stations.csv"}
    assert written(replace(demo_run, stations=stations), tmp_path)["stations"] == before


def test_nothing_scored_is_an_empty_list(demo_run: Run) -> None:
    nothing = pd.DataFrame(columns=list(COLUMNS))
    numbers = headline_numbers(load_summary(demo_run.summary).iloc[:0], nothing, demo_run.settings)
    assert (numbers["scores"], numbers["winner"], numbers["cases"]) == ([], None, 0)
    assert (numbers["against_reference"], numbers["stations"]) == ([], None)
