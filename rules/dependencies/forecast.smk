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
    """The pages of all cycles; the hours of the last stretch are on that of the whole forecast."""
    if not SETTINGS.cycle:
        raise WorkflowError(
            "a forecast needs a cycle: add --config cycle=latest, or a time as cycle=2026060206"
        )
    whole = expand("results/forecasts/{init}/index.html", init=INITS)
    hours = STRETCHES[:-1] if STRETCHED else []
    return whole + expand(
        "results/forecasts/{init}/hours_{hours}/index.html", init=INITS, hours=hours
    )


def products_in(folder):
    """The files of the products of a system, by name."""
    gribs = {kind: f"{folder}/{{system}}.{ending}" for kind, ending in GRIB_PRODUCTS.items()}
    inventories = [f"{path}.idx" for path in gribs.values()]
    return {**gribs, "netcdf": f"{folder}/{{system}}.nc", "inventories": inventories}
