from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from report_run import Run

from stormdraw.report.rank_histograms import (
    RankHistogram,
    draw_rank_histograms,
    read_histograms,
    read_ranks,
)
from stormdraw.report.style import read_label


def test_frequencies_are_multiples_of_flat() -> None:
    histogram = RankHistogram(np.array([30, 10, 20]), members=2, fields=1, all_fields=1)
    assert histogram.relative().tolist() == [1.5, 0.5, 1.0]


def test_sampling_band_is_the_binomial_one() -> None:
    # 100 fair coins: 40 to 60 heads with probability 0.965, 41 to 59 with 0.943.
    histogram = RankHistogram(np.array([50, 50]), members=1, fields=1, all_fields=1)
    assert histogram.sampling_band() == pytest.approx((0.8, 1.2))


def test_band_holds_most_bars_of_independent_ranks() -> None:
    random = np.random.default_rng(5)
    counts = np.bincount(random.integers(0, 51, 40_000), minlength=51)
    histogram = RankHistogram(counts, members=50, fields=1, all_fields=1)
    low, high = histogram.sampling_band()
    inside = np.mean((histogram.relative() >= low) & (histogram.relative() <= high))
    assert 0.85 < inside <= 1.0
    assert low < 1.0 < high


def test_all_leads_and_cases_are_summed(demo_run: Run) -> None:
    ranks = read_ranks(demo_run.scores)
    points = 13 * 11
    histogram = ranks["T2M", "href"]
    assert histogram.members == 10
    assert len(histogram.counts) == 11
    # Two cases, three leads.
    assert histogram.counts.sum() == 2 * 3 * points
    assert histogram.fields == histogram.all_fields == 6


def test_neither_one_member_nor_mean_and_spread_has_ranks(demo_run: Run) -> None:
    systems = {system for _, system in read_ranks(demo_run.scores)}
    assert systems == {"ddpm_residual", "href", "climatology", "perfect"}


def test_only_the_most_frequent_size_is_summed(demo_run: Run, tmp_path: Path) -> None:
    # At the last lead of the first case five of ten members are absent.
    first, second = demo_run.scores["href"]
    with xr.open_dataset(first, decode_timedelta=False) as dataset:
        smaller = dataset.load()
    smaller["members"][:, -1] = 5
    smaller["rank_counts"][:, -1, 6:] = -1
    smaller.to_netcdf(tmp_path / "first.nc")
    histogram = read_ranks({"href": [tmp_path / "first.nc", second]})["T2M", "href"]
    assert (histogram.members, histogram.fields, histogram.all_fields) == (10, 5, 6)
    assert histogram.counts.sum() == 5 * 13 * 11


def test_figure_names_who_has_no_ranks(demo_figures: dict[str, Path]) -> None:
    output = demo_figures["rank_histograms"]
    text = output.read_text()
    assert "all leads, 2 cases" in text
    assert "no ranks: persistence" in text
    assert "or its place (0 to 1) in the distribution" in text
    assert not read_label(output).gap


def test_mean_and_spread_show_where_the_truth_falls(demo_run: Run) -> None:
    found = read_histograms(demo_run.scores)
    histogram = found["T2M", "href_mean_spread"]
    assert (histogram.members, len(histogram.counts), histogram.fields) == (0, 20, 6)
    assert histogram.counts.sum() == 6 * 13 * 11
    assert ("REFC", "href_mean_spread") not in found


@pytest.mark.parametrize("systems", [[], ["persistence"]])
def test_no_ranks_at_all_is_a_stated_gap(demo_run: Run, tmp_path: Path, systems: list[str]) -> None:
    paths = {system: demo_run.scores[system] for system in systems}
    draw_rank_histograms(demo_run.settings, paths, tmp_path / "out.svg")
    assert read_label(tmp_path / "out.svg").gap


def test_a_bar_beyond_the_axis_carries_its_height(demo_run: Run, tmp_path: Path) -> None:
    paths = []
    for path in demo_run.scores["perfect"]:
        with xr.open_dataset(path, decode_timedelta=False) as dataset:
            peaked = dataset.load()
        peaked["rank_counts"][:] = 0
        peaked["rank_counts"][..., 0] = 13 * 11
        paths.append(tmp_path / path.name)
        peaked.to_netcdf(paths[-1])
    draw_rank_histograms(demo_run.settings, {"perfect": paths}, tmp_path / "out.svg")
    # All in one of 21 ranks: 21 times the flat line.
    assert "<!--  21.0  -->" in (tmp_path / "out.svg").read_text()
