"""Fields as small pictures with one pixel per grid point, which stay sharp at any size."""

import base64
import io

import numpy as np
from PIL import Image

from stormdraw.report.field_colours import Scale

# Wider fields are thinned: even at twice its size on the page a stamp has fewer pixels than this.
WIDEST = 480


def thinning(width: int) -> int:
    """The step between the drawn points of a row of `width` points."""
    return -(-width // WIDEST)


def thinned(field: np.ndarray) -> np.ndarray:
    """A copy of the drawn points of a field (y, x). Thinning a thinned field changes nothing."""
    step = thinning(field.shape[1])
    return field[::step, ::step].copy()


def stamp(field: np.ndarray, scale: Scale) -> str:
    """A field (y, x) with rows from south to north as a PNG data URI in the colours of a scale."""
    thin = np.ma.masked_invalid(thinned(field))
    return picture(scale.colours(scale.norm(thin), bytes=True)[::-1])


def colour_strip(scale: Scale, low: float, high: float, pixels: int = 256) -> str:
    """The colours of a scale from `low` (left) to `high` (right) as a PNG data URI."""
    values = np.linspace(low, high, pixels)[None, :]
    return picture(scale.colours(scale.norm(values), bytes=True))


def picture(colours: np.ndarray) -> str:
    """RGBA bytes (y, x, 4) as a PNG data URI, with a palette if 256 colours suffice."""
    image = Image.fromarray(np.ascontiguousarray(colours[..., :3]))
    if image.getcolors(256):
        image = image.quantize(256, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
