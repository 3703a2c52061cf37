# forecast: the newest cycle, drawn with trained models, and its page.

# Systems whose products are stored as Zarr as well.
IN_ZARR = CANDIDATES if SETTINGS.forecast.zarr else []

if SETTINGS.cycle:

    use rule report_products as forecast_products with:
        output:
            **products_in("results/forecasts/{init}"),
        log:
            "results/logs/forecast_products/{system}/{init}.log",
        benchmark:
            "results/benchmarks/forecast_products/{system}/{init}.tsv"

    rule forecast_page:
        input:
            ensembles=expand("<results>/ensembles/{system}/{{init}}.nc", system=CANDIDATES),
            products=expand("results/forecasts/{{init}}/{system}.nc", system=CANDIDATES),
            # Only for the page to list it.
            zarr=expand("results/forecasts/{{init}}/{system}.zarr", system=IN_ZARR),
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

    # Only where products are wanted as Zarr.
    if IN_ZARR:

        rule forecast_zarr:
            input:
                products="results/forecasts/{init}/{system}.nc",
            output:
                store=directory("results/forecasts/{init}/{system}.zarr"),
            log:
                "results/logs/forecast_zarr/{system}/{init}.log",
            benchmark:
                "results/benchmarks/forecast_zarr/{system}/{init}.tsv"
            wildcard_constraints:
                system=one_of(IN_ZARR),
            conda:
                "../envs/stormdraw.yaml"
            threads: 1
            resources:
                mem_mb=growing(2000),
                runtime=growing(30),
            params:
                code=code("forecast_zarr"),
            message:
                "Storing the products of {wildcards.system} at {wildcards.init} as Zarr"
            script:
                "../workflow_scripts/forecast_zarr.py"

    # Only where hours are drawn in stretches: products and a page of each before the next is drawn.
    if STRETCHED:

        use rule forecast_products as forecast_hours_products with:
            input:
                ensemble="<results>/ensembles/{system}/{init}.hours_{hours}.nc",
            output:
                **products_in("results/forecasts/{init}/hours_{hours}"),
            log:
                "results/logs/forecast_hours_products/{system}_{hours}/{init}.log",
            benchmark:
                "results/benchmarks/forecast_hours_products/{system}_{hours}/{init}.tsv"
            wildcard_constraints:
                system=one_of(CANDIDATES),
                hours=one_of(STRETCHES[:-1]),
            priority: EARLIEST
            message:
                "Writing the products of {wildcards.system} at {wildcards.init}, hours {wildcards.hours}"

        use rule forecast_page as forecast_hours_page with:
            input:
                ensembles=expand(
                    "<results>/ensembles/{system}/{{init}}.hours_{{hours}}.nc", system=CANDIDATES
                ),
                products=expand(
                    "results/forecasts/{{init}}/hours_{{hours}}/{system}.nc", system=CANDIDATES
                ),
            output:
                page="results/forecasts/{init}/hours_{hours}/index.html",
            log:
                "results/logs/forecast_hours_page/{hours}/{init}.log",
            benchmark:
                "results/benchmarks/forecast_hours_page/{hours}/{init}.tsv"
            wildcard_constraints:
                hours=one_of(STRETCHES[:-1]),
            priority: EARLIEST
            message:
                "Writing the page of {wildcards.init}, hours {wildcards.hours}"
