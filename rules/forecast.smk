# forecast: the newest cycle, drawn with trained models, and its page.

if SETTINGS.cycle:

    use rule report_products as forecast_products with:
        output:
            **{
                kind: f"results/forecasts/{{init}}/{{system}}.{ending}"
                for kind, ending in GRIB_PRODUCTS.items()
            },
            netcdf="results/forecasts/{init}/{system}.nc",
            inventories=[
                f"results/forecasts/{{init}}/{{system}}.{ending}.idx"
                for ending in GRIB_PRODUCTS.values()
            ],
        log:
            "results/logs/forecast_products/{system}/{init}.log",
        benchmark:
            "results/benchmarks/forecast_products/{system}/{init}.tsv"

    rule forecast_page:
        input:
            ensembles=expand("<results>/ensembles/{system}/{{init}}.nc", system=CANDIDATES),
            products=expand("results/forecasts/{{init}}/{system}.nc", system=CANDIDATES),
        output:
            page="results/forecasts/{init}/index.html",
        log:
            "results/logs/forecast_page/{init}.log",
        benchmark:
            "results/benchmarks/forecast_page/{init}.tsv"
        conda:
            "../envs/stormdraw.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            code=code("forecast_page"),
            templates=digest_of_templates("forecast.html.jinja", "scorecard.css"),
            systems=CANDIDATES,
            colours=COLOURS,
            settings=forecast_settings(),
        message:
            "Writing the page of {wildcards.init}"
        script:
            "../workflow_scripts/forecast_page.py"
