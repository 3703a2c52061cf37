"""A configuration with other values."""

import copy


def changed(config, **edits):
    """A copy with these values; `ensembles__members` is the key members below ensembles."""
    config = copy.deepcopy(config)
    for path, value in edits.items():
        *parents, last = path.split("__")
        place = config
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return config
