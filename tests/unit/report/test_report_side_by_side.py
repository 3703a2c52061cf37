"""The same forecasts judged by several truths, from tables written by hand."""

import pandas as pd
from summary_tables import settings

from stormdraw.report.side_by_side import Judgement, side_by_side

SYSTEMS = ["ddpm_residual", "href", "persistence"]


def judgement(truth: str, **crps: list[float | None]) -> Judgement:
    """Against one truth, by variable, of `SYSTEMS`."""
    table = pd.DataFrame(crps, index=SYSTEMS, dtype=float).T
    return Judgement(dict.fromkeys(table.index, truth), table)


def test_a_variable_that_one_truth_judges_has_no_table():
    analysis = judgement("HRRR analysis", REFC=[1.0, 2.0, 3.0], T2M=[1.0, 2.0, 3.0])
    radar = judgement("MRMS", REFC=[2.0, 3.0, 4.0])
    (table,) = side_by_side([analysis, radar], settings())
    assert table.caption.startswith("REFC: fair CRPS (dBZ)")
    assert table.headings == ["system", "HRRR analysis", "MRMS"]
    assert [row[0] for row in table.rows] == SYSTEMS
    assert table.rows[0] == ["ddpm_residual", "1.00", "2.00"]


def test_the_order_of_contenders_under_each_truth_is_told():
    analysis = judgement("HRRR analysis", REFC=[1.0, 2.0, 3.0])
    same = judgement("MRMS", REFC=[2.0, 3.0, 1.0])  # A baseline does not compete.
    other = judgement("MRMS", REFC=[3.0, 2.0, 4.0])
    (table,) = side_by_side([analysis, same], settings())
    assert table.sentence == "In REFC the order of systems is the same: ddpm_residual, href."
    (table,) = side_by_side([analysis, other], settings())
    assert table.sentence == (
        "In REFC the order of systems depends on the truth: against the HRRR analysis "
        "ddpm_residual, href; against the MRMS href, ddpm_residual."
    )


def test_a_system_that_one_truth_does_not_judge_is_not_in_the_order():
    analysis = judgement("HRRR analysis", REFC=[1.0, 2.0, 3.0])
    radar = judgement("MRMS", REFC=[5.0, None, 4.0])
    (table,) = side_by_side([analysis, radar], settings())
    assert table.rows[1] == ["href", "2.00", "\N{EN DASH}"]
    assert table.sentence == "In REFC the order of systems is the same: ddpm_residual."
