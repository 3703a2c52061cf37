# What the rules of the models depend on.

from stormdraw.costs.runtime import minutes_to_train
from stormdraw.models.diagnosis.hours import can_be_diagnosed, diagnosed_hours
from stormdraw.models.given import given_checkpoint, is_own


def plan_of(model):
    """The plan of a model, or None if it does not exist yet."""
    path = Path(f"results/models/{model}/plan.json")
    plan = json.loads(path.read_text()) if path.exists() else {}
    return plan if "work" in plan else None


def memory_to_train(wildcards, attempt):
    """Megabytes, as planned; without a plan of its training, what a small model needs."""
    plan = plan_of(wildcards.model)
    known = plan is not None and "training_bytes" in plan
    return attempt * (plan["training_bytes"]["peak"] // 10**6 + 1 if known else 4000)


def memory_to_draw(wildcards, attempt):
    """Megabytes, of what evaluates networks on batches of members: those and a gigabyte beside."""
    return attempt * int(1000 + 1000 * SETTINGS.ensembles.batch_gigabytes)


def time_to_train(wildcards, attempt):
    """Minutes."""
    return minutes_to_train(plan_of(wildcards.model), devices_to_train(wildcards), attempt)


def nodes_to_train(wildcards):
    """The number of machines."""
    return MODELS[wildcards.model]["training"]["nodes"]


def devices_to_train(wildcards):
    """The number of GPUs, or of the processes that replace them, on all nodes."""
    return MODELS[wildcards.model]["training"]["devices"] * nodes_to_train(wildcards)


TRAINED_ON_NODES = [
    name for name in SETTINGS.trained_models if MODELS[name]["training"]["nodes"] > 1
]
TRAINED_ON_ONE = [name for name in SETTINGS.trained_models if name not in TRAINED_ON_NODES]


def given(model):
    """The checkpoint of a model that was trained elsewhere."""
    return given_checkpoint(SETTINGS.given_models[model])


# Those that are not where this run has them; a forecast uses what its folder has trained.
TAKEN_MODELS = [name for name, entry in SETTINGS.given_models.items() if not is_own(entry)]


def hash_of_given(model):
    """The SHA-256 of the checkpoint of a model that was trained elsewhere."""
    return given(model).sha256


def periods_of(model):
    """The periods of a model's training."""
    if model in SETTINGS.given_models:
        return given(model).header.record.get("periods", {})
    return SETTINGS.periods.model_dump(mode="json", include={"training", "validation"})


def planned_with(model):
    """The settings that a plan or a diagnosis depends on: of a given model, its checkpoint."""
    if model not in SETTINGS.given_models:
        return trained_on(model)
    return {"model": MODELS[model], "given": hash_of_given(model)}


def trained_on(model):
    """The settings that a training depends on."""
    forecaster = MODELS[model]["forecaster"]
    return {
        "seed": SETTINGS.seed,
        "variables": SETTINGS.roles.model_dump(mode="json"),
        "periods": SETTINGS.periods.model_dump(mode="json", include={"training", "validation"}),
        "model": MODELS[model],
        **({"forecaster": MODELS[forecaster]} if forecaster else {}),
        # How old the fields of an initial time, or what drives an hour, can be.
        **({"longest_lead": max(SETTINGS.leads)} if SETTINGS.roles.input or driven(model) else {}),
    }


def driven(model):
    """Whether a model, or the forecaster that a perturbation model learns from, is driven."""
    stepping = MODELS[model]["forecaster"] or model
    return MODELS[stepping]["driven_by"] is not None


def driving_of_training(wildcards):
    """What drives a model in training and validation; nothing of a model that is not driven."""
    return driving_of(hours_to_learn_from(SETTINGS)) if driven(wildcards.model) else []


def driving_statistics_of_training(wildcards):
    """The statistics of what drives a model; a forecaster has its own in its checkpoint."""
    own = MODELS[wildcards.model]["driven_by"] is not None
    return ["<results>/fields/driving_statistics.nc"] if own else []


def driving_of_diagnosis(wildcards):
    """What drives a model in its diagnosis."""
    if not driven(wildcards.model):
        return []
    schedule = schedule_of(SETTINGS)
    valid = diagnosed_hours(SETTINGS.periods)[1][1:]
    return driving_of(hour for time in valid for hour in schedule.possible(time))


def forecaster_of_model(wildcards):
    """The trained forecaster whose states a perturbation model learns to perturb."""
    forecaster = MODELS[wildcards.model]["forecaster"]
    return f"results/models/{forecaster}/model.pt" if forecaster else []


_VALIDATION = SETTINGS.periods.validation
VALIDATION_FILES = analysis_files(_VALIDATION.times()) if _VALIDATION else []

# Hours that are never scored: validation, or else the end of training. A run without them has no
# diagnosis of given models.
DIAGNOSED_FILES = analysis_files(diagnosed_hours(SETTINGS.periods)[1])
DIAGNOSED = [name for name, model in MODELS.items() if DIAGNOSED_FILES and can_be_diagnosed(model)]


EXPORTED_MODELS = expand("results/models/{model}/package", model=SETTINGS.models_export)


def drawn_from(model):
    """How members of an exported model are drawn: as by its first system without calibration."""
    keys = {"rho", "noise_amplitude", "sampler", "steps", "eta"}
    systems = [
        system
        for system in SETTINGS.ensembles.systems
        if system.by_model and system.drawn_from == (model,) and not system.calibrate
    ]
    own = systems[0].model_dump(mode="json", include=keys) if systems else {}
    return {"seed": SETTINGS.seed, "system": systems[0].name if systems else model, **own}
