"""Which points and members a case is scored on: what every score file has, whatever is scored."""

import zlib

import numpy as np

from stormdraw.scores.score import Arrays, Sum
from stormdraw.scores.verification import Fields

_COUNTS = {
    "points": "points that all systems are compared on, where the truth is finite",
    "members": "members at this lead; 0 for a distribution known by mean and spread",
    "mask_checksum": "checksum of which points count: equal for systems that can be compared",
    "absent_members": "members of the file that have no value at this lead",
    "missing_points": "points at which this system has a member that is not finite",
    "missing_truth": "points at which the truth is not finite",
}
SUMS = {
    "weight_sum": Sum("sum of area weights over the points that count"),
    **{name: Sum(meaning, kind=np.int64) for name, meaning in _COUNTS.items()},
    "threshold_value": Sum("at least so much is the event", ("threshold",), np.nan),
}


def coverage(fields: Fields) -> Arrays:
    """What SUMS lists, of one variable at one lead."""
    counting = fields.weights > 0.0
    regions = fields.region_weights > 0.0
    found = {
        "weight_sum": fields.weights.reshape(len(counting), -1).sum(axis=1),
        "points": np.count_nonzero(counting, axis=(1, 2)),
        "mask_checksum": np.array(
            [zlib.crc32(np.packbits(mask.ravel()).tobytes()) for mask in counting]
        ),
        # An ensemble none of whose members is there has none.
        "members": np.full(len(counting), fields.member_count if fields.valid.any() else 0),
        "absent_members": np.full(len(counting), fields.forecast.absent),
        "missing_points": np.count_nonzero(regions & ~fields.forecast.valid, axis=(1, 2)),
        "missing_truth": np.count_nonzero(regions & ~np.isfinite(fields.truth), axis=(1, 2)),
    }
    if fields.thresholds and fields.valid.any():
        found["threshold_value"] = np.array(fields.thresholds)
    return found
