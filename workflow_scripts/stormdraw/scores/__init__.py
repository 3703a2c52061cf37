"""Ensembles against the truth: sums and counts for each case, then scores with intervals."""
