import numpy as np
import pandas as pd
import pytest

from stormdraw.scores.headline import headline, headline_text
from stormdraw.scores.summary import COLUMNS
from stormdraw.variables import DEFAULT_STATE

VALUES = dict[str, tuple[float, float]]


def summary_of(scores: dict[tuple[str, str], VALUES], members: int = 10) -> pd.DataFrame:
    """Scores at 1 and 3 h by system and variable."""
    rows = [
        (system, variable, lead, metric, members, 4, value)
        for (system, variable), metrics in scores.items()
        for metric, values in metrics.items()
        for lead, value in zip((1, 3), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[:7]))


def scores(fair: tuple[float, float], gaussian: tuple[float, float] = (1.0, 1.0)) -> VALUES:
    return {
        "crps_fair": fair,
        "crps_gaussian": gaussian,
        "rmse": (1.0, 2.0),
        "spread_error_ratio": (0.5, 1.0),
    }


GAUSSIAN = {"crps_gaussian": (2.0, 6.0), "rmse": (1.0, 1.0), "spread_error_ratio": (1.0, 1.0)}
ENSEMBLES = summary_of(
    {
        ("href", "T2M"): scores((1.0, 3.0)),
        ("trial", "T2M"): scores((0.5, 1.0)),
        ("trial", "REFC"): scores((2.0, 4.0)),
    }
)


def test_leads_are_averaged_by_hand() -> None:
    table = headline(ENSEMBLES, "href")
    assert list(zip(table["system"], table["variable"], strict=True)) == [
        ("href", "T2M"),
        ("trial", "REFC"),
        ("trial", "T2M"),
    ]
    np.testing.assert_allclose(table["crps_fair"], [2.0, 3.0, 0.75])
    # 1 - 0.75 / 2, not the mean of 1/2 and 2/3; the reference has no REFC.
    np.testing.assert_allclose(table["skill"], [0.0, np.nan, 0.625])
    assert list(table["skill_of"]) == ["crps_fair", "", "crps_fair"]
    # sqrt((0.25 * 1 + 1 * 4) / (1 + 4))
    np.testing.assert_allclose(table["spread_error_ratio"], np.sqrt(0.85))
    assert (table["members"] == 10).all()
    assert (table["cases"] == 4).all()
    assert (table["leads"] == 2).all()


def test_a_gaussian_reference_is_compared_with_gaussian_scores() -> None:
    summary = summary_of({("href", "T2M"): GAUSSIAN, ("trial", "T2M"): scores((1.0, 1.0))})
    table = headline(summary, "href").set_index("system")
    assert table.loc["trial", "skill"] == pytest.approx(1 - 1.0 / 4.0)
    assert table.loc["trial", "skill_of"] == "crps_gaussian"
    assert np.isnan(table.loc["href", "crps_fair"])
    text = headline_text(table.reset_index(), "href", [])
    assert "4 g" in text
    assert "0.75 g" in text
    assert "compare it only with other g values" in text


def test_a_gaussian_reference_of_known_size_is_compared_without_it() -> None:
    fair = {"crps_gaussian_fair": (1.0, 3.0)}
    summary = summary_of(
        {("href", "T2M"): GAUSSIAN | fair, ("trial", "T2M"): scores((1.0, 1.0)) | fair}
    )
    table = headline(summary, "href").set_index("system")
    assert table.loc["trial", "skill"] == 0.0
    assert table.loc["trial", "skill_of"] == "crps_gaussian_fair"
    assert "0.00 g" in headline_text(table.reset_index(), "href", [])


def test_undefined_scores_stay_undefined() -> None:
    nothing = scores((0.0, 0.0)) | {"rmse": (0.0, 0.0), "spread_error_ratio": (np.nan, np.nan)}
    one_member = scores((1.0, 1.0)) | {"spread_error_ratio": (np.nan, np.nan)}
    table = headline(summary_of({("a", "CAPE"): nothing, ("b", "CAPE"): one_member}), "a")
    assert table["skill"].isna().all()
    assert table["spread_error_ratio"].isna().all()
    _, skill, ratio = headline_text(table, "a", []).split("\n\n")[:3]
    assert [line.split() for line in skill.splitlines()[2:]] == [["a", "-"], ["b", "-"]]
    assert [line.split() for line in ratio.splitlines()[2:]] == [["a", "-"], ["b", "-"]]


def test_without_a_reference_there_is_no_skill() -> None:
    table = headline(ENSEMBLES, None)
    assert table["skill"].isna().all()
    assert "Skill" not in headline_text(table, None, [])


def test_the_printed_table_has_the_expected_text() -> None:
    assert headline_text(headline(ENSEMBLES, "href"), "href", ["Of a truth.", "More."]) == (
        "CRPS (fair), mean of 2 leads: lower is better\n"
        "         REFC     T2M\n"
        "href        -       2\n"
        "trial       3    0.75\n"
        "\n"
        "Skill, 1 - CRPS / CRPS of href: above 0 is better\n"
        "         REFC     T2M\n"
        "href        -    0.00\n"
        "trial       -    0.62\n"
        "\n"
        "Spread-error ratio: 1 when calibrated\n"
        "         REFC     T2M\n"
        "href        -    0.92\n"
        "trial    0.92    0.92\n"
        "\n"
        "Cases: 4.\nOf a truth.\nMore.\n"
    )


def test_text_fits_a_terminal_of_100_columns() -> None:
    everything = {
        (system, variable): scores((1234.567, 0.0123))
        for system in ("a" * 60, "href")
        for variable in (*DEFAULT_STATE, "WIND10")
    }
    text = headline_text(headline(summary_of(everything), "href"), "href", ["true " * 50])
    assert max(len(line) for line in text.splitlines()) <= 100
