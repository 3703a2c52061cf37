# What the rules of a forecast depend on.


def digest_of_templates(*names):
    """A digest of some templates of pages."""
    folder = LIBRARY / "stormdraw/report/templates"
    return digest([(folder / name).read_text(encoding="utf-8") for name in names])


def forecast_settings():
    """What the page of a forecast shows of the configuration."""
    return {
        "title": SETTINGS.title,
        "leads": list(SETTINGS.leads),
        "forecast": SETTINGS.forecast.model_dump(mode="json"),
        "archive": SETTINGS.archive.model_dump(mode="json", include={"model", "source", "driving"}),
        "thresholds": {
            name: [one.given for one in SETTINGS.scores.fixed_thresholds(name)] for name in STATE
        },
    }


def forecast_pages(wildcards):
    """The pages of all cycles."""
    if not SETTINGS.cycle:
        raise WorkflowError(
            "a forecast needs a cycle: add --config cycle=latest, or a time as cycle=2026060206"
        )
    return expand("results/forecasts/{init}/index.html", init=INITS)
