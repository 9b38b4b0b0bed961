# Everything a newcomer needs: `make demo` to see it work, `make test` to see it hold.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: setup demo test docs faults matrix endurance image-check audit lint fuzz soak bench bench-quick bench-lists bench-growth stack-up stack-down clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON): Python 3.11 or newer is needed (apt-get install python3 python3-venv), or make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: apt-get install python3-venv"; exit 1; }
	@command -v "$${JAVA_HOME:+$$JAVA_HOME/bin/}java" >/dev/null || { echo "no java: Java 17 is needed (apt-get install openjdk-17-jre-headless), or set JAVA_HOME"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	$(BIN)/leitong demo

test: lint
	@command -v mvn >/dev/null || { echo "no mvn: Maven fetches Kafka and HBase for the tests (apt-get install maven)"; exit 1; }
	@command -v "$${JAVA_HOME:+$$JAVA_HOME/bin/}jshell" >/dev/null || { echo "no jshell: the recipes for Java are run with it (apt-get install openjdk-17-jdk-headless)"; exit 1; }
	@command -v chromedriver >/dev/null || { echo "no chromedriver: the tests of the dashboard look at it in Chromium (apt-get install chromium chromium-driver)"; exit 1; }
	@command -v promtool >/dev/null || { echo "no promtool: Prometheus's own tool tests the alert rules (it is in the package prometheus)"; exit 1; }
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

# The documentation as a site, in docs/_site; pages that the program knows better are written anew.
docs: setup
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -W --keep-going -n -q docs docs/_site
	@echo "docs/_site/index.html"

# Kill everything many times over, FAULTS_SEED=1; and cut the same logs in every way.
faults: setup
	$(BIN)/python -m tests.faults.faults

matrix: setup
	$(BIN)/python -m tests.faults.matrix

# Half an hour at a steady rate: memory, lag and tables, ENDURANCE_MINUTES=30 ENDURANCE_RATE=20.
endurance: setup
	$(BIN)/python -m tests.faults.endurance

# Known weaknesses of what is pinned; needs the database that pip-audit asks.
audit: setup
	$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/audit/bin/pip-audit --no-deps -r constraints.txt

# Builds the image with podman, or CONTAINERS=docker, and tries it out.
image-check: setup
	$(BIN)/python -m tests.image.check

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A million changed messages and requests, N=1000000.
fuzz: setup
	$(BIN)/python -m tests.fuzz.fuzzing --inputs $(or $(N),1000000)

soak: setup
	$(BIN)/python -m tests.simulation.soak --histories $(or $(N),20000)

# The peers; simhash-pybind calls its package as simhash does, so it lies beside the others.
PEERS := $(VENV)/.peers

$(PEERS): $(READY) benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --no-deps --target $(VENV)/peers simhash-pybind==0.0.3
	@touch $@

bench: $(PEERS)
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/core.py
	$(BIN)/python benchmarks/stages.py
	$(BIN)/python benchmarks/end_to_end.py
	$(BIN)/python benchmarks/regions.py
	$(BIN)/python benchmarks/executors.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/claims.py
	$(BIN)/python benchmarks/page.py

# Similar articles, titles of two sources, and the pages.
bench-lists: $(PEERS)
	$(BIN)/python benchmarks/match.py
	$(BIN)/python benchmarks/ranking.py
	$(BIN)/python benchmarks/batches.py
	$(BIN)/python benchmarks/lists.py
	$(BIN)/python benchmarks/dashboard.py
	$(BIN)/python benchmarks/page.py

# Only whether we are ahead where we say so: the exit code tells.
bench-quick: $(PEERS)
	$(BIN)/python benchmarks/stages.py --quick

# Hours, and 40 GB of disk.
bench-growth: $(PEERS)
	$(BIN)/python benchmarks/growth.py --bands 4,1 --sizes 10000,100000,1000000
	$(BIN)/python benchmarks/growth.py --bands 5,2 --sizes 10000,100000,1000000,10000000 --story 0
	$(BIN)/python benchmarks/growth.py --store hbase --bands 5,2 --sizes 100000,1000000 --story 0
	$(BIN)/python benchmarks/page.py

stack-up: setup
	$(BIN)/leitong stack up

stack-down: setup
	$(BIN)/leitong stack down

clean:
	rm -rf $(VENV) .leitong docs/_site .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
