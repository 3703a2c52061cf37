"""Base models, a file each, named as in `archive.model` (`stormdraw.archive.base_model`)."""

# The one of a run that names none.
USUAL = "hrrr"
