# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: demo test slow fuzz docs check clean

demo: $(READY)
	$(BIN)/curate run pipelines/demo.yaml --workspace demo

# Tests start hundreds of processes, which should not compile the package anew each.
unexport PYTHONDONTWRITEBYTECODE

# Three processes on two cores: tests wait for servers, and for commands that they start.
test: $(READY)
	$(BIN)/pytest -n 3 --dist loadscope

slow: $(READY)
	$(BIN)/pytest -m slow -n 2 --dist loadscope --timeout 900

# FUZZ_SECONDS a kind of file (60); FUZZ_SEED as printed repeats a run.
fuzz: $(READY)
	$(BIN)/python -m tests.security.fuzz

# The documentation, every link checked, into site/.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The marker is touched last, so that an installation that broke off is taken up again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) demo
