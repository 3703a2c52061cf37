"""Which product of a base model holds what."""

import pytest
from base_model_runs import run_of

from stormdraw.archive.base_model import base_model
from stormdraw.costs.message_sizes import message_bytes
from stormdraw.errors import StormdrawError
from stormdraw.variables import use_table

pytestmark = pytest.mark.usefixtures("shipped_table")


def test_messages_of_a_model_without_inventory_cost_by_the_point() -> None:
    whole, alaska = message_bytes("hrrr", "T2M"), message_bytes("hrrrak", "T2M")
    assert alaska == whole * 919 * 1299 // (1059 * 1799)
    assert message_bytes("rrfs", "T2M") == whole


def test_pressure_levels_beside_the_single_ones_need_no_second_file() -> None:
    """HRRR's, as `test_variable_table` finds them in a real inventory, and Alaska's like them."""
    names = ("T2M", "T850", "U250", "Z700", "T250", "Q850")
    for model in ("hrrr", "hrrrak"):
        by_product = base_model(model).by_product(names)
        assert by_product == {"sfc": ("T2M", "T850", "U250", "Z700"), "prs": ("T250", "Q850")}


def test_other_levels_and_layers_are_where_their_rows_say() -> None:
    grib = {"discipline": 0, "category": 0, "number": 0, "abbreviation": "TMP", "surfaces": [100]}
    row = {"long_name": "temperature", "units": "K", "lower": 200, "upper": 330, "precision": 0.1}
    table = {
        "T600": row | {"grib": grib | {"level": 600}, "product": "prs"},
        "TLAYER": row | {"grib": grib | {"level": 850, "second_level": 700}, "product": "prs"},
        "TMEAN": row | {"grib": grib | {"level": 850, "statistic": "maximum"}, "product": "prs"},
        "TNAT": row | {"grib": grib | {"surfaces": [105], "level": 850}, "product": "nat"},
    }
    use_table(table)
    hrrr = base_model("hrrr")
    assert [hrrr.held(name) for name in table] == ["prs", "prs", "prs", "nat"]
    assert base_model("rrfs").by_product(("T2M", "T850")) == {
        "2dfld": ("T2M",),
        "prslev": ("T850",),
    }


def test_a_product_that_a_model_lacks_is_told() -> None:
    assert base_model("rrfs").product("prs") == "prslev"
    with pytest.raises(StormdrawError, match="RRFS has no product nat, only sfc, prs"):
        base_model("rrfs").product("nat")


def test_variables_of_a_product_that_a_model_lacks_are_refused() -> None:
    own = {"T2M": {"product": "nat"}}
    assert run_of("hrrr", ["aws"], variable_table=own)
    with pytest.raises(StormdrawError, match=r"T2M: RRFS has no product nat, .* variable_table$"):
        run_of("rrfs", ["aws"], variable_table=own)
    static = {"OROG": {"product": "nat"}}
    with pytest.raises(StormdrawError, match=r"OROG: RRFS has no product nat, .* variable_table$"):
        run_of("rrfs", ["aws"], variable_table=static, fields={"static": ["OROG"]})
