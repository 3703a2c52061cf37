"""One file a kind of system; see `stormdraw.ensembles.registry`."""
