# What the rules of the scores depend on.

from stormdraw.scores.memory import case_megabytes, points_megabytes, summary_megabytes

# Compiled loops are cached for the next job here, since they may otherwise go to the home folder.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path("results/compiled").absolute()))


def memory_to_score(wildcards, attempt):
    """Megabytes, by the number of members."""
    return attempt * case_megabytes(SETTINGS, MEMBERS_IN_FILES[wildcards.system])


# These settings affect only the summary of cases.
_OF_SUMMARIES = {"reference", "bootstrap_samples", "confidence", "equivalence"}


def scored_with():
    """The settings that the scores of a case depend on."""
    scores = SETTINGS.scores.model_dump(mode="json", exclude=_OF_SUMMARIES)
    return {"seed": SETTINGS.seed, "leads": list(SETTINGS.leads), "scores": scores}


def region_files(wildcards):
    """The files with the outlines of regions."""
    return [region.file for region in SETTINGS.scores.regions.values() if hasattr(region, "file")]


all_statistics = expand("results/scores/{system}/{init}.nc", system=SYSTEMS, init=INITS)
