"""Rows of a configuration that are not shipped, for tests."""

HUMIDITY = {
    "long_name": "2 m relative humidity",
    "units": "%",
    "grib": {
        **{"discipline": 0, "category": 1, "number": 1},
        **{"abbreviation": "RH", "surfaces": [103], "level": 2},
    },
    **{"lower": 0, "upper": 110, "precision": 0.1},
}
