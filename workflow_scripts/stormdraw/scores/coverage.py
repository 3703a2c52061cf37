"""Which points and members a case is scored on. Every score file contains this."""

import zlib

import numpy as np

from stormdraw.scores.score import Arrays, Sum
from stormdraw.scores.verification import Fields

_COUNTS = {
    "points": "points that all systems are compared on, where the truth is finite",
    "members": "members at this lead; 0 for a distribution known by mean and spread",
    "mask_checksum": "checksum of the mask of points that count; equal for comparable systems",
    "absent_members": "members of the file that have no value at this lead",
    "missing_points": "points at which this system has a member that is not finite",
    "missing_truth": "points at which the truth is not finite",
}
SUMS = {
    "weight_sum": Sum("sum of area weights over the points that count"),
    **{name: Sum(meaning, kind=np.int64) for name, meaning in _COUNTS.items()},
    "event": Sum(
        "event of each threshold, as a configuration names it", ("threshold",), "", object
    ),
}


def coverage(fields: Fields) -> Arrays:
    """The content of SUMS for one variable at one lead."""
    counting = fields.weights > 0.0
    regions = fields.region_weights > 0.0
    sums = {
        "weight_sum": fields.weights.reshape(len(counting), -1).sum(axis=1),
        "points": np.count_nonzero(counting, axis=(1, 2)),
        "mask_checksum": np.array(
            [zlib.crc32(np.packbits(mask.ravel()).tobytes()) for mask in counting]
        ),
        # If no point is valid, the ensemble counts as having no members.
        "members": np.full(len(counting), fields.member_count if fields.valid.any() else 0),
        "absent_members": np.full(len(counting), fields.forecast.absent),
        "missing_points": np.count_nonzero(regions & ~fields.forecast.valid, axis=(1, 2)),
        "missing_truth": np.count_nonzero(regions & ~np.isfinite(fields.truth), axis=(1, 2)),
    }
    if fields.limits and fields.valid.any():
        sums["event"] = np.array([limit.threshold.text for limit in fields.limits], object)
    return sums
