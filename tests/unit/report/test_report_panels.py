"""The panels of a variable's figure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from report_page import files_of
from report_run import DEMO, Run

from stormdraw.errors import StormdrawError
from stormdraw.report.figures.variable import FIGURE
from stormdraw.report.panel import Evidence, all_panels, panels_of, read_evidence
from stormdraw.report.panels.error_by_spread import relation
from stormdraw.report.panels.fractions_skill import read_skills
from stormdraw.report.panels.neighbourhood_reliability import read_classes
from stormdraw.report.panels.rank_histogram import RankHistogram, histogram_of
from stormdraw.report.panels.reliability import draw as draw_reliability
from stormdraw.report.panels.spectra import relative_spectrum
from stormdraw.report.spread_error import spread_and_error
from stormdraw.report.style import read_label
from stormdraw.scores.summary import read_summary, write_summary
from stormdraw.settings import load_settings

POINTS = 13 * 11


@pytest.fixture(scope="module")
def storms(demo_run: Run) -> Evidence:
    return read_evidence(demo_run.settings, "REFC", demo_run.summary, demo_run.scores)


@pytest.fixture(scope="module")
def warmth(demo_run: Run) -> Evidence:
    return read_evidence(demo_run.settings, "T2M", demo_run.summary, demo_run.scores)


def titles(path: Path) -> set[str]:
    """matplotlib leaves each text of a figure as a comment beside its outlines."""
    text = path.read_text()
    return {
        line.split("<!-- ")[1].split(" -->")[0] for line in text.splitlines() if "<!-- " in line
    }


def test_a_file_of_the_folder_is_a_panel_with_a_place_of_its_own() -> None:
    folder = Path(__file__).parents[3] / "workflow_scripts" / "stormdraw" / "report" / "panels"
    assert len(all_panels()) == len(list(folder.glob("*.py"))) - 1
    assert len({panel.place for panel in all_panels()}) == len(all_panels())


def test_a_sheet_has_every_panel_that_has_something_to_show(
    demo_figures: dict[str, Path],
) -> None:
    storms, warmth = titles(demo_figures["variables/REFC"]), titles(demo_figures["variables/T2M"])
    everywhere = {"CRPS: low is good", "Spread and error", "Rank histogram: flat"}
    assert everywhere <= storms
    assert everywhere <= warmth
    of_events = {"Reliability", "Probabilities", "ROC", "Performance", "Fractions skill"}
    of_events |= {"Near", "ROC near"}
    assert of_events <= {title.split(",")[0] for title in storms}
    assert not of_events & {title.split(",")[0] for title in warmth}
    assert "href_mean_spread (mean and spread)" in warmth
    assert "persistence (1 member)" in warmth


def test_a_variable_nobody_scores_is_a_stated_gap(demo_run: Run, tmp_path: Path) -> None:
    FIGURE.draw(demo_run.settings, files_of(demo_run, "CAPE"), tmp_path / "CAPE.svg")
    # Only mean and spread know CAPE, which the run does not score.
    label = read_label(tmp_path / "CAPE.svg")
    assert label.gap
    assert label.description == "No system has a score of CAPE."


def test_intervals_are_drawn_where_there_are_any(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    summary["ci_low"], summary["ci_high"] = 0.9 * summary["value"], 1.1 * summary["value"]
    write_summary(summary, tmp_path / "summary.csv")
    files = files_of(demo_run, "T2M")
    FIGURE.draw(
        demo_run.settings,
        type(files)(**{**vars(files), "summary": tmp_path / "summary.csv"}),
        tmp_path / "T2M.svg",
    )
    assert 'id="FillBetweenPolyCollection_1"' in (tmp_path / "T2M.svg").read_text()


def test_a_baseline_far_off_is_named_with_its_values(demo_run: Run, tmp_path: Path) -> None:
    summary = read_summary(demo_run.summary)
    far = (summary["system"] == "climatology") & (summary["metric"] == "crps_fair")
    summary.loc[far, "value"] = 1e6
    write_summary(summary, tmp_path / "summary.csv")
    files = files_of(demo_run, "T2M")
    FIGURE.draw(
        demo_run.settings,
        type(files)(**{**vars(files), "summary": tmp_path / "summary.csv"}),
        tmp_path / "T2M.svg",
    )
    assert "climatology 1e+06 to 1e+06" in titles(tmp_path / "T2M.svg")


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n1,2\n", r"summary\.csv: lacks the column system"), (None, "run the scores stage")],
)
def test_a_table_of_something_else_is_refused(
    content: str | None, said: str, demo_run: Run, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "summary.csv").write_text(content)
    with pytest.raises(StormdrawError, match=said):
        read_evidence(demo_run.settings, "T2M", tmp_path / "summary.csv", demo_run.scores)


def of_table(run: Run, rows: list[tuple[str, str, float]]) -> Evidence:
    """(system, metric, value) of T2M at one lead."""
    table = pd.DataFrame(rows, columns=["system", "metric", "value"])
    return Evidence(
        run.settings, "T2M", table.assign(variable="T2M", lead_hours=1), tables={}, files={}
    )


def test_spread_is_the_ratio_times_the_error(demo_run: Run) -> None:
    points = spread_and_error(
        of_table(
            demo_run,
            [("href", "rmse", 2.0), ("href", "spread_error_ratio", 0.75), ("href", "spread", 99.0)],
        )
    )
    assert points[["rmse", "spread"]].to_numpy().tolist() == [[2.0, 1.5]]


@pytest.mark.parametrize(
    "rows",
    [
        [("persistence", "rmse", 2.0), ("persistence", "spread_error_ratio", float("nan"))],
        [("href", "rmse", 2.0)],
        [("href", "spread_error_ratio", 0.75)],
    ],
)
def test_without_spread_or_error_there_is_no_point(
    rows: list[tuple[str, str, float]], demo_run: Run
) -> None:
    assert spread_and_error(of_table(demo_run, rows)).empty


def test_frequencies_are_multiples_of_flat() -> None:
    assert RankHistogram(np.array([30, 10, 20])).relative().tolist() == [1.5, 0.5, 1.0]


def test_the_sampling_band_is_the_binomial_one() -> None:
    # 100 fair coins: 40 to 60 heads with probability 0.965, 41 to 59 with 0.943.
    assert RankHistogram(np.array([50, 50])).sampling_band() == pytest.approx((0.8, 1.2))


def test_the_band_holds_most_bars_of_independent_ranks() -> None:
    random = np.random.default_rng(5)
    histogram = RankHistogram(np.bincount(random.integers(0, 51, 40_000), minlength=51))
    low, high = histogram.sampling_band()
    inside = np.mean((histogram.relative() >= low) & (histogram.relative() <= high))
    assert 0.85 < inside <= 1.0
    assert low < 1.0 < high


def test_ranks_of_all_leads_and_cases_are_summed(warmth: Evidence) -> None:
    histogram = histogram_of(warmth.tables["href"])
    assert histogram is not None
    assert len(histogram.counts) == 11
    # Two cases, three leads.
    assert histogram.counts.sum() == 2 * 3 * POINTS


def test_a_mean_and_spread_have_a_place_of_the_truth_and_one_member_has_none(
    warmth: Evidence,
) -> None:
    gaussian = histogram_of(warmth.tables["href_mean_spread"])
    assert gaussian is not None
    assert len(gaussian.counts) == 20
    assert gaussian.counts.sum() == 6 * POINTS
    assert histogram_of(warmth.tables["persistence"]) is None


def test_only_ranks_of_the_most_frequent_size_are_summed(demo_run: Run, tmp_path: Path) -> None:
    # At the last lead of the first case five of ten members are absent.
    first, second = demo_run.scores["href"]
    with xr.open_dataset(first, decode_timedelta=False) as dataset:
        smaller = dataset.load()
    smaller["members"][:, -1] = 5
    smaller["rank_counts"][..., -1, :, 6:] = -1
    smaller.to_netcdf(tmp_path / "first.nc")
    files = {"href": [tmp_path / "first.nc", second]}
    tables = read_evidence(demo_run.settings, "T2M", demo_run.summary, files).tables["href"]
    histogram = histogram_of(tables)
    assert histogram is not None
    assert len(histogram.counts) == 11
    assert histogram.counts.sum() == 5 * POINTS


def test_an_event_is_one_that_the_truth_reached(storms: Evidence, warmth: Evidence) -> None:
    event, by_system = storms.event()
    assert event in ("≥ 20 dBZ", "≥ 30 dBZ", "≥ 40 dBZ")
    # The mean and spread of HREF have no reflectivity.
    assert "href_mean_spread" not in by_system
    assert len(by_system["href"][0]) == 11
    for everywhere, with_event in by_system.values():
        assert (with_event <= everywhere + 1e-9).all()
    assert warmth.event()[1] == {}


def test_events_are_ordered_by_how_often_the_truth_has_them() -> None:
    """Of 10 points: at least 40 dBZ twice, at most 5 dBZ thrice, its 90th percentile once."""
    table = (("threshold", "exceeding"), np.array([[7.0, 3.0]] * 3))
    events = (("threshold", "exceeding"), np.array([[0.0, 2.0], [1.0, 2.0], [1.0, 0.0]]))
    tables = xr.Dataset(
        {"probability_weight_sum": table, "probability_event_sum": events},
        coords={"event": ("threshold", ["40", "<=5", "p90"])},
    )
    alone = Evidence(load_settings(DEMO), "REFC", pd.DataFrame(), {"href": tables}, {})
    found = alone.by_event(lambda own, index: index)
    assert [threshold.text for threshold in found] == ["<=5", "40", "p90"]
    assert alone.middle(found) == ("≥ 40 dBZ", {"href": 0})
    assert alone.rarest(found) == ("≥ p90", {"href": 2})
    assert alone.event()[0] == "≥ 40 dBZ"
    assert alone.middle({}) == ("", {})


def test_wider_boxes_forgive_more(storms: Evidence) -> None:
    _, by_system = read_skills(storms)
    ensemble, _ = by_system["perfect"]
    assert ensemble[-1] > ensemble[0]


def test_relation_of_spread_and_error_by_hand() -> None:
    tables = xr.Dataset(
        {
            "spread_bin_weight_sum": ("spread_bin", [0.0, 10.0, 5.0]),
            "spread_bin_variance_sum": ("spread_bin", [0.0, 15.0, 60.0]),
            "spread_bin_squared_error_sum": ("spread_bin", [0.0, 40.0, 80.0]),
        },
        attrs={"members": 3},
    )
    spread, error = relation(tables)
    np.testing.assert_allclose(spread, np.sqrt([2.0, 16.0]))
    np.testing.assert_allclose(error, np.sqrt([4.0, 16.0]))


def test_relative_spectrum_by_hand() -> None:
    tables = xr.Dataset(
        {
            "spectrum_members": ("wavenumber", [0.0, 3.0, 2.0]),
            "spectrum_truth": ("wavenumber", [0.0, 2.0, 4.0]),
        }
    )
    np.testing.assert_array_equal(relative_spectrum(tables, "members"), [np.nan, 1.5, 0.5])


def test_one_member_has_neither_spread_nor_ranks(demo_run: Run) -> None:
    files = {"persistence": demo_run.scores["persistence"]}
    summary = read_summary(demo_run.summary)
    own = summary[(summary["system"] == "persistence") & (summary["variable"] == "T2M")]
    alone = read_evidence(demo_run.settings, "T2M", demo_run.summary, files)
    alone = Evidence(demo_run.settings, "T2M", own, alone.tables, files)
    assert [panel.place for panel in panels_of(alone)] == [1, 10]


@pytest.mark.parametrize("kind", ["nep", "nmep"])
def test_neighbourhoods_are_shown_for_the_rarest_event_that_occurred(
    kind: str, demo_run: Run, storms: Evidence, warmth: Evidence
) -> None:
    event, width, classes = read_classes(storms, kind)
    # Whatever reaches the highest threshold reaches the others too.
    highest = max(
        float(text)
        for tables in storms.tables.values()
        if "event" in tables
        for index, text in enumerate(tables["event"].values)
        if tables["probability_event_sum"].values[index].sum() > 0.0
    )
    assert event == f"≥ {highest:g} dBZ"
    assert width == 9
    middle_width = demo_run.settings.scores.neighbourhoods.index(9)
    index = list(storms.tables["href"]["event"].values).index(f"{highest:g}")
    for name, found in zip(("weight", "event", "probability"), classes["href"], strict=True):
        expected = storms.tables["href"][f"{kind}_{name}_sum"].values[index, middle_width]
        np.testing.assert_allclose(found.sum(axis=0), expected)
    assert read_classes(warmth, kind)[2] == {}


def test_consistency_bars_are_drawn_around_the_diagonal_where_there_are_enough_days() -> None:
    """Ten members of twelve days: 0.1 and 0.5 are forecast on all of them, 0.9 on three."""
    random = np.random.default_rng(2)
    weight, event = np.zeros((2, 12, 1, 11))
    weight[:, 0, [1, 5]], weight[:3, 0, 9] = 100.0, 100.0
    event[:, 0, [1, 5]] = random.binomial(100, [0.1, 0.5], (12, 2))
    event[:3, 0, 9] = 90.0
    tables = {"daily_probability_weight_sum": weight, "daily_probability_event_sum": event}
    tables |= {name.removeprefix("daily_"): own.sum(axis=0) for name, own in tables.items()}
    dims = ("day", "threshold", "exceeding")
    dataset = xr.Dataset(
        {name: (dims[3 - own.ndim :], own) for name, own in tables.items()},
        coords={"event": ("threshold", ["<=290"])},
    )
    alone = Evidence(load_settings(DEMO), "T2M", pd.DataFrame(), {"href": dataset}, {})
    axes = Figure().subplots()
    draw_reliability(axes, alone)
    (bars,) = [own for own in axes.collections if isinstance(own, LineCollection)]
    segments = [own for own in bars.get_segments() if np.shape(own) == (2, 2)]
    assert [round(own[0, 0], 6) for own in segments] == [0.1, 0.5]
    for (x, low), (_, high) in segments:
        assert low < x < high
        assert low + high == pytest.approx(2 * x)
    assert axes.get_title() == "Reliability, ≤ 290 K"
