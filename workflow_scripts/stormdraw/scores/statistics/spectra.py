"""How much variance members, their mean and the truth have at each scale.

Of the members only the first ten are transformed: each holds a spectrum of a whole field, so that
more of them hardly change the mean, and a hundred take as long as all other scores. The mean is
that of all members.
"""

import numpy as np

from stormdraw.scores.score import Arrays, Score, Sum
from stormdraw.scores.verification import Fields
from stormdraw.spectra import variance_spectrum

# The first members of the file, of which spectra are made.
_MEMBERS = 10


def _sums(fields: Fields) -> Arrays:
    """Where all points count: a field with holes has no spectrum."""
    if fields.members is None or not fields.valid.all():
        return {}
    members, threads = fields.members, fields.threads
    return {
        "spectrum_fields": np.array(1),
        "spectrum_members": np.mean(
            [variance_spectrum(member, threads) for member in members[:_MEMBERS]], axis=0
        ),
        "spectrum_mean": variance_spectrum(fields.mean, threads),
        "spectrum_truth": variance_spectrum(fields.truth, threads),
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
    | {
        "spectrum_fields": Sum(
            "1 if all points count, and there is a spectrum", (), 0, np.int64, for_diagrams=True
        )
    },
    fields=_sums,
)
