"""The same forecasts judged by several truths, from tables written by hand."""

import pandas as pd
from summary_tables import settings

from stormdraw.report.side_by_side import Judgement, orders_of_systems, side_by_side

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
    assert orders([analysis, same]) == [
        "In REFC the order of systems is the same: ddpm_residual, href."
    ]
    assert orders([analysis, other]) == [
        "In REFC the order of systems depends on the truth: against the HRRR analysis "
        "(ddpm_residual, href); against the MRMS (href, ddpm_residual)."
    ]


def orders(judgements):
    return orders_of_systems(side_by_side(judgements, settings()))


def test_one_sentence_names_all_variables_of_one_order():
    first, second = [1.0, 2.0, 3.0], [2.0, 1.0, 3.0]
    analysis = judgement("analysis", T2M=first, REFC=first, WIND10=second, U10=first, V10=second)
    stations = judgement("stations", T2M=first, REFC=second, WIND10=second, U10=first, V10=first)
    model, reference = "ddpm_residual, href", "href, ddpm_residual"
    assert orders([analysis, stations]) == [
        "In REFC the order of systems depends on the truth: against the analysis "
        f"({model}); against the stations ({reference}).",
        f"In T2M, U10 the order of systems is the same: {model}.",
        "In V10 the order of systems depends on the truth: against the analysis "
        f"({reference}); against the stations ({model}).",
        f"In WIND10 the order of systems is the same: {reference}.",
    ]


def test_a_system_that_one_truth_does_not_judge_is_in_no_order():
    """A single system that is left has none."""
    analysis = judgement("HRRR analysis", REFC=[1.0, 2.0, 3.0])
    radar = judgement("MRMS", REFC=[5.0, None, 4.0])
    (table,) = side_by_side([analysis, radar], settings())
    assert table.rows[1] == ["href", "2.00", "\N{EN DASH}"]
    assert orders([analysis, radar]) == []
