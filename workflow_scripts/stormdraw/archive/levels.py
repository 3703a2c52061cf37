"""How an inventory writes a level or layer (GRIB2 code table 4.5 with NCEP's own entries)."""

_PASCALS_PER_MILLIBAR = 100.0
_IN_PASCALS = (100, 108)
_MISSING = 255

# `{}` is the value on the surface.
_LEVELS = {
    1: "surface",
    2: "cloud base",
    3: "cloud top",
    4: "0C isotherm",
    5: "level of adiabatic condensation from sfc",
    6: "max wind",
    7: "tropopause",
    8: "top of atmosphere",
    9: "sea bottom",
    10: "entire atmosphere",
    14: "level of free convection",
    20: "{} K level",
    100: "{} mb",
    101: "mean sea level",
    102: "{} m above mean sea level",
    103: "{} m above ground",
    104: "{} sigma level",
    105: "{} hybrid level",
    106: "{} m underground",
    107: "{} K isentropic level",
    108: "{} mb above ground",
    109: "PV={} (Km^2/kg/s) surface",
    200: "entire atmosphere (considered as a single layer)",
    201: "entire ocean (considered as a single layer)",
    204: "highest tropospheric freezing level",
    206: "grid scale cloud bottom level",
    207: "grid scale cloud top level",
    209: "boundary layer cloud bottom level",
    210: "boundary layer cloud top level",
    211: "boundary layer cloud layer",
    212: "low cloud bottom level",
    213: "low cloud top level",
    214: "low cloud layer",
    215: "cloud ceiling",
    220: "planetary boundary layer",
    222: "middle cloud bottom level",
    223: "middle cloud top level",
    224: "middle cloud layer",
    232: "high cloud bottom level",
    233: "high cloud top level",
    234: "high cloud layer",
    242: "convective cloud bottom level",
    243: "convective cloud top level",
    244: "convective cloud layer",
    245: "lowest level of the wet bulb zero",
    246: "maximum equivalent potential temperature level",
    247: "equilibrium level",
}

# Both surfaces of the same type.
_LAYERS = {
    100: "{}-{} mb",
    102: "{}-{} m above mean sea level",
    103: "{}-{} m above ground",
    104: "{}-{} sigma layer",
    105: "{}-{} hybrid layer",
    106: "{}-{} m below ground",
    107: "{}-{} K isentropic layer",
    108: "{}-{} mb above ground",
}


def describe_level(first: tuple[int, float], second: tuple[int, float]) -> str:
    """A level, or the layer between two, each given as (type of surface, value on it).

    A second surface of type 255 means that there is none.
    """
    if second[0] == _MISSING:
        return _level(*first)
    if first[0] == second[0] and first[0] in _LAYERS:
        return _LAYERS[first[0]].format(_value(*first), _value(*second))
    return f"{_level(*first)} - {_level(*second)}"


def _level(surface: int, value: float) -> str:
    if surface not in _LEVELS:
        return f"level type {surface}"
    return _LEVELS[surface].format(_value(surface, value))


def _value(surface: int, value: float) -> str:
    return f"{value / _PASCALS_PER_MILLIBAR if surface in _IN_PASCALS else value:g}"
