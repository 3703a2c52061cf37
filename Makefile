# make demo    the whole workflow on a simulated archive, with a scorecard at the end
# make test    lint, types and tests
# make idaho   the same workflow on real HRRR crops

PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores all
INSTALLED := .venv/installed

.DELETE_ON_ERROR:
.PHONY: help demo idaho test lint types pytest schema clean

help:
	@sed -n 's/^# make /make /p' Makefile

$(INSTALLED): envs/requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stormdraw needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement envs/requirements.txt
	touch $@

demo: $(INSTALLED)
	$(SNAKEMAKE) --configfile config/demo.yaml
	$(MAKE) --no-print-directory results/report.zip CONFIG=config/demo.yaml
	$(BIN)/python workflow_scripts/show_headline.py

results/report.zip: results/report/scorecard.html
	$(BIN)/snakemake --configfile $(CONFIG) --report $@
