"""Formats that ensembles are exported to, a file each, named as in `ensembles.export`
(`stormdraw.ensembles.export`)."""
