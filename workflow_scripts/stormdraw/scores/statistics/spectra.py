"""How much variance members, their mean and the truth have at each scale."""

import numpy as np

from stormdraw.scores.score import Arrays, Score, Sum
from stormdraw.scores.verification import Fields
from stormdraw.spectra import variance_spectrum


def _sums(fields: Fields) -> Arrays:
    """Where all points count: a field with holes has no spectrum."""
    if fields.members is None or not fields.valid.all():
        return {}
    members, threads = fields.members, fields.threads
    mean = members.mean(axis=0, dtype=np.float64)
    return {
        "spectrum_fields": np.array(1),
        "spectrum_members": np.mean(
            [variance_spectrum(member, threads) for member in members], axis=0
        ),
        "spectrum_mean": variance_spectrum(mean, threads),
        "spectrum_truth": variance_spectrum(fields.truth, threads),
    }


_MEANINGS = {
    "members": "variance in each band, mean of the members'",
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
