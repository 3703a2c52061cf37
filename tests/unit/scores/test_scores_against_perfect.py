import numpy as np
import pandas as pd
import pytest

from stormdraw.scores.against_perfect import against_perfect, against_perfect_text
from stormdraw.scores.summary import COLUMNS


def summary_of(values: list[tuple[str, str, int, str, float]]) -> pd.DataFrame:
    rows = [
        (system, variable, lead, metric, 10, 4, value)
        for system, variable, lead, metric, value in values
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS[:7]))


SUMMARY = summary_of(
    [
        ("perfect", "T2M", 1, "crps_fair", 0.2),
        ("perfect", "T2M", 3, "crps_fair", 0.4),
        ("perfect", "REFC", 1, "crps_fair", 2.0),
        ("perfect", "CIN", 1, "crps_fair", 0.0),
        ("trial", "T2M", 1, "crps_fair", 0.25),
        ("trial", "T2M", 1, "spread_error_ratio", 0.9),
        ("trial", "T2M", 3, "crps_fair", 1.0),
        ("trial", "REFC", 1, "crps_fair", 3.0),
        ("trial", "CIN", 1, "crps_fair", 1.0),
        # Known by its mean and spread only.
        ("products", "T2M", 1, "crps_gaussian", 1.0),
        ("products", "T2M", 1, "spread_error_ratio", 0.5),
    ]
)


def test_ratios_to_the_perfect_ensemble_by_hand() -> None:
    table = against_perfect(SUMMARY, "perfect").set_index(["system", "variable", "lead_hours"])
    assert list(table.index) == [
        ("products", "T2M", 1),
        ("trial", "REFC", 1),
        ("trial", "T2M", 1),
        ("trial", "T2M", 3),
        ("trial", "CIN", 1),
    ]
    ratio, calibration = table["crps_ratio"], table["spread_error_ratio"]
    # 0.25 / 0.2, 1 / 0.4 and 3 / 2.
    assert ratio["trial", "T2M", 1] == pytest.approx(1.25)
    assert ratio["trial", "T2M", 3] == pytest.approx(2.5)
    assert ratio["trial", "REFC", 1] == pytest.approx(1.5)
    # No fair CRPS, and a perfect ensemble without error.
    assert np.isnan(ratio["products", "T2M", 1])
    assert np.isnan(ratio["trial", "CIN", 1])
    assert calibration["trial", "T2M", 1] == 0.9
    assert calibration["products", "T2M", 1] == 0.5
    assert np.isnan(calibration["trial", "REFC", 1])


def test_the_printed_table_has_the_expected_text() -> None:
    assert against_perfect_text(against_perfect(SUMMARY, "perfect"), "perfect") == (
        "CRPS (fair) relative to perfect, by lead: 1 is the limit\n"
        "                  REFC     T2M     CIN\n"
        "products   1 h       -       -       -\n"
        "trial      1 h    1.50    1.25       -\n"
        "trial      3 h       -    2.50       -\n"
    )
