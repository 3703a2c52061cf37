"""The networks, one file per family; see `stormdraw.models.registry`."""
