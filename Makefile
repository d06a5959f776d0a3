# Front door of Ohmulator. `make` alone lists the targets: each `## ` comment becomes its line.

# Given on the command line, never taken from the environment or handed on through it. PYTHON is
# the Python of .venv, else the newest that fits; any target that needs .venv takes it.
JSON =
OUT =
SEED =
WAVES =
CONFIG =
COUNT =
TOP =
ANALOG =
TB =
SIM =
SLICE =
DRIVE =
PYTHON =
unexport JSON OUT SEED COUNT WAVES CONFIG TOP ANALOG TB SIM SLICE DRIVE PYTHON

python = .venv/bin/python
# $(call option,NAME,VARIABLE): `--NAME='value'` if the variable has a value, quoted for the shell.
option = $(if $(value $(2)),--$(1)='$(subst ','\'',$(value $(2)))')
flag = $(if $(filter-out 0,$(value $(2))),--$(1))

.PHONY: help
help:
	@echo 'Usage: make TARGET [NAME=value ...]; PYTHON=program chooses the Python of .venv'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: .venv/run.stamp ## Classify digits on one tile, RTL against model [CONFIG= SEED= WAVES=1 OUT= JSON=]
	@$(python) -m ohmulator run $(call option,config,CONFIG) $(call option,seed,SEED) \
		$(call flag,waves,WAVES) $(call option,out,OUT) $(call option,json,JSON)

.PHONY: program
program: .venv/run.stamp ## Program every cell through the Verilog, then classify digits [as run]
	@$(python) -m ohmulator program $(call option,config,CONFIG) $(call option,seed,SEED) \
		$(call flag,waves,WAVES) $(call option,out,OUT) $(call option,json,JSON)

.PHONY: test
test: .venv/test.stamp ## Lint, check types and run every test
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	$(python) -m pytest -n 2

.PHONY: sim
sim: .venv/run.stamp ## Run one testbench [TB= CONFIG= SIM=verilator|icarus SEED= COUNT= TRANSPOSED=1 WAVES=1 OUT= JSON=]
	@$(python) -m ohmulator sim $(call option,tb,TB) $(call option,config,CONFIG) \
		$(call option,sim,SIM) $(call option,seed,SEED) $(call option,count,COUNT) \
		$(call flag,transposed,TRANSPOSED) $(call flag,waves,WAVES) $(call option,out,OUT) \
		$(call option,json,JSON)

.PHONY: physics
physics: .venv/run.stamp ## Draw cells, IR drop and ADCs of a chip with faults [CONFIG= SEED= OUT= JSON=]
	@$(python) -m ohmulator physics $(call option,config,CONFIG) $(call option,seed,SEED) \
		$(call option,out,OUT) $(call option,json,JSON)

.PHONY: sweep
sweep: .venv/run.stamp ## Accuracy of the digits against each fault [CONFIG= SEED= COUNT=chips OUT= JSON=]
	@$(python) -m ohmulator sweep $(call option,config,CONFIG) $(call option,seed,SEED) \
		$(call option,count,COUNT) $(call option,out,OUT) $(call option,json,JSON)

.PHONY: spice
spice: .venv/run.stamp ## Write an array as SPICE netlist [CONFIG= SEED= SLICE= DRIVE=codes OUT=file]
	@$(python) -m ohmulator spice $(call option,config,CONFIG) $(call option,seed,SEED) \
		$(call option,slice,SLICE) $(call option,drive,DRIVE) $(call option,out,OUT)

.PHONY: verilog
verilog: .venv/run.stamp ## Write Verilog [CONFIG= TOP=tile|chip|chip_uart ANALOG=blackbox OUT=file]
	@$(python) -m ohmulator verilog $(call option,config,CONFIG) $(call option,top,TOP) \
		$(call option,analog,ANALOG) $(call option,out,OUT)

.PHONY: area
area: .venv/run.stamp ## Print cells and area of a tile and of chips, and refuse latches [CONFIG= TOP=]
	@$(python) -m ohmulator area $(call option,config,CONFIG) $(call option,top,TOP)

.PHONY: bench
bench: .venv/test.stamp ## Measure speeds: wires, physics, co-simulation
	$(python) -m tests.bench.bench_wires
	$(python) -m tests.bench.bench_physics
	$(python) -m tests.bench.bench_cosim

.PHONY: docs
docs: .venv/run.stamp ## Write the reference of the machine and the pins of its macro into docs
	@$(python) -m ohmulator docs

.PHONY: format
format: .venv/test.stamp ## Fix lint and formatting in place
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

.PHONY: clean
clean: ## Remove results, simulator builds and caches, but not .venv
	rm -rf build out .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# A stamp exists only for a complete environment. The interpreter is a prerequisite because an
# upgrade of the system may remove or replace it; so is its name, where another one is asked for.
other_python = $(if $(PYTHON),$(filter-out $(shell cat .venv/run.stamp 2>&1),$(PYTHON)))
.venv/run.stamp: pyproject.toml environment/setup.sh .venv/bin/python $(if $(other_python),always)
	@PYTHON='$(PYTHON)' sh environment/setup.sh run

.venv/test.stamp: .venv/run.stamp
	@sh environment/setup.sh test

.venv/bin/python: ;

.PHONY: always
always:
