from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stormdraw.errors import StormdrawError
from stormdraw.scores.settings import Scores
from stormdraw.scores.verdicts import TOO_FEW_DAYS, caveats, verdicts

DAYS = [f"202606{day:02d}06" for day in range(8, 18)]


@pytest.fixture
def write(write_statistics: Callable[..., Path], random: np.random.Generator) -> Callable:
    """Systems whose fair CRPS is that of the day times their scale, give or take 1 %."""

    def write(
        scales: dict[str, float], inits: list[str], noise: float = 0.01, **given: int
    ) -> dict[str, list[Path]]:
        weather = random.uniform(1.0, 10.0, len(inits))
        return {
            name: [
                write_statistics(
                    name,
                    init,
                    ["T2M"],
                    [1],
                    crps_fair_sum=day * scale * (1 + noise * random.normal()),
                    crps_gaussian_sum=2 * day * scale,
                    **(given if name == "href" else {}),
                )
                for init, day in zip(inits, weather, strict=True)
            ]
            for name, scale in scales.items()
        }

    return write


def judged(paths: dict[str, list[Path]]):
    return verdicts(paths, Scores(reference="href", bootstrap_samples=500), 0).set_index("system")


def test_better_worse_and_no_difference(write: Callable) -> None:
    scales = {"href": 1.0, "good": 0.9, "bad": 1.1, "alike": 1.0}
    table = judged(write(scales, DAYS, noise=0.02))
    assert table["verdict"].to_dict() == {
        "good": "better",
        "bad": "worse",
        "alike": "no difference",
    }
    assert (table["days"] == 10).all()
    good = table.loc["good"]
    assert good["difference"] == pytest.approx(good["value"] - good["reference_value"])
    # Days differ ten times as much as systems: an unpaired interval would not tell them apart.
    assert good["ci_high"] - good["ci_low"] < 0.2 * good["reference_value"]


def test_intervals_are_withheld_with_few_days(write: Callable) -> None:
    table = judged(write({"href": 1.0, "good": 0.1}, DAYS[:4]))
    assert table.loc["good", "verdict"] == TOO_FEW_DAYS
    assert np.isnan(table.loc["good", "ci_low"])
    assert any("4 initial days" in note for note in caveats(table.reset_index(), 0.95))


def test_a_gaussian_reference_is_met_as_a_gaussian(write: Callable) -> None:
    table = judged(write({"href": 1.0, "trial": 0.9}, DAYS, members=0))
    trial = table.loc["trial"]
    assert trial["metric"] == "crps_gaussian"
    assert trial["value"] / trial["reference_value"] == pytest.approx(0.9)
    # The full score stands beside it, and is not what was compared.
    assert trial["own_crps_fair"] == pytest.approx(trial["value"] / 2, rel=0.02)
    notes = caveats(table.reset_index(), 0.95)
    assert any("scored as Gaussians" in note for note in notes)
    assert any("members (0: known by mean and spread)" in note for note in notes)
    assert any("10 blocks" in note for note in notes)


def test_no_reference_no_verdicts(write: Callable) -> None:
    paths = write({"href": 1.0, "trial": 0.9}, DAYS)
    assert verdicts(paths, Scores(), 0).empty
    with pytest.raises(StormdrawError, match="reference is 'refs'"):
        verdicts(paths, Scores(reference="refs"), 0)


def test_baselines_are_stood_against_as_well(write: Callable) -> None:
    paths = write({"href": 1.0, "hrrr": 1.2, "trial": 0.9}, DAYS[:5], noise=0.001)
    table = verdicts(paths, Scores(reference="href"), 0, ["hrrr"])
    told = {(row.system, row.reference): row.verdict for row in table.itertuples(index=False)}
    assert told == {
        ("hrrr", "href"): "worse",
        ("trial", "href"): "better",
        ("href", "hrrr"): "better",
        ("trial", "hrrr"): "better",
    }
    alone = verdicts(paths, Scores(), 0, ["hrrr"])
    assert set(alone["reference"]) == {"hrrr"}


def test_a_lead_with_few_days_has_no_verdict(write_statistics: Callable[..., Path]) -> None:
    """Five days at 1 h, two of them at 2 h."""
    paths: dict[str, list[Path]] = {"href": [], "trial": []}
    for number, init in enumerate(DAYS[:5]):
        for name, scale in (("href", 10.0), ("trial", 5.0)):
            points = np.array([[10, 10 if number % 2 else 0]])
            paths[name].append(
                write_statistics(
                    name,
                    init,
                    ["T2M"],
                    [1, 2],
                    points=points,
                    weight_sum=points.astype(float),
                    crps_fair_sum=scale * (points > 0),
                )
            )
    table = judged(paths)
    assert list(table["verdict"]) == ["better", TOO_FEW_DAYS]
    assert list(table["days"]) == [5, 2]
    assert list(table["cases"]) == [5, 2]
    notes = caveats(table.reset_index(), 0.95)
    assert any("2 to 5 blocks" in note and "withheld" in note for note in notes)
