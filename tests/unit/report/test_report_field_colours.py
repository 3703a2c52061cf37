import numpy as np
import pytest
from matplotlib.colors import to_hex

from stormdraw.report.field_colours import scale_for


@pytest.mark.parametrize(
    ("dbz", "colour"), [(7.0, "#04e9e7"), (22.0, "#02fd02"), (36.0, "#fdf802"), (52.0, "#fd0000")]
)
def test_reflectivity_has_radar_colours(dbz: float, colour: str) -> None:
    scale = scale_for("REFC", np.array([dbz]))
    assert to_hex(scale.colours(scale.norm(dbz))) == colour


def test_no_echo_is_pale_and_missing_is_grey() -> None:
    scale = scale_for("REFC", np.array([-10.0]))
    pale = np.array(scale.colours(scale.norm(-10.0))[:3])
    assert pale.min() > 0.95
    missing = np.array(scale.colours(np.ma.masked_all(1))[0, :3])
    assert missing.max() < 0.9


def test_wind_is_symmetric_about_calm() -> None:
    scale = scale_for("U10", np.linspace(-3.0, 9.0, 1001))
    assert scale.norm.vmin == -scale.norm.vmax
    assert scale.norm.vmax == pytest.approx(9.0, abs=0.1)


def test_a_single_outlier_does_not_flatten_the_map() -> None:
    values = np.append(np.linspace(280.0, 300.0, 2000), [100.0, np.nan])
    scale = scale_for("D2M", values)
    assert scale.norm.vmin > 279.0


def test_a_constant_field_still_has_a_range() -> None:
    scale = scale_for("CAPE", np.zeros(50))
    assert scale.norm.vmin < 0.0 < scale.norm.vmax
    assert scale_for("CAPE", np.array([np.nan])).norm.vmax > 0.0
