# make demo    the whole workflow on a simulated archive, with a scorecard at the end
# make twin    how near models come to the perfect ensemble, on a longer simulated archive
# make twin-table  write docs/twin.md's tables and figure from the results of make twin
# make idaho   the same workflow on real HRRR crops, which it fetches from the package index (4 MB)
# make plan    what a run will cost, before anything is fetched; CONFIG=config/demo.yaml for another
# make doctor  whether this machine is ready for it, and what to do if not; CONFIG= likewise
# make card    what a checkpoint is; MODEL=results/models/crps_unet/model.pt or any other file
# make test    lint, types and all tests but the slow ones
# make test-slow   the slow ones: each fault with a second source, two ranks, the largest plan
# make lint    ruff, snakefmt, snakemake --lint and mypy only
# make docs    the documents as a site in site/, links checked; open site/index.html
# make rule-graph  draw docs/rules.svg anew (needs Graphviz)
# make schema  write config/schema.json from the settings
# make pins    pin envs/requirements*.in to what is installed in .venv
# make storm-world   what calibration does to storms in a toy world: docs/calibration.md
# make benchmark-scores   scores beside one sort and other libraries: docs/scores-benchmark.md
# make benchmark-statistics  each statistic at full grid; COMMIT= for the library of then beside it
# make benchmark-archive  time of fetching beside curl, and of planning a year of hours
# make archive-faults     what becomes of a file when its server fails: docs/archive_faults.md
# make benchmark-fields   decode, store and regrid beside their limits: docs/benchmarks-fields.md
# make benchmark-loading  batches read from warm and cold files: docs/loading-benchmark.md
# make benchmark-training   a training step of the original recipe beside ours, at full grid
# make benchmark-forecast  from a forecast's last file to its products; MODEL= the demo's model.pt
# make benchmark-sampling   what members cost and how well they score: docs/sampling-benchmark.md
# make gpu-acceptance   what one GPU makes of it, in some nine minutes: docs/gpu.md, or "not measured"
# make compare-scores     write docs/score-libraries.md: our scores beside those of other libraries
# make compare-intervals  write docs/intervals.md: how often intervals hold the true score
# make test-cluster       profiles/slurm on a Slurm of two nodes, which it installs (root on Debian)
# make clean   remove what runs have made

PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores all
INSTALLED := .venv/installed
INSTALLED_FOR_TESTS := .venv/installed-for-tests

.DELETE_ON_ERROR:
.PHONY: help docs rule-graph demo twin twin-table idaho plan doctor card test lint types rules-lint unit workflow test-slow \
  test-cluster schema pins \
  benchmark-scores benchmark-statistics benchmark-archive benchmark-fields benchmark-loading \
  benchmark-training benchmark-forecast benchmark-sampling gpu-acceptance archive-faults storm-world compare-scores compare-intervals \
  clean

help:
	@sed -n 's/^# make /make /p' Makefile

$(INSTALLED): envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("stormdraw needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement envs/requirements.txt
	@touch $@

$(INSTALLED_FOR_TESTS): $(INSTALLED) envs/requirements-test.txt
	$(BIN)/pip install --quiet --requirement envs/requirements-test.txt
	@touch $@

demo: CONFIG := config/demo.yaml
twin: CONFIG := config/twin.yaml
idaho: CONFIG := config/idaho.yaml
demo twin idaho: $(INSTALLED)
	$(SNAKEMAKE) --configfile $(CONFIG)
	@test results/report.zip -nt results/report/scorecard.html || \
	  $(BIN)/snakemake --configfile $(CONFIG) --report results/report.zip
	@$(BIN)/python workflow_scripts/report_headline.py $(CONFIG)

idaho: hrrr_idaho
hrrr_idaho: | $(INSTALLED)
	@$(BIN)/python workflow_scripts/idaho_crops.py $@

twin-table: $(INSTALLED)
	$(BIN)/python tests/benchmarks/twin_table.py docs/twin.md

plan doctor: CONFIG ?= config/config.yaml
plan: $(INSTALLED)
	@$(BIN)/python workflow_scripts/plan.py $(CONFIG)

doctor: $(INSTALLED)
	@$(BIN)/python workflow_scripts/doctor.py $(CONFIG)

card: $(INSTALLED)
	@$(BIN)/python workflow_scripts/card.py $(MODEL)

test: lint unit workflow

lint: $(INSTALLED_FOR_TESTS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(MAKE) --no-print-directory --jobs 2 types rules-lint

types: $(INSTALLED_FOR_TESTS)
	$(BIN)/mypy

rules-lint: $(INSTALLED_FOR_TESTS)
	$(BIN)/snakemake --lint --configfile config/demo.yaml

unit: $(INSTALLED_FOR_TESTS)
	tests/unit/report/install_chromium.sh
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup -m "not slow" tests/unit

# Members are equal up to rounding: on a processor without AVX-512, too.
OTHER_PROCESSOR := ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2
test-slow: $(INSTALLED_FOR_TESTS)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup -m slow tests/unit tests/workflow
	$(OTHER_PROCESSOR) OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup -m "not slow" \
	  tests/unit/ensembles tests/unit/models

workflow: $(INSTALLED_FOR_TESTS)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" \
	  tests/rules tests/workflow

schema: $(INSTALLED)
	$(BIN)/python workflow_scripts/write_schema.py

.venv-docs/installed: envs/requirements-docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --requirement envs/requirements-docs.txt
	@touch $@

docs: .venv-docs/installed
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet

rule-graph: $(INSTALLED)
	$(BIN)/snakemake --configfile config/demo.yaml --rulegraph | dot -Tsvg > docs/rules.svg

pins: $(INSTALLED_FOR_TESTS)
	$(BIN)/python envs/pin.py

test-cluster: $(INSTALLED_FOR_TESTS)
	tests/cluster/install_slurm.sh
	$(BIN)/pip install --quiet --requirement envs/requirements-slurm.txt
	$(BIN)/pytest --verbose tests/cluster

benchmark-scores: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/scores.py docs/scores-benchmark.md

benchmark-statistics: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/scores_statistics.py $(COMMIT)

benchmark-archive: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/archive.py docs/benchmarks-archive.md

archive-faults: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/archive_faults.py

storm-world: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/storm_world_table.py docs/calibration.md

benchmark-fields: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/benchmarks/fields.py docs/benchmarks-fields.md

benchmark-loading: $(INSTALLED)
	$(BIN)/python tests/benchmarks/loading.py docs/loading-benchmark.md

MODELS ?= ddpm_ultra_minimal ddpm_small
benchmark-training: $(INSTALLED)
	$(BIN)/python tests/benchmarks/training.py $(MODELS)

gpu-acceptance: $(INSTALLED)
	$(BIN)/python tests/benchmarks/gpu_acceptance.py

# The demo's world, a diffusion model and the cheapest one, trained if they are not yet.
TWIN := --configfile config/demo.yaml --config 'models=["crps_demo","ddpm_residual","crps_unet"]'
benchmark-forecast: $(INSTALLED)
	$(BIN)/python tests/benchmarks/forecast.py $(MODEL)

benchmark-sampling: $(INSTALLED)
	$(SNAKEMAKE) $(TWIN) -- $$($(BIN)/python tests/benchmarks/sampling.py --needed)
	$(BIN)/python tests/benchmarks/sampling.py docs/sampling-benchmark.md

compare-scores: $(INSTALLED_FOR_TESTS)
	$(BIN)/python -W ignore tests/comparisons/score_libraries.py docs/score-libraries.md

compare-intervals: $(INSTALLED_FOR_TESTS)
	$(BIN)/python tests/comparisons/interval_coverage.py docs/intervals.md

clean:
	rm -rf results/* .snakemake
