"""Compare ensembles with the truth: sums and counts per case, then scores with intervals."""
