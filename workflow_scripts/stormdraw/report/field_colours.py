"""Colours of fields on maps: reflectivity as on radar displays, others perceptually uniform."""

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, Normalize

from stormdraw.variable_row import REFLECTIVITY_COLOURS
from stormdraw.variables import other_components, variable

# The reflectivity scale of the US National Weather Service, in steps of 5 dBZ from 5 dBZ.
_REFLECTIVITY_LEVELS = np.arange(5.0, 80.0, 5.0)
_REFLECTIVITY = (
    "#04e9e7",
    "#019ff4",
    "#0300f4",
    "#02fd02",
    "#01c501",
    "#008e00",
    "#fdf802",
    "#e5bc00",
    "#fd9500",
    "#fd0000",
    "#d40000",
    "#bc0000",
    "#f800fd",
    "#9854c6",
)
# Radar displays are white above the last level. Here "no echo" is almost white, so this is lilac.
_STRONGEST = "#e9d5ff"
_NO_ECHO = "#f6f7f9"
_MISSING = "#c8ccd4"


@dataclass(frozen=True)
class Scale:
    """A colour map, its normalisation, and which ends of the colour bar are open."""

    colours: Colormap
    norm: Normalize
    extend: str


def scale_for(name: str, values: np.ndarray) -> Scale:
    """The scale of a variable. Except for reflectivity, it spans the range of `values`.

    The range leaves out half a per cent at either end, so that a single outlier does not flatten
    the map.
    """
    colour_map = variable(name).colours
    if colour_map == REFLECTIVITY_COLOURS:
        colours = ListedColormap(_REFLECTIVITY).with_extremes(
            under=_NO_ECHO, over=_STRONGEST, bad=_MISSING
        )
        return Scale(colours, BoundaryNorm(_REFLECTIVITY_LEVELS, colours.N), "max")
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    if name in other_components():
        high = max(abs(low), abs(high))
        low = -high
    if high <= low:
        low, high = low - 0.5, high + 0.5
    colours = colormaps[colour_map].with_extremes(bad=_MISSING)
    return Scale(colours, Normalize(float(low), float(high)), "both")
