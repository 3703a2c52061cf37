# What the rules of the scores depend on.

from stormdraw.archive.truth_names import with_another_truth
from stormdraw.scores.check.chosen import chosen_case
from stormdraw.scores.memory import (
    case_megabytes,
    points_megabytes,
    second_opinion_megabytes,
    stations_megabytes,
    summary_megabytes,
)

# Compiled loops are cached for the next job here, since they may otherwise go to the home folder.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path("results/compiled").absolute()))


def memory_to_score(wildcards, attempt):
    """Megabytes, by the number of members."""
    return attempt * case_megabytes(SETTINGS, MEMBERS_IN_FILES[wildcards.system])


# These settings affect only the summary of cases, or the scores at stations.
_OF_OTHERS = {"reference", "bootstrap_samples", "confidence", "equivalence", "stations"}


def scored_with():
    """The settings that the scores of a case depend on."""
    scores = SETTINGS.scores.model_dump(mode="json", exclude=_OF_OTHERS)
    return {"seed": SETTINGS.seed, "leads": list(SETTINGS.leads), "scores": scores}


def summed_with(*others):
    """The settings that the tables over all cases depend on: of scores all but some."""
    scores = SETTINGS.scores.model_dump(mode="json", exclude={*others})
    return {"seed": SETTINGS.seed, "systems": list(SYSTEMS), "scores": scores}


WITH_ANOTHER_TRUTH = with_another_truth(SETTINGS)

# Of a case of a system: its scores against the truth and, if that is another, the analysis.
STATISTICS = {"statistics": "<results>/scores/{system}/{init}.nc"}
if WITH_ANOTHER_TRUTH:
    STATISTICS["of_analysis"] = "<results>/scores/analysis/{system}/{init}.nc"


def analyses_of_case(wildcards):
    """The analyses at the valid times of a case."""
    init = parse_init(wildcards.init)
    return analysis_files(init + hours(lead) for lead in SETTINGS.leads)


def region_files(wildcards):
    """The files with the outlines of regions."""
    return [region.file for region in SETTINGS.scores.regions.values() if hasattr(region, "file")]


# Those of all cases.
SCORED = [*SCORED_BEFORE, *INITS]
all_statistics = expand("<results>/scores/{system}/{init}.nc", system=SYSTEMS, init=SCORED)


def case_to_check(name):
    """The case of a system that other libraries score as well; of files of others, one with some."""

    def has_files(init):
        return bool(SYSTEMS[name].files_of(SETTINGS, parse_init(init)))

    return chosen_case(SETTINGS.seed, name, INITS, has_files)


CHECKED = {name: case_to_check(name) for name in SYSTEMS}

# The truths of this run that come from messages on the grid of the base model.
_ON_MODEL_GRID = [truth for truth in map(SETTINGS.archive.truth_of, STATE) if truth.on_model_grid]


def analyses_fetched(wildcards):
    """The manifests of the analyses at the valid times of a case, if any is a truth."""
    if not any(truth.is_analysis for truth in _ON_MODEL_GRID):
        return []
    days = [Path(path).stem for path in analyses_of_case(wildcards)]
    return expand(
        "<results>/archive/{source}/{date}/manifest.csv", source=BASE_MODEL.name, date=days
    )


def other_truth_fetched(wildcards):
    """The manifests of other truths on the base model's grid at the valid times of a case."""
    if all(truth.is_analysis for truth in _ON_MODEL_GRID):
        return []
    init = parse_init(wildcards.init)
    days = sorted({SETTINGS.folder_of(init + hours(lead)) for lead in SETTINGS.leads})
    return expand("<results>/archive/truth/{date}/manifest.csv", date=days)


def second_opinion_with():
    """The settings that the scores of a case by other libraries depend on."""
    stored = {"crop", "coarsen", "suspicious", "store"}
    return {
        "seed": SETTINGS.seed,
        "leads": list(SETTINGS.leads),
        "truth": TRUTH_OF,
        "no_echo": BASE_MODEL.reflectivity_floor,
        "fields": SETTINGS.fields.model_dump(mode="json", include=stored),
        "scores": SETTINGS.scores.model_dump(mode="json", include={"thresholds", "area_weights"}),
    }


def reports_of_case(wildcards):
    """The tables of reports of the days that the valid times of a case lie in."""
    init = parse_init(wildcards.init)
    days = {SETTINGS.folder_of(init + hours(lead)) for lead in SETTINGS.leads}
    return [f"<results>/archive/stations/{day}.parquet" for day in sorted(days)]


def scored_at_stations_with():
    """The settings that the scores of a case at stations depend on."""
    stations = SETTINGS.scores.stations.model_dump(mode="json", exclude={"held_out_share"})
    thresholds = SETTINGS.scores.model_dump(mode="json", include={"thresholds"})
    return {
        "seed": SETTINGS.seed,
        "leads": list(SETTINGS.leads),
        **thresholds,
        "stations": stations,
    }


# Scores against stations, if the run has any.
STATION_TABLES = {
    "summary": "<results>/scores/stations.csv",
    "by_hour": "<results>/scores/stations_by_hour.csv",
    "by_place": "<results>/scores/stations_by_place.csv",
    "overall": "<results>/scores/stations_overall.csv",
    "dropped": "<results>/scores/stations_dropped.csv",
}
WANTED_STATION_TABLES = STATION_TABLES if STATIONS is not None else {}
