# Two commands do everything on a machine with Python >= 3.11: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := out/demo
SCENARIO := scenarios/vit-base-orin-nano.yaml
# rooms whose tests are quick; the others load models, start processes or sweep
FAST := $(addprefix tests/,core syntax scenario timing strategies validation)
INSTALLED := $(VENV)/.installed
WORKERS := 2
BASE := HEAD
# a file's tests stay together, since they share what is dear; torch's threads leave the cores to the other worker
PYTEST = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 12

.PHONY: demo gallery docs test check bench waiting drift validate accuracy lessons clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "prism_sim needs Python >= 3.11, this is %s" % sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m prism_sim.timing.compiled
	touch $@

# The main job: a real photograph through ViT-Base on two boards, and the same over a range of compression rates.
demo: $(INSTALLED)
	$(BIN)/prism-sim run $(SCENARIO) --out $(OUT) --set workload.input="$$($(BIN)/python -c \
		'from matplotlib.cbook import get_sample_data; print(get_sample_data("grace_hopper.jpg", asfileobj=False))')"
	$(BIN)/python plots/compression.py $(SCENARIO) -o $(OUT)/compression.png

# The images of plots/gallery/, from the ready studies.
gallery: $(INSTALLED)
	$(BIN)/python plots/gallery.py -o plots/gallery

# The documentation as a site; a warning, such as a link that leads nowhere, is an error.
docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -E -W --keep-going -n -b html docs out/docs
	@echo "out/docs/index.html"

test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PYTEST)

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/mypy
	$(PYTEST) -m "not slow" $(FAST)

# Each against its reference in the same run; all are run, and any that is too slow fails the whole.
bench: $(INSTALLED)
	@failed=0; for name in engine scaling command numerics sweep; do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py || failed=1; done; exit $$failed

# Questions of many points, beside another revision on the same machine: make waiting BASE=main
waiting: $(INSTALLED)
	$(BIN)/python benchmarks/waiting.py against $(BASE)

# Which predictions of the ready scenarios differ from those of another revision: make drift BASE=main
drift: $(INSTALLED)
	$(BIN)/python benchmarks/drift.py against $(BASE)

# Predictions beside formulas, packets and measurements; the tables of the page are those that it prints.
validate: $(INSTALLED)
	$(BIN)/prism-sim validate --page docs/trust.md --out out/validate

# What splitting costs in accuracy: small models trained here, through prism and not; the tables and pictures of the page.
accuracy: $(INSTALLED)
	$(BIN)/python plots/accuracy.py --page docs/accuracy.md --images plots/gallery
	$(BIN)/python plots/generated_text.py --page docs/accuracy.md --images plots/gallery

# The lessons in the browser, without their code, at the address that is printed; with it: .venv/bin/marimo edit lessons
lessons: $(INSTALLED)
	$(BIN)/marimo run --token lessons

clean:
	rm -rf $(VENV) out
