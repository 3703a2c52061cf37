import json
from pathlib import Path

import pytest
from report_run import Run

from stormdraw.report.headline_numbers import headline_numbers, write_headline
from stormdraw.report.summary import load_summary
from stormdraw.scores.headline import headline


def test_the_numbers_are_those_of_the_headline(demo_run: Run, tmp_path: Path) -> None:
    write_headline(demo_run.settings, demo_run.summary, tmp_path / "headline.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    numbers = json.loads((tmp_path / "headline.json").read_text(), parse_constant=refuse)
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


def test_nothing_scored_is_an_empty_list(demo_run: Run) -> None:
    numbers = headline_numbers(load_summary(demo_run.summary).iloc[:0], demo_run.settings)
    assert (numbers["scores"], numbers["winner"], numbers["cases"]) == ([], None, 0)
