"""The kinds of systems, one file each; see `stormdraw.ensembles.registry`."""
