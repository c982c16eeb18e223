# Everything a newcomer needs: `make demo` and `make test`. Each installs what it needs.

PYTHON ?= python3
# Where to get a CPU build of torch from, e.g. https://download.pytorch.org/whl/cpu.
# Empty: the default index, whose Linux build brings several GB of CUDA libraries.
TORCH_INDEX ?=
# Where tests find real SDSS files; those tests are skipped with the reason without it.
AL_TEST_DATA ?= ../shared/data
export AL_TEST_DATA

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo test check bench clean

help:
	@echo "make demo     the loop on ten thousand real SDSS galaxies, two learning curves"
	@echo "make test     every check and every test"
	@echo "make check    format, lint, types, direction of imports"
	@echo "make bench    speed and memory, as ratios within one run"
	@echo "make clean    remove the environment and everything that was written"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"expected Python 3.11 or newer, found {sys.version}")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	$(BIN)/al demo --home .al/demo

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# One test process per core, one thread in each: more would fight over the cores.
test: check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

bench: install
	$(BIN)/al bench

clean:
	rm -rf $(VENV) .al build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
