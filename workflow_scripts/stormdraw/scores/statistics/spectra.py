"""How much variance members, their mean and the truth have at each scale.

Of the members only the first ten are transformed: each holds a spectrum of a whole field, so that
more of them hardly change the mean, and a hundred take as long as all other scores. The mean is
that of all members. Where points do not count, as where a radar sees nothing, all fields have the
same gap.
"""

import functools

import numpy as np

from stormdraw.scores.score import Arrays, Score, Sum
from stormdraw.scores.verification import Fields
from stormdraw.spectra import variance_spectrum

# The first members of the file, of which spectra are made.
_MEMBERS = 10
# The least share of a field that counts: the spectrum of less is that of the gap's edges.
_LEAST_VALID = 0.5


def _sums(fields: Fields) -> Arrays:
    if fields.members is None or fields.valid.mean() < _LEAST_VALID:
        return {}
    valid = None if fields.valid.all() else fields.valid
    spectrum = functools.partial(variance_spectrum, threads=fields.threads, valid=valid)
    return {
        "spectrum_fields": np.array(1),
        "spectrum_members": np.mean([spectrum(each) for each in fields.members[:_MEMBERS]], axis=0),
        "spectrum_mean": spectrum(fields.mean),
        "spectrum_truth": spectrum(fields.truth),
    }


_MEANINGS = {
    "members": f"variance in each band, mean of the first {_MEMBERS} members'",
    "mean": "variance in each band, of the ensemble's mean",
    "truth": "variance in each band, of the truth",
}

SCORE = Score(
    sums={
        f"spectrum_{of}": Sum(meaning, ("wavenumber",), for_diagrams=True)
        for of, meaning in _MEANINGS.items()
    }
    | {"spectrum_fields": Sum("1 if there is a spectrum", (), 0, np.int64, for_diagrams=True)},
    fields=_sums,
)
