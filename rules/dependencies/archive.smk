# What the rules of the archive depend on: the requested files, and the paths of their manifests.

import functools

from stormdraw.archive.wanted import requests_by_date, used_sources

SIMULATED = "results/archive/simulated"
# The simulated archive replaces the cloud as a mirror folder.
MIRROR = SIMULATED if SETTINGS.archive.source == "simulated" else []


@functools.cache
def wanted_of(source):
    """A source's files by day, listed only once since a year has thousands."""
    return requests_by_date(SETTINGS, source)


def manifests(source):
    return expand(
        "results/archive/{source}/{date}/manifest.csv",
        source=source,
        date=sorted(wanted_of(source)),
    )


def all_manifests():
    return [path for source in used_sources(SETTINGS) for path in manifests(source)]
