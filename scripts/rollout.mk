# The phases of a rollout as make targets: what is done after what, and what is done again when something changes.
# This is the only place that knows; rollout.sh calls it, phase.sh does the work of one phase.
#
#   make -f scripts/rollout.mk [-j] plan       plans of all phases, side by side with -j, into ROLLOUT_DIR; writes nothing to AWS
#   make -f scripts/rollout.mk apply [YES=1]   every phase that is not done or whose inputs changed, one after another
#   make -f scripts/rollout.mk roles           the same, up to and including this phase
#   make -f scripts/rollout.mk [-j] check      what every tool finds now; fails when there are errors
#   make -f scripts/rollout.mk rollback [YES=1]   undoes everything that was applied from ROLLOUT_DIR, the latest first
#
# Variables, on the command line, in the environment or in your Makefile:
#   ROLLOUT_DIR        where plans, results, findings and what make goes by are kept [default: run/make]
#   DESIRED            directory of {agent,role,prefs,scp,events}.json, or directories agent, role, .. of layers; what is
#                      missing is skipped [default: rollout.d beside this file]
#   PROFILE            credentials of the account to roll out over [default: the environment's]
#   REGIONS            separated by commas or spaces, or all [default: AWS_REGION or the profile's]
#   ACCOUNTS           a file that lists accounts, or org; with ASSUME_ROLE, an ARN with {account}, and EXTERNAL_ID,
#                      env:NAME or file:PATH. Not for the guardrail, which is the organization's
#   GUARDRAIL_PROFILE  credentials of the management account; without, the guardrail is skipped
#   GUARDRAIL_ROLE     role, {account} in its ARN, that may read IAM in the accounts that the guardrail binds
#   ACCEPT             risks that ssm-scp apply named and that you accept, separated by spaces
#   ONLY               these phases, in this order; rollback goes backwards whatever the order
#   FRESH=1            takes nothing for done: asks AWS again, for when somebody else changed something
#   YES=1              applies without asking; needed when there is no terminal to ask on
#
# A phase's inputs: its desired file, the variables that its tool gets, the list of accounts, AWS_PROFILE, AWS_REGION,
# AWS_DEFAULT_REGION and AWS_ENDPOINT_URL; compared by what they say, not by their times. The roles depend on what the
# preferences phase changed, the agents on what the roles phase changed. `make -n` tells what would be done.
#
# In a Makefile of yours, after setting the variables:
#   include path/to/scripts/rollout.mk
# Its targets are rollout-plan, rollout-apply, rollout-check, rollout-rollback and rollout-PHASE then. For the short names:
#   plan apply check rollback: %: rollout-%
#
# Spaces are fine in ROLLOUT_DIR, DESIRED and ACCOUNTS. If this file's own path has some, set ROLLOUT_SCRIPTS to its directory.

ifeq ($(filter output-sync,$(.FEATURES)),)
$(error rollout.mk needs GNU make 4 or later, this is $(MAKE_VERSION); on macOS: brew install make, then run gmake)
endif

ifndef ROLLOUT_STEP
# ---- Outside: what people call. Everything else happens in a make of its own inside ROLLOUT_DIR, so that no name can
# collide with yours, and no path with make's dislike of spaces.

rollout_goal := $(.DEFAULT_GOAL)
rollout_file := $(lastword $(MAKEFILE_LIST))
ROLLOUT_SCRIPTS ?= $(patsubst %/,%,$(dir $(if $(filter /%,$(rollout_file)),,$(CURDIR)/)$(rollout_file)))

# Preferences come before roles, as what roles must allow follows from them, and so that a node which roles brings online
# is logged and encrypted from its first session. The price: for the moment between the two phases, nodes that are online
# already have sessions refused.
rollout_phases := preflight inventory preferences roles agents guardrail audit-trail verify

rollout_comma := ,
rollout_only := $(or $(strip $(subst $(rollout_comma), ,$(ONLY))),$(rollout_phases))
$(foreach phase,$(rollout_only),$(if $(filter $(phase),$(rollout_phases)),,$(error unknown phase '$(phase)', expected $(rollout_phases))))

rollout_verbs := plan apply check rollback
rollout_targets := $(rollout_verbs:%=rollout-%) $(rollout_phases:%=rollout-%)
.PHONY: $(rollout_targets)

# Exported to these targets alone. What came from the environment stays as it is there, a `$` in it too.
rollout_exported := ROLLOUT_DIR ROLLOUT_SCRIPTS DESIRED PROFILE REGIONS ACCOUNTS ASSUME_ROLE EXTERNAL_ID GUARDRAIL_PROFILE \
    GUARDRAIL_ROLE ACCEPT FRESH YES
$(foreach name,$(rollout_exported),$(if $(filter environment%,$(origin $(name))),,$(eval \
    $(rollout_targets): export $(name) := $$($(name)))))
$(rollout_targets): export ROLLOUT_PHASES := $(rollout_phases)
$(rollout_verbs:%=rollout-%): export ROLLOUT_ONLY := $(rollout_only)

# The words up to and including one: $(call rollout_until,word,words).
rollout_until = $(if $2,$(firstword $2) $(if $(filter $1,$(firstword $2)),,$(call rollout_until,$1,$(wordlist 2,$(words $2),$2))))
$(foreach phase,$(rollout_phases),$(eval \
    rollout-$(phase): export ROLLOUT_ONLY := $(strip $(call rollout_until,$(phase),$(rollout_phases)))))

# Recipes exec, so that what make stops is the script and not a shell around it.
# $$(MAKE) stands in each recipe, as only then make hands on its job slots, and does what -n says.
rollout-plan:
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" drive "$(MAKE)" plan
rollout-preflight:
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" drive "$(MAKE)" plan
# All plans are made before the first is applied: it proves credentials, permissions to read and desired files.
rollout-apply $(filter-out rollout-preflight,$(rollout_phases:%=rollout-%)):
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" drive "$(MAKE)" plan apply
rollout-check:
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" drive "$(MAKE)" check
rollout-rollback:
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" rollback

ifeq ($(words $(MAKEFILE_LIST)),1)
.PHONY: $(rollout_verbs) $(rollout_phases)
$(rollout_verbs) $(rollout_phases): %: rollout-%
.DEFAULT_GOAL := plan
else
.DEFAULT_GOAL := $(rollout_goal)
endif

else
# ---- Inside ROLLOUT_DIR. phase.sh has put the inputs there, changing only what says something else than before:
#   PHASE.desired.json  PHASE.flags
# and ROLLOUT_CAN names the phases that have all they need. The files made here:
#   PHASE.plan.json   the plan; with PHASE.plan.txt for people
#   PHASE.done        the phase is done, everywhere
#   PHASE.changed     when the phase last changed something

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.PHONY: all
.DEFAULT_GOAL := all

rollout_needs_roles := preferences
rollout_needs_agents := roles

rollout_todo := $(filter inventory verify $(ROLLOUT_CAN),$(ROLLOUT_ONLY))
rollout_with_tool := $(filter $(ROLLOUT_CAN),$(rollout_todo))
rollout_inputs := $(foreach phase,$(ROLLOUT_CAN),$(phase).desired.json $(phase).flags)

$(ROLLOUT_CAN:%=%.plan.json): %.plan.json: %.desired.json %.flags
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" plan $*

ifeq ($(ROLLOUT_STEP),plan)
rollout_planned := $(if $(filter preflight,$(ROLLOUT_ONLY)),$(ROLLOUT_CAN),$(rollout_with_tool))
$(foreach phase,$(rollout_planned),$(eval \
    $(phase).plan.json: $(wildcard $(rollout_needs_$(phase):%=%.changed))))
all: $(rollout_planned:%=%.plan.json)
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" planned $(rollout_planned)

else ifeq ($(ROLLOUT_STEP),apply)
# Each phase comes after the one before it; so no two apply at once. A plan is made anew when a phase that it needs has
# changed something, now or before; unless that one comes later this time.
rollout_before :=
define rollout_phase
$1.done: | $(addsuffix .done,$(lastword $(rollout_before)))
$1.plan.json: $(foreach other,$(rollout_needs_$1),$(if $(filter $(other),$(rollout_before)),$(other).changed,\
    $(if $(filter $(other),$(rollout_todo)),,$(wildcard $(other).changed))))
rollout_before += $1
endef
$(foreach phase,$(rollout_todo),$(eval $(call rollout_phase,$(phase))))
# Leaves the terminal to the phase that asks.
.NOTPARALLEL:

all: $(rollout_todo:%=%.done)
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" finish $(rollout_todo)
$(rollout_with_tool:%=%.done): %.done: %.plan.json
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" apply $*
$(rollout_with_tool:%=%.changed): %.changed: %.done ;
inventory.done: $(rollout_inputs)
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" inventory
verify.done: $(rollout_inputs) $(rollout_with_tool:%=%.done) $(wildcard $(ROLLOUT_CAN:%=%.done))
	@exec "$$ROLLOUT_SCRIPTS/phase.sh" verify

else
.PHONY: $(ROLLOUT_CAN)
all: $(ROLLOUT_CAN)
$(ROLLOUT_CAN): ; @exec "$$ROLLOUT_SCRIPTS/phase.sh" check $@
endif
endif
