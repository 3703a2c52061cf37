"""One file a family's network; see `stormdraw.models.registry`."""
