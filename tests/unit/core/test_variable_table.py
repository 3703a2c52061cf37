"""Rows of the table of variables: shipped ones, and those of a configuration."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from matplotlib import colormaps
from one_system import configuration
from own_rows import HUMIDITY

from stormdraw.errors import StormdrawError
from stormdraw.grib_keys import Description
from stormdraw.settings import load_settings
from stormdraw.variable_row import REFLECTIVITY_COLOURS
from stormdraw.variable_table import read_table
from stormdraw.variables import (
    DEFAULT_STATE,
    VARIABLES,
    computing,
    identify,
    names_of,
    other_components,
    use_table,
    variable,
    vectors,
)

pytestmark = pytest.mark.usefixtures("shipped_table")


def fetched(**changes: Any) -> dict[str, Any]:
    """A run on files of the public archive, which has more than the simulated one."""
    return configuration(archive={"source": ["aws"]}, **changes)


def upper_wind(name: str, number: int, **changes: Any) -> dict[str, Any]:
    """A component of the wind at 300 hPa."""
    row = {
        **{"long_name": name, "units": "m s-1", "lower": -150, "upper": 150, "precision": 0.1},
        "grib": {
            **{"discipline": 0, "category": 2, "number": number, "abbreviation": name[0] + "GRD"},
            **{"surfaces": [100], "level": 300},
        },
    }
    return row | changes


def test_a_configuration_adds_a_row(tmp_path: Path) -> None:
    run = load_settings(fetched(variable_table={"RH2M": HUMIDITY}, variables=["RH2M", "T2M"]))
    assert run.variables == ["T2M", "RH2M"]
    assert variable("RH2M").inventory == "RH:2 m above ground"
    assert names_of("state")[-1] == "RH2M"
    # The next configuration has only the shipped rows.
    with pytest.raises(StormdrawError, match=r"unknown variable 'RH2M'.*`variable_table` takes"):
        load_settings(fetched(variables=["RH2M"]))


def test_a_configuration_changes_a_column_and_leaves_the_others() -> None:
    before = variable("REFC")
    own = {"REFC": {"lower": -20, "floor": -20, "grib": {"number": 5}}}
    load_settings(configuration(variable_table=own))
    after = variable("REFC")
    assert (after.lower, after.floor, after.grib.parameter) == (-20, -20, (0, 16, 5))
    assert (after.upper, after.grib.surfaces) == (before.upper, before.grib.surfaces)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"T2M": {"lower": "cold"}}, "T2M: lower: .* valid number"),
        ({"T2M": {"colour": "red"}}, "T2M: colour: unknown key"),
        ({"T2M": {"lower": 400}}, r"T2M: lower \(400\) must be less than upper \(333\)"),
        ({"T2M": {"lower": 333}}, r"T2M: lower \(333\) must be less than upper \(333\)"),
        ({"CAPE": {"floor": 5}}, r"CAPE: floor \(5\) must be lower \(0\) or upper \(10000\)"),
        ({"CAPE": {"regridding": "bilinear"}}, "CAPE: regridding must be nearest"),
        ({"T2M": {"decibel": True}}, "T2M: decibel needs a floor"),
        ({"T2M": {"precision": 0}}, "T2M: precision: .*greater than 0"),
        ({"T2M": {"grib": 5}}, "T2M: grib: must have keys of its own"),
        ({"T2M": {"grib": {"surfaces": [7]}}}, "T2M: grib.surfaces.0: "),
        ({"RH2M": {"units": "%"}}, "RH2M: long_name: Field required"),
        ({"rh": HUMIDITY}, "rh: name: .*pattern"),
        ({"RH2M": HUMIDITY | {"role": "derived"}}, "RH2M: role is derived, but nothing would"),
        (
            {"T2M": {"colours": "red and blue"}},
            "T2M: colours is 'red and blue', which is no",
        ),
        ({"T2M": {"grib": {"level": 1.5}}}, "T2M: grib.level: .* valid integer"),
        ({"U10": {"y_component": "W10"}}, "U10: y_component is W10, which is no other row"),
        ({"U10": {"y_component": "U10"}}, "U10: y_component is U10, which is no other row"),
        ({"U10": {"upper": 80}}, "U10: upper is 80.0, but 75.0 of V10, its y_component"),
        ({"V10": {"units": "kn"}}, "U10: units is 'm s-1', but 'kn' of V10, its y_component"),
        ({"V10": {"lower": -80}}, "U10: lower is -75.0, but -80.0 of V10"),
        ({"V10": {"floor": -75, "regridding": "nearest"}}, "U10: floor is None, but -75.0 of V10"),
        ({"V10": {"regridding": "nearest"}}, "U10: regridding is 'bilinear', but 'nearest' of V"),
        ({"V10": {"transform": "log1p"}}, "U10: transform is 'identity', but 'log1p' of V10"),
        (
            {
                "U300": upper_wind("U300", 2, y_component="V300"),
                "V300": upper_wind("V300", 3, role="static"),
            },
            "U300: role is 'state', but 'static' of V300",
        ),
        ({"U10": {"grib": {"level": 80}}}, "U10: grib is at another surface, level or statistic"),
        ({"U10": {"y_component": None}}, "U10: y_component is missing, and a wind is rotated"),
        ({"U300": upper_wind("U300", 2)}, "U300: y_component is missing, and a wind is rotated"),
        ({"V300": upper_wind("V300", 3)}, "V300: y_component is missing, and a wind is rotated"),
        (
            {"U300": upper_wind("U300", 2, y_component="V500")},
            "U300: y_component is V500, but V500 is a component of the vector of U500 already",
        ),
        ({"V10": {"y_component": "U10"}}, "V10: y_component is U10, but V10 is a component of"),
        ({"T2M": {"name": "T3M"}}, "T2M: name is no column"),
        ({"T2M": {"role": "static"}}, "T2M: role is static, but state of the shipped row"),
        ({"WIND10": {"role": "state"}}, "WIND10: role is state, but derived of the shipped row"),
        (
            {"RH2M": HUMIDITY | {"grib": {**HUMIDITY["grib"], "category": 0, "number": 0}}},
            "RH2M: grib is that of T2M",
        ),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name(own: dict[str, Any], message: str) -> None:
    with pytest.raises(StormdrawError, match=f"^the configuration: variable_table: {message}"):
        load_settings(configuration(variable_table=own))
    # What was there before is still there.
    assert variable("T2M").upper == 333.0


def test_a_shipped_row_that_cannot_be_is_refused_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "variables.yaml"
    path.write_text(yaml.safe_dump({"RH2M": HUMIDITY | {"upper": -1}}))
    with pytest.raises(StormdrawError, match=rf"^{re.escape(str(path))}: RH2M: lower \(0\)"):
        read_table(path=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("T2M:", "T2M: must have columns"),
        ("T2M: 5\nU10: [1]", "T2M, U10: must have columns"),
        ("[T2M]", "the file: must have columns"),
        ("", "the file: must have columns"),
        ("T2M: {", "not valid YAML: "),
    ],
)
def test_a_file_without_columns_is_refused(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "variables.yaml"
    path.write_text(content)
    with pytest.raises(StormdrawError, match=rf"^{re.escape(str(path))}: {message}"):
        read_table(path=path)


def test_shipped_rows_that_contradict_each_other_are_refused_with_their_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "variables.yaml"
    path.write_text(yaml.safe_dump({"RH": HUMIDITY, "RH2M": HUMIDITY}))
    with pytest.raises(
        StormdrawError, match=rf"^{re.escape(str(path))}: RH2M: grib is that of RH,"
    ):
        read_table(path=path)


def test_the_shipped_rows_have_colours_there_are() -> None:
    assert {row.colours for row in VARIABLES.values()} <= {*colormaps, REFLECTIVITY_COLOURS}


def test_a_vector_of_a_configuration_comes_as_a_pair() -> None:
    own = {"U300": upper_wind("U300", 2, y_component="V300"), "V300": upper_wind("V300", 3)}
    with pytest.raises(StormdrawError, match="give U300 and V300 together"):
        load_settings(fetched(variable_table=own, variables=["T2M", "U300"]))
    load_settings(fetched(variable_table=own, variables=["U300", "V300"]))
    assert vectors()["U300"] == "V300"
    assert other_components()["V300"] == "U300"


def test_an_isobaric_level_is_in_hpa_and_its_message_in_pa() -> None:
    use_table({"U300": upper_wind("U300", 2, y_component="V300"), "V300": upper_wind("V300", 3)})
    assert identify(Description((0, 2, 2), (100, 30_000.0))) is variable("U300")
    assert identify(Description((0, 2, 2), (100, 300.0))) is None
    assert variable("U300").grib.first_surface == (100, 30_000)
    assert variable("U300").inventory == "UGRD:300 mb"


def test_a_column_and_the_ground_have_no_level_to_tell_apart() -> None:
    assert identify(Description((0, 16, 196), (10, 3.0))) is variable("REFC")
    assert identify(Description((0, 2, 22), (1, 10.0))) is variable("GUST")
    assert identify(Description((0, 0, 0), (103, 10.0))) is None


def test_only_what_has_neither_floor_nor_transform_is_gaussian() -> None:
    assert variable("T2M").gaussian
    # A floor and a transform, a floor alone, a transform alone.
    assert not any(variable(name).gaussian for name in ("CAPE", "REFC", "HPBL"))


def test_a_row_may_have_the_colours_of_radar_displays() -> None:
    use_table({"PWAT": {"colours": REFLECTIVITY_COLOURS}})
    assert variable("PWAT").colours == REFLECTIVITY_COLOURS


def test_another_colour_does_not_change_what_is_computed() -> None:
    before = computing("T2M")
    use_table({"T2M": {"colours": "viridis"}})
    assert computing("T2M") == before
    use_table({"T2M": {"upper": 340}})
    assert computing("T2M") != before


def test_the_first_seven_rows_are_the_default_state() -> None:
    assert names_of("state")[: len(DEFAULT_STATE)] == DEFAULT_STATE


def test_scores_have_the_thresholds_of_the_table() -> None:
    """Of the shipped rows and a configuration's own, of what is scored; unless it gives some."""
    own = {"RH2M": HUMIDITY | {"thresholds": [90, 50]}, "CAPE": {"thresholds": [500]}}
    config = fetched(variable_table=own, variables=["T2M", "RH2M", "CAPE", "REFC"])
    usual = load_settings(config).scores.thresholds
    values = {name: [one.number for one in given] for name, given in usual.items()}
    assert values == {"REFC": [20, 30, 40], "CAPE": [500], "RH2M": [50, 90]}
    chosen = load_settings(config | {"scores": {"thresholds": {"RH2M": [70]}}}).scores.thresholds
    assert {name: [one.number for one in given] for name, given in chosen.items()} == {"RH2M": [70]}


def test_a_threshold_beyond_the_bounds_is_refused() -> None:
    with pytest.raises(StormdrawError, match=r"^variable_table: CAPE: thresholds: -5 is not"):
        read_table({"CAPE": {"thresholds": [-5]}})


def test_other_thresholds_do_not_change_what_is_drawn() -> None:
    before = computing("CAPE")
    use_table({"CAPE": {"thresholds": [500]}})
    assert computing("CAPE") == before
