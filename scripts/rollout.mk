# The phases of a rollout as make targets. They call rollout.sh, which knows what follows what, and what is done again.
#
#   make -f scripts/rollout.mk [-j] plan       plans of all phases, side by side with -j, into ROLLOUT_DIR; writes nothing to AWS
#   make -f scripts/rollout.mk apply [YES=1]   every phase that is not done or whose inputs changed, one after another
#   make -f scripts/rollout.mk roles           the same, up to and including this phase
#   make -f scripts/rollout.mk [-j] check      what every tool finds now; fails when there are errors
#   make -f scripts/rollout.mk rollback [YES=1]   undoes everything that was applied from ROLLOUT_DIR, the latest first
#
# Variables, on the command line, in the environment or in your Makefile, like the flags of rollout.sh of these names:
#   DESIRED PROFILE ACCOUNTS ASSUME_ROLE EXTERNAL_ID GUARDRAIL_PROFILE GUARDRAIL_ROLE ONLY YES=1, and
#   ROLLOUT_DIR        where plans, results, findings and checksums of inputs are kept [default: run/make]
#   REGIONS            separated by commas or spaces, or all [default: AWS_REGION or the profile's]
#   ACCEPT             risks that ssm-scp apply named and that you accept, separated by spaces
#   PROBE              IDs of nodes to open a session on at the end, separated by spaces; the target probe is the whole rollout then
#   FRESH=1            takes nothing for done: asks AWS again, for when somebody else changed something
# A desired state may be a directory of layers instead of a file: agent, role, .. ONLY goes backwards in a rollback.
#
# A phase's inputs: its desired file, the variables that its tool gets, the list of accounts, AWS_PROFILE, AWS_REGION,
# AWS_DEFAULT_REGION and AWS_ENDPOINT_URL; compared by their contents, not by their times. The roles depend on what the
# preferences phase changed, the agents on what the roles phase changed. `make -n` prints what would be done.
#
# In a Makefile of yours, after setting the variables:
#   include path/to/scripts/rollout.mk
# Its targets are rollout-plan, rollout-apply, rollout-check, rollout-rollback and rollout-PHASE then. For the short names:
#   plan apply check rollback: %: rollout-%
#
# Spaces are fine in ROLLOUT_DIR, DESIRED and ACCOUNTS, and in this file's own path behind `make -f`. In a Makefile of yours that
# includes it from such a path, set ROLLOUT_SCRIPTS to its directory.

ifeq ($(filter output-sync,$(.FEATURES)),)
$(error rollout.mk needs GNU make 4 or later, this is $(MAKE_VERSION); on macOS: brew install make, then run gmake)
endif

rollout_goal := $(.DEFAULT_GOAL)
# Make keeps the paths of makefiles with spaces between them, so that only that of a single one can have some.
rollout_alone := $(shell file=$$(printf '%s' '$(subst ','\'',$(MAKEFILE_LIST))' | sed 's/^ //'); \
    if [ -f "$$file" ]; then cd -- "$$(dirname -- "$$file")" && pwd; fi)
rollout_file := $(lastword $(MAKEFILE_LIST))
ifneq ($(rollout_alone),)
ROLLOUT_SCRIPTS ?= $(rollout_alone)
else ifneq ($(wildcard $(rollout_file)),)
ROLLOUT_SCRIPTS ?= $(patsubst %/,%,$(dir $(if $(filter /%,$(rollout_file)),,$(CURDIR)/)$(rollout_file)))
else ifeq ($(ROLLOUT_SCRIPTS),)
$(error the path of rollout.mk has a space: set ROLLOUT_SCRIPTS to its directory)
endif
rollout_list = $(shell sed -n 's/^$(1)="\(.*\)"/\1/p' "$(ROLLOUT_SCRIPTS)/rollout.sh")
rollout_names := plan apply check rollback $(call rollout_list,phases)
rollout_targets := $(rollout_names:%=rollout-%)

# Exported to these targets alone. What came from the environment stays as it is there, a `$` in it too.
$(foreach name,ROLLOUT_SCRIPTS $(call rollout_list,variables),$(if $(filter environment%,$(origin $(name))),,$(eval \
    $(rollout_targets): export $(name) := $$($(name)))))

# The + has make leave the terminal to who asks on it, and call rollout.sh under -n as well, to say what it would do. It execs, so
# that what make stops is rollout.sh and not a shell around it.
.PHONY: $(rollout_targets)
$(rollout_targets): rollout-%:
	+@ROLLOUT_DRY=$(if $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),1) \
	    ROLLOUT_AT_ONCE=$(if $(filter -j%,$(MAKEFLAGS)),1) exec "$$ROLLOUT_SCRIPTS/rollout.sh" make $*

ifneq ($(rollout_alone),)
.PHONY: $(rollout_names)
$(rollout_names): %: rollout-%
.DEFAULT_GOAL := plan
else
.DEFAULT_GOAL := $(rollout_goal)
endif
