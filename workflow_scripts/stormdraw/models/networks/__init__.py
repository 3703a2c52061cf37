"""One file a family of networks; see `stormdraw.models.registry`."""
