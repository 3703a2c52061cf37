import copy
from datetime import datetime

import pandas as pd
import pytest
from report_run import DEMO, Run

from stormdraw.errors import StormdrawError
from stormdraw.report.candidates import candidates
from stormdraw.report.summary import load_summary
from stormdraw.report.winner import choose, geometric_means, winner_of
from stormdraw.settings import Settings, load_settings


def two_models(**report: object) -> Settings:
    config = copy.deepcopy(DEMO)
    config["ensembles"]["systems"].append(
        {"name": "other", "method": "diffusion", "model": "ddpm_small"}
    )
    return load_settings({**config, "report": report})


def summary_of(scores: dict[tuple[str, str], tuple[float, float]]) -> pd.DataFrame:
    """crps_fair at two leads of (system, variable), and the metrics a headline needs."""
    rows = [
        (system, name, lead, metric, 10, 2, value, float("nan"), float("nan"))
        for (system, name), values in scores.items()
        for lead, score in zip((1, 2), values, strict=True)
        for metric, value in (("crps_fair", score), ("rmse", 1.0), ("spread_error_ratio", 1.0))
    ]
    columns = "system variable lead_hours metric members cases value ci_low ci_high"
    return pd.DataFrame(rows, columns=columns.split())


SCORES = {
    ("ddpm_residual", "T2M"): (1.0, 3.0),  # mean 2
    ("ddpm_residual", "REFC"): (8.0, 8.0),  # 8; geometric mean 4
    ("other", "T2M"): (3.0, 3.0),
    ("other", "REFC"): (3.0, 3.0),  # 3
    ("perfect", "T2M"): (0.1, 0.1),
}


def test_the_lowest_geometric_mean_wins() -> None:
    names = ["ddpm_residual", "other"]
    assert geometric_means(summary_of(SCORES), names) == pytest.approx(
        {"ddpm_residual": 4.0, "other": 3.0}
    )
    winner = choose(summary_of(SCORES), two_models())
    assert winner is not None
    assert winner.system == "other"
    assert "geometric mean" in winner.rule


def test_a_variable_with_a_crps_of_zero_does_not_count() -> None:
    scores = {**SCORES, ("other", "REFC"): (0.0, 0.0)}
    winner = choose(summary_of(scores), two_models())
    assert winner is not None
    assert winner.system == "ddpm_residual"  # T2M alone: 2 against 3
    with pytest.raises(StormdrawError, match=r"report\.products_of"):
        choose(summary_of({("other", "T2M"): (1.0, 1.0)}), two_models())
    # The page and its numbers do without.
    assert winner_of(summary_of({("other", "T2M"): (1.0, 1.0)}), two_models()) is None


def test_the_perfect_ensemble_and_baselines_cannot_win(demo_run: Run) -> None:
    assert candidates(demo_run.settings) == ["ddpm_residual"]
    winner = choose(load_summary(demo_run.summary), demo_run.settings)
    assert winner is not None
    assert winner.rule == "the only candidate"


def test_the_configuration_can_name_the_winner() -> None:
    settings = two_models(products_of="href")
    assert candidates(settings) == ["href"]
    winner = choose(summary_of(SCORES), settings)
    assert winner is not None
    assert (winner.system, winner.rule) == ("href", "report.products_of")
    with pytest.raises(StormdrawError, match=r"report\.products_of is 'nobody'"):
        two_models(products_of="nobody")


def test_without_a_model_the_reference_wins() -> None:
    config = copy.deepcopy(DEMO)
    config["models"] = []
    config["ensembles"]["systems"] = config["ensembles"]["systems"][1:]
    assert candidates(load_settings(config)) == ["href"]


def test_without_candidates_or_scores_there_is_no_winner() -> None:
    with pytest.raises(StormdrawError, match=r"report\.products_of"):
        choose(None, two_models())
    assert winner_of(summary_of(SCORES).iloc[:0], two_models()) is None
    # A forecast has the products of all.
    forecast = two_models().model_copy(update={"cycle": [datetime(2026, 6, 2, 6)]})
    assert winner_of(summary_of(SCORES), two_models()) is not None
    assert winner_of(summary_of(SCORES), forecast) is None
    config = copy.deepcopy(DEMO)
    baselines = [one for one in config["ensembles"]["systems"] if one["method"] == "baseline"]
    config |= {"models": [], "scores": {"reference": None}}
    config["ensembles"]["systems"] = baselines
    assert choose(None, load_settings(config)) is None
