from report_run import Run

from stormdraw.report.portrait import portrait
from stormdraw.report.summary import load_summary
from stormdraw.report.wording import NOTHING, skill_text


def test_tiles_hold_the_skill_of_the_summary(demo_run: Run) -> None:
    summary = load_summary(demo_run.summary)
    table = portrait(summary, demo_run.settings)
    assert table is not None
    assert table.leads == [1, 2, 3]
    groups = {name: {row.system: row.tiles for row in rows} for name, rows, _ in table.groups}
    assert list(groups) == ["REFC", "T2M", "U10", "V10", "WIND10"]
    tile = groups["T2M"]["perfect"][1]
    known = summary.set_index(["system", "variable", "lead_hours", "metric"])["value"]
    skill = known["perfect", "T2M", 2, "crps_skill"]
    assert tile.skill == skill_text(skill)
    assert tile.target == "scores-T2M-perfect-2"
    assert tile.tone in ("better", "worse", "")
    # The reference is what the others are held against.
    assert all("href" not in rows for rows in groups.values())
    # Known by mean and spread: compared as Gaussians.
    assert all(tile.gaussian for tile in groups["T2M"]["href_mean_spread"])


def test_a_variable_that_the_reference_lacks_is_said(demo_run: Run) -> None:
    summary = load_summary(demo_run.summary)
    lacking = summary[
        ~((summary["system"] == "href") & (summary["variable"] == "REFC"))
        & ~((summary["variable"] == "REFC") & summary["metric"].str.endswith("skill"))
    ]
    table = portrait(lacking, demo_run.settings)
    assert table is not None
    name, rows, without = table.groups[0]
    assert name == "REFC"
    assert without == "not in reference: href has no REFC"
    assert {tile.skill for row in rows for tile in row.tiles} == {NOTHING}
    assert {tile.tone for row in rows for tile in row.tiles} == {""}


def test_without_scores_there_is_none(demo_run: Run) -> None:
    assert portrait(load_summary(demo_run.summary).iloc[:0], demo_run.settings) is None
