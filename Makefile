# Front door of Ohmulator. `make` alone lists the targets: each `## ` comment becomes its line.

# Values count only if they are given on the command line: they are neither taken from the
# environment nor handed on through it. PYTHON is the Python of .venv, else the newest that fits;
# any target that needs .venv takes it.
unexport $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
unexport MAKEFLAGS MFLAGS MAKEOVERRIDES
# Python's own variables change which modules it finds and how it runs.
unexport PYTHON $(filter PYTHON%,$(.VARIABLES))

python = .venv/bin/python

# $(call given,NAME): the value as it was given, never expanded, or nothing.
given = $(if $(filter command,$(origin $(1))),$(value $(1)))
# $(call quoted,NAME): the same as one word of the shell, to which make would give a line at a time.
define newline


endef
export newline
quoted = '$(subst $(newline),'"$$newline"',$(subst ','\'',$(call given,$(1))))'
upper = $(shell echo $(1) | tr a-z A-Z)
# $(call option,name): `--name='value'` if NAME has a value. $(call flag,name): `--name` if NAME
# has one that is not 0.
option = $(if $(call given,$(call upper,$(1))),--$(1)=$(call quoted,$(call upper,$(1))))
flag = $(if $(filter-out 0,$(call given,$(call upper,$(1)))),--$(1))
# $(call job,job,options,flags): run a job.
job = @$(python) -m ohmulator $(1) \
	$(foreach name,$(2),$(call option,$(name))) $(foreach name,$(3),$(call flag,$(name)))

.PHONY: help
help:
	@echo 'Usage: make TARGET [NAME=value ...]; PYTHON=program chooses the Python of .venv'
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / { \
			name[++n] = $$1; says[n] = $$2; if (length($$1) > width) width = length($$1) \
		} END { for (i = 1; i <= n; i++) printf "  %-" width "s  %s\n", name[i], says[i] }' Makefile

.PHONY: run
run: .venv/run.stamp ## Classify digits on one tile, RTL against model [CONFIG= SEED= WAVES=1 OUT= JSON=]
	$(call job,run,config seed out json,waves)

.PHONY: program
program: .venv/run.stamp ## Program every cell through the Verilog, then classify digits [as run]
	$(call job,program,config seed out json,waves)

.PHONY: sim
sim: .venv/run.stamp ## Run one testbench [TB= CONFIG= SIM=verilator|icarus SEED= COUNT= TRANSPOSED=1 WAVES=1 OUT= JSON=]
	$(call job,sim,tb config sim seed count out json,transposed waves)

.PHONY: physics
physics: .venv/run.stamp ## Draw cells, IR drop and ADCs of a chip with faults [CONFIG= SEED= OUT= JSON=]
	$(call job,physics,config seed out json)

.PHONY: sweep
sweep: .venv/run.stamp ## Accuracy of the digits against each fault [CONFIG= SEED= COUNT=chips OUT= JSON=]
	$(call job,sweep,config seed count out json)

.PHONY: spice
spice: .venv/run.stamp ## Write an array as SPICE netlist [CONFIG= SEED= SLICE= DRIVE=codes OUT=file]
	$(call job,spice,config seed slice drive out)

.PHONY: solve
solve: .venv/run.stamp ## Solve a system of equations [A=file.mtx|.npy B=file TOL= METHOD=auto|refine|fgmres BACKEND=model|sim LSQ=1 COUNT= CONFIG= SEED= OUT=file JSON=]
	$(call job,solve,a b tol method backend count config seed out json,lsq)

.PHONY: verilog
verilog: .venv/run.stamp ## Write Verilog [CONFIG= TOP=tile|tile_uart|tile_axi|chip|chip_uart ANALOG=blackbox|model WEIGHTS=file SEED= MEMORIES=blackbox STYLE=asic OUT=file]
	$(call job,verilog,config top analog weights seed memories style out)

.PHONY: area
area: .venv/area.stamp ## Print cells of a tile and of chips, on an ASIC and on FPGAs, and refuse latches [CONFIG= TOP=]
	$(call job,area,config top)

.PHONY: docs
docs: .venv/docs.stamp ## Build the site of the documentation, every link checked [OUT=]
	$(call job,docs,out)

.PHONY: test
test: .venv/test.stamp ## Lint, check types and imports, and run every test but the slow ones
	$(lint)
	$(python) -m pytest -n 2 -m 'not slow'

.PHONY: lint
lint: .venv/test.stamp ## Lint Python and the Verilog of every top level, as `make test` does
	$(lint)
	$(python) -m hw.tools.lint

.PHONY: check
check: .venv/test.stamp ## Run the slow tests, and the random ones at full length
	THOROUGH=1 $(python) -m pytest -n 2 -m 'slow or space'

.PHONY: bench
bench: .venv/test.stamp ## Measure speeds: wires, physics, co-simulation
	$(python) -m tests.bench.bench_wires
	$(python) -m tests.bench.bench_physics
	$(python) -m tests.bench.bench_cosim

.PHONY: place
place: .venv/fpga.stamp ## Place and route two chips on FPGAs, and print clock rates: takes an hour
	$(python) -m tests.bench.bench_place

.PHONY: mutants
mutants: .venv/test.stamp ## Change lines of the code at random and see whether tests notice [COUNT= SEED=]
	$(python) -m tests.mutation $(call option,count) $(call option,seed)

.PHONY: format
format: .venv/test.stamp ## Fix lint and formatting in place
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

.PHONY: lock
lock: ## Choose the packages that set-up installs anew, for every Python
	@PYTHON=$(call quoted,PYTHON) sh environment/setup.sh lock
	@build/lock/bin/python -m environment.lock

.PHONY: newest
newest: python = build/newest/bin/python
newest: ## Lint and test with the newest packages that pyproject.toml allows
	@PYTHON=$(call quoted,PYTHON) sh environment/setup.sh newest
	$(lint)
	$(python) -m pytest -n 2 -m 'not slow'

.PHONY: clean
clean: ## Remove results, simulator builds and caches, but not .venv
	rm -rf build out .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

define lint
$(python) -m ruff check .
$(python) -m ruff format --check .
$(python) -m mypy
$(dir $(python))lint-imports
$(python) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
endef

# A stamp exists only for a complete environment. The interpreter is a prerequisite because an
# upgrade of the system may remove or replace it; where another one is asked for, set-up looks.
.venv/run.stamp: pyproject.toml environment/setup.sh $(wildcard environment/locks/*) \
		.venv/bin/python $(if $(call given,PYTHON),always)
	@PYTHON=$(call quoted,PYTHON) sh environment/setup.sh run

.venv/area.stamp .venv/docs.stamp .venv/fpga.stamp .venv/test.stamp: .venv/%.stamp: .venv/run.stamp
	@sh environment/setup.sh $*

.venv/bin/python: ;

.PHONY: always
always:
