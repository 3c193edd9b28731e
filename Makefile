# ipclab
#
#   make            build the server and the worker
#   make run        install what is missing, build, serve, print the address
#   make test       install what the tests need, build, run every test
#   make check      the fast tests: unit, conformance, floors
#   make bench      ipclab beside the limit and its peers, into docs/benchmarks.md
#   make help       all targets
#
# SANITIZE=1 builds under build/sanitize with ASan and UBSan, WERROR=1 turns warnings into errors, CC=clang works too,
# V=1 shows the commands. All CPUs are used unless -j says otherwise.

VERSION := 0.1.0
ifeq ($(MAKELEVEL),0)
MAKEFLAGS := --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) $(MAKEFLAGS)
endif
# One short line for each step; say is silent with V=1, which shows the whole command instead.
Q   := $(if $(V),,@)
say  = $(if $(V),@:,@printf '  %-5s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@))
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build$(if $(SANITIZE),/sanitize)

CPPFLAGS += -I. -I$(BUILD)/gen -D_GNU_SOURCE -DIPCLAB_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes $(if $(WERROR),-Werror)
CFLAGS   ?= -O2 -g
CFLAGS   += -std=c17 -fno-strict-aliasing $(WARNINGS)
LDLIBS_server := -lmicrohttpd -lcjson -lsqlite3 -lcurl -lz -lm
LDLIBS_worker := -lcjson -lm
ifdef SANITIZE
CFLAGS  += -fsanitize=address,undefined -fno-omit-frame-pointer -DIPCLAB_SANITIZE
LDFLAGS += -fsanitize=address,undefined
endif

common_c  := $(wildcard common/*.c)
db_c      := $(wildcard db/*.c)
server_c  := $(wildcard server/*.c server/api/*.c server/analysis/*.c server/commands/*.c)
workers_c := $(wildcard workers/*.c workers/mechanisms/*.c workers/labs/*.c workers/claims/*.c)
web_files := $(shell find web -type f ! -name '*.md' ! -name '.*' ! -name package.json 2>/dev/null | LC_ALL=C sort)
# The programs that students are shown: the labs themselves, not what is around them.
lab_files := $(filter-out workers/labs/lab%.c workers/labs/table.c workers/labs/skeleton.c,$(wildcard workers/labs/*.c))
migrations := $(wildcard db/migrations/*.sql)
generated_c := $(BUILD)/gen/embedded.c $(BUILD)/gen/embedded.S $(BUILD)/gen/migrations.c

object = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))
common_o  := $(call object,$(common_c))
db_o      := $(call object,$(db_c)) $(BUILD)/gen/migrations.o
server_o  := $(call object,$(server_c)) $(BUILD)/gen/embedded.o $(BUILD)/gen/embedded_data.o
workers_o := $(call object,$(workers_c))
main_o    := $(BUILD)/obj/server/main.o $(BUILD)/obj/workers/main.o

programs := $(BUILD)/ipclab $(BUILD)/ipclab-worker

.PHONY: all
all: dependencies
	+@$(MAKE) programs

# Everything but the check for packages.
.PHONY: programs
programs: $(programs)

$(BUILD)/ipclab: $(common_o) $(db_o) $(server_o)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_server)

$(BUILD)/ipclab-worker: $(common_o) $(workers_o)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_worker)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# ---- what is embedded: the page, the API's description, the migrations ----

embed_program := $(BUILD)/gen/yaml_to_json

$(embed_program): server/embed/yaml_to_json.c
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CPPFLAGS) -O1 -std=c17 $(WARNINGS) -o $@ $< -lyaml

$(BUILD)/gen/openapi.json: server/api/openapi.yaml $(embed_program)
	$(call say,JSON)
	$(Q)$(embed_program) < $< > $@.tmp && mv $@.tmp $@

# Both or neither: the object that holds the bytes may not be older than the one that says how many they are.
$(BUILD)/gen/embedded.c $(BUILD)/gen/embedded.S &: server/embed/embed.sh $(web_files) $(lab_files) server/api/openapi.yaml $(BUILD)/gen/openapi.json $(BUILD)/gen/web.list
	$(call say,EMBED)
	$(Q)sh server/embed/embed.sh $(BUILD)/gen $(web_files) $(lab_files)

# Rewritten only when a file of the page came or went, so that one that was removed leaves the program too.
$(BUILD)/gen/web.list: FORCE
	@mkdir -p $(@D)
	@echo '$(web_files) $(lab_files)' | cmp -s - $@ || echo '$(web_files) $(lab_files)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/gen/embedded.o: $(BUILD)/gen/embedded.c
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/gen/embedded_data.o: $(BUILD)/gen/embedded.S
	$(call say,AS)
	$(Q)$(CC) -c -o $@ $<

$(BUILD)/gen/migrations.c: db/embed_migrations.sh $(migrations)
	@mkdir -p $(@D)
	$(call say,EMBED)
	$(Q)sh db/embed_migrations.sh $@ $(migrations)
$(BUILD)/gen/migrations.o: $(BUILD)/gen/migrations.c
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# ---- run and install ----

.PHONY: dependencies test-dependencies
dependencies:
	@sh .ci/install-packages build
test-dependencies:
	@sh .ci/install-packages build test

.PHONY: run
run: all
	@$(BUILD)/ipclab serve $(ARGS)

.PHONY: install
install: programs
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(programs) $(DESTDIR)$(PREFIX)/bin

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/ipclab $(DESTDIR)$(PREFIX)/bin/ipclab-worker

# ---- tests ----

unit_o        := $(call object,$(wildcard tests/unit/*.c tests/support/*.c))
conformance_o := $(call object,$(wildcard tests/conformance/*.c) tests/support/scratch.c tests/support/file.c)
fault_programs := $(patsubst tests/fault/%.c,$(BUILD)/tests/fault/%,$(wildcard tests/fault/*.c))
probe_c       := $(wildcard tests/perf/probe/*.c)
library_o     := $(filter-out $(main_o),$(common_o) $(db_o) $(server_o) $(workers_o))

$(BUILD)/tests/unit: $(unit_o) $(library_o)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcriterion $(LDLIBS_server)

$(BUILD)/tests/conformance: $(conformance_o) $(filter-out $(main_o),$(common_o) $(workers_o))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcriterion $(LDLIBS_worker)

# What stands in front of libc's calls is linked to this program alone.
$(BUILD)/tests/fault/archive_power: $(call object,$(wildcard tests/fault/power/*.c))
$(BUILD)/tests/fault/%: $(BUILD)/obj/tests/fault/%.o $(call object,$(wildcard tests/support/*.c)) $(library_o)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_server)

perf_programs := $(BUILD)/tests/probe $(BUILD)/tests/compare $(BUILD)/tests/timeline
$(BUILD)/tests/probe: $(call object,$(probe_c) workers/control workers/distance workers/placement server/trial_merge)
$(BUILD)/tests/compare: $(call object,tests/perf/compare/main server/analysis/compare server/analysis/stats)
$(BUILD)/tests/timeline: $(call object,tests/perf/timeline/main workers/timeline)
$(perf_programs): $(common_o)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcjson -lm

# A full archive, and how fast it answers: build/tests/archive DIRECTORY.
$(BUILD)/tests/archive: $(call object,tests/perf/archive/archive tests/support/archive) $(filter-out $(workers_o),$(library_o))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS_server)

.PHONY: test-programs
test-programs: programs $(BUILD)/tests/unit $(BUILD)/tests/conformance $(BUILD)/tests/archive $(fault_programs)

.PHONY: test
test: test-dependencies
	@echo 'Building the programs and their tests, also with sanitizers'
	+@$(MAKE) test-programs > /dev/null
	+@$(MAKE) SANITIZE=1 test-programs > /dev/null
	@sh tests/run.sh all

.PHONY: check
check: arch
	+@$(MAKE) test-programs
	@sh tests/run.sh fast

# ROUNDS=7 QUICK=1 SEED= PAIRS=1 ONLY=regex: see tests/perf/lib/options.js.
.PHONY: bench aa
bench aa:
	@sh .ci/install-packages build bench
	+@$(MAKE) programs $(perf_programs)
	@BUILD=$(BUILD) node tests/perf/$@.js

# What a call in a lab's timeline costs.
.PHONY: bench-timeline
bench-timeline:
	+@$(MAKE) $(BUILD)/tests/timeline
	@$(BUILD)/tests/timeline

# A full archive in DIR (3 GB, made once, in some minutes), and what an answer out of it costs.
.PHONY: bench-archive
bench-archive: dependencies
	+@$(MAKE) $(BUILD)/tests/archive
	@$(BUILD)/tests/archive $(or $(DIR),build/archive)

.PHONY: arch
arch:
	@sh .ci/floors

.PHONY: lint
lint: arch
	@sh .ci/lint

.PHONY: format
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make            build build/ipclab and build/ipclab-worker'
	@echo 'make run        install what is missing, build, serve (ARGS="--port 0" …)'
	@echo 'make test       install what the tests need, build, run every test'
	@echo 'make check      the fast tests'
	@echo 'make bench      ipclab beside the limit and its peers, into docs/benchmarks.md (QUICK=1 into build/, ROUNDS=)'
	@echo 'make aa         the same experiment twice, PAIRS=5 times: nothing may differ'
	@echo 'make bench-timeline  what it costs to have a call in the timeline of a lab'
	@echo 'make bench-archive  how fast an archive of 10,000 runs answers (DIR=build/archive)'
	@echo 'make lint       formatting, floors, static analysis, the page'
	@echo 'make arch       do includes go down the floors only?'
	@echo 'make install    PREFIX=/usr/local DESTDIR='
	@echo 'make format     clang-format every C file'
	@echo 'make clean      remove build/'

# ---- what each object was made from ----

-include $(patsubst %.o,%.d,$(common_o) $(db_o) $(server_o) $(workers_o) $(unit_o) $(conformance_o))
-include $(patsubst %.o,%.d,$(call object,$(probe_c) tests/perf/compare/main.c tests/perf/timeline/main.c tests/perf/archive/archive.c $(wildcard tests/fault/*.c tests/fault/power/*.c)))
.SECONDARY:
