"""Truths, a file each, named as in `archive.truth` (`stormdraw.archive.truth`)."""
