"""Base models, a file each, named as in `archive.model` (`stormdraw.archive.base_model`)."""
