import base64
import io

import numpy as np
from PIL import Image

from stormdraw.report.field_colours import scale_for
from stormdraw.report.stamps import WIDEST, colour_strip, stamp, thinning


def decoded(uri: str) -> np.ndarray:
    content = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def test_a_stamp_has_a_pixel_a_point_and_north_at_the_top() -> None:
    field = np.full((3, 4), -10.0)
    field[0, 0] = 42.0  # the south-western corner
    field[2, 3] = np.nan  # the north-eastern one
    pixels = decoded(stamp(field, scale_for("REFC", field)))
    assert pixels.shape == (3, 4, 3)
    assert tuple(pixels[2, 0]) == (0xE5, 0xBC, 0x00) or tuple(pixels[2, 0]) == (0xFD, 0xF8, 0x02)
    assert tuple(pixels[0, 3]) == (0xC8, 0xCC, 0xD4)  # missing
    assert tuple(pixels[1, 1]) == (0xF6, 0xF7, 0xF9)  # no echo


def test_every_colour_survives() -> None:
    field = np.random.default_rng(1).normal(290.0, 5.0, (40, 50))
    scale = scale_for("T2M", field)
    expected = scale.colours(scale.norm(field), bytes=True)[::-1, :, :3]
    np.testing.assert_array_equal(decoded(stamp(field, scale)), expected)


def test_wide_fields_are_thinned() -> None:
    assert thinning(WIDEST) == 1
    assert thinning(1799) == 4
    wide = np.zeros((10, WIDEST + 1))
    assert decoded(stamp(wide, scale_for("T2M", wide))).shape[:2] == (5, WIDEST // 2 + 1)


def test_a_strip_runs_from_low_to_high() -> None:
    scale = scale_for("T2M", np.array([280.0, 300.0]))
    strip = decoded(colour_strip(scale, 280.0, 300.0, pixels=5))
    assert strip.shape == (1, 5, 3)
    ends = scale.colours(scale.norm(np.array([280.0, 300.0])), bytes=True)[:, :3]
    np.testing.assert_array_equal(strip[0, [0, -1]], ends)
