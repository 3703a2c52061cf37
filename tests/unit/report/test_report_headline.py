import copy
from typing import Any

import pandas as pd
import pytest
from report_run import DEMO

from stormdraw.report.headline import HeadlineTable, headline_table, step_of
from stormdraw.report.limits import limits
from stormdraw.report.style import looks
from stormdraw.report.wording import MINUS, NARROW
from stormdraw.settings import Settings, load_settings

# (system, variable, lead, metric, members, value, ci_low, ci_high)
ROWS = [
    ("ddpm_residual", "T2M", 1, "crps_fair", 50, 0.6, None, None),
    ("ddpm_residual", "T2M", 2, "crps_fair", 50, 0.9, None, None),
    ("ddpm_residual", "T2M", 1, "crps_skill", 50, 0.4, 0.1, 0.5),
    ("ddpm_residual", "T2M", 2, "crps_skill", 50, 0.1, 0.05, 0.2),
    ("href", "T2M", 1, "crps_fair", 10, 1.0, None, None),
    ("href", "T2M", 2, "crps_fair", 10, 1.0, None, None),
    ("persistence", "T2M", 1, "crps_fair", 1, 1.02, None, None),
    ("persistence", "T2M", 2, "crps_fair", 1, 2.0, None, None),
    ("persistence", "T2M", 1, "crps_skill", 1, -0.02, -0.3, 0.2),
    ("persistence", "T2M", 2, "crps_skill", 1, -1.0, -1.5, -0.5),
    ("href_mean_spread", "T2M", 1, "crps_gaussian", 0, 1.1, None, None),
    ("href_mean_spread", "T2M", 2, "crps_gaussian", 0, 1.1, None, None),
    ("href", "T2M", 1, "crps_gaussian", 10, 1.1, None, None),
    ("href", "T2M", 2, "crps_gaussian", 10, 1.0, None, None),
    ("ddpm_residual", "REFC", 1, "crps_fair", 50, 2.5, None, None),
    ("ddpm_residual", "REFC", 2, "crps_fair", 50, 3.5, None, None),
]


def settings(reference: str | None = "href", **changes: Any) -> Settings:
    config = {**copy.deepcopy(DEMO), **changes}
    config["scores"] = {"reference": reference}
    return load_settings(config)


def summary(rows: list[tuple] = ROWS, **changes: Any) -> pd.DataFrame:
    columns = ["system", "variable", "lead_hours", "metric", "members", "value"]
    table = pd.DataFrame(rows, columns=[*columns, "ci_low", "ci_high"])
    # The metrics that every real summary has.
    table = table.astype({"ci_low": float, "ci_high": float}).assign(cases=5, **changes)
    others = [
        table.drop_duplicates(["system", "variable", "lead_hours"]).assign(metric=metric, value=1.0)
        for metric in ("rmse", "spread_error_ratio")
    ]
    return pd.concat([table, *others], ignore_index=True)


def cells(table: HeadlineTable, variable: str) -> dict[str, Any]:
    row = next(row for row in table.rows if row.name == variable)
    return {column.name: cell for column, cell in zip(table.columns, row.cells, strict=True)}


def percent(text: str) -> str:
    return text.replace("-", MINUS) + f"{NARROW}%"


def test_skill_is_of_means_over_leads() -> None:
    # 1 - (0.6 + 0.9) / (1 + 1)
    cell = cells(headline_table(summary(), settings()), "T2M")["ddpm_residual"]
    assert (cell.crps, cell.skill, cell.tone, cell.step) == ("0.750", percent("+25"), "better", 4)
    assert cell.best


def test_worse_is_red_and_says_so() -> None:
    cell = cells(headline_table(summary(), settings()), "T2M")["persistence"]
    assert (cell.skill, cell.tone, cell.step, cell.best) == (percent("-51"), "worse", 5, False)


def test_only_an_interval_without_zero_at_every_lead_is_sure() -> None:
    table = headline_table(summary(), settings())
    assert cells(table, "T2M")["ddpm_residual"].sure
    assert not cells(table, "T2M")["persistence"].sure
    assert table.any_interval
    without = headline_table(summary(ci_low=float("nan")), settings())
    assert not cells(without, "T2M")["ddpm_residual"].sure
    assert not without.any_interval


def test_a_gaussian_is_compared_with_a_gaussian() -> None:
    cell = cells(headline_table(summary(), settings()), "T2M")["href_mean_spread"]
    # 1 - (1.1 + 1.1) / (1.1 + 1.0)
    assert (cell.crps, cell.skill) == ("1.10", percent("-5"))
    assert cell.gaussian
    assert cell.skill_gaussian
    assert not cell.best


def test_the_reference_says_what_it_is() -> None:
    cell = cells(headline_table(summary(), settings()), "T2M")["href"]
    assert (cell.skill, cell.tone, cell.step) == ("reference", "", 0)


def test_a_variable_the_reference_lacks_is_a_stated_gap() -> None:
    table = headline_table(summary(), settings())
    found = cells(table, "REFC")
    assert found["ddpm_residual"].skill == "not in reference"
    assert found["href"].crps == ""
    assert "The reference href lacks REFC: there is no skill for it." in limits(settings(), table)


def test_without_a_reference_there_is_no_skill() -> None:
    table = headline_table(summary(), settings(None))
    assert {cell.skill for row in table.rows for cell in row.cells} == {""}
    assert table.sentences == []
    assert any("No reference is set" in sentence for sentence in limits(settings(None), table))


def test_an_exact_reference_leaves_no_skill() -> None:
    exact = summary()
    exact.loc[exact["system"] == "href", "value"] = 0.0
    cell = cells(headline_table(exact, settings()), "T2M")["ddpm_residual"]
    assert (cell.skill, cell.tone) == ("reference is exact", "")


def test_rows_and_columns_are_in_their_usual_order() -> None:
    table = headline_table(summary(), settings())
    assert [row.name for row in table.rows] == ["REFC", "T2M"]
    assert [column.name for column in table.columns] == [
        "ddpm_residual",
        "href",
        "href_mean_spread",
        "persistence",
    ]
    assert [column.size for column in table.columns] == [
        "50 members",
        "10 members",
        "mean and spread",
        "1 member",
    ]
    assert table.columns[0].colour == looks(settings())["ddpm_residual"].colour


def test_sentences_count_the_variables() -> None:
    sentences = headline_table(summary(), settings()).sentences
    assert sentences[0] == (
        "ddpm_residual is better than href in 1 of 1 variables; its median skill is "
        f"{percent('+25')}."
    )


@pytest.mark.parametrize(
    ("skill", "step"), [(0.019, 0), (-0.02, 1), (0.07, 2), (0.1, 3), (-0.25, 4), (3.0, 5)]
)
def test_colours_grow_with_skill(skill: float, step: int) -> None:
    assert step_of(skill) == step


def test_limits_are_those_of_the_run() -> None:
    table = headline_table(summary(), settings())
    told = " ".join(limits(settings(), table))
    assert "The archive is simulated" in told
    assert "rest on 5 cases only: small" in told
    assert "not exchangeable" in told
    assert "The perfect ensemble" in told
    assert "The truth is the simulated analysis" in told
    systems = [
        system
        for system in copy.deepcopy(DEMO)["ensembles"]["systems"]
        if system["method"] in ("diffusion", "baseline")
    ]
    real = settings(
        "persistence",
        archive={"source": ["aws"], "analysis_lead": 1},
        variables=["T2M"],
        ensembles={"systems": systems},
    )
    told = " ".join(limits(real, headline_table(summary(), real)))
    assert "1 h forecasts stand in for the analysis" in told
    assert "no reflectivity" in told
    assert "favours systems made from HRRR" in told
    for absent in ("simulated", "exchangeable", "perfect ensemble"):
        assert absent not in told
