# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
"""What the five modules share: from options to the words of a command line, from its records to what a task returns.

Nothing here knows what a tool manages. A tool plans, and applies exactly the plan that it printed; this carries the plan
from the one to the other, as a pipe would, and reports truthfully what became of it.
"""

import collections
import json

from ansible.module_utils.basic import AnsibleModule

# In the order in which a task returns them.
KINDS = {"plan": "plans", "result": "results", "finding": "findings", "unreachable": "unreachable"}
# What a finding must at least be to fail a task, gravest first.
SEVERITIES = ("error", "warning", "info")
# An option that one tool has: its flag, the verbs that have it, and its part of the argument spec.
Option = collections.namedtuple("Option", "flag verbs spec")


def main(tool, **options):
    """Runs the module for `tool`, which has `options` beside the common ones, documented in doc_fragments/common.py."""
    spec = dict(
        state=dict(type="str", choices=["present", "checked"], default="present"),
        desired=dict(type="raw", required=True),
        regions=dict(type="list", elements="str"),
        profile=dict(type="str"),
        endpoint_url=dict(type="str"),
        assume_roles=dict(type="list", elements="str"),
        accounts=dict(type="str"),
        fail_on=dict(type="str", choices=["error", "warning", "never"], default="error"),
        executable=dict(type="path", default=tool),
    )
    spec.update((name, option.spec) for name, option in options.items())
    module = AnsibleModule(argument_spec=spec, required_by=dict(accounts=("assume_roles",)), supports_check_mode=True)
    Rollout(module, tool, options).run()


class Failed(Exception):
    """What a task fails with, in one line."""


class Rollout:
    """One task. It keeps every record as soon as it is read, so that a failure shows what was done before it."""

    def __init__(self, module, tool, options):
        self.module = module
        self.tool = tool
        self.options = options
        self.records = dict((name, []) for name in KINDS.values())
        self.notes = []

    def run(self):
        try:
            self.refuse()
            if self.module.params["state"] == "checked":
                self.check()
            else:
                self.converge()
        except Failed as failed:
            self.module.fail_json(msg=str(failed), **self.returned())
        self.module.exit_json(**self.returned())

    def refuse(self):
        """Fails for options that would not do what they say, before anything is called."""
        params = self.module.params
        if not isinstance(params["desired"], (dict, str)):
            raise Failed("desired: expected a dictionary, or the text of a file")
        if params["accounts"] == "-":
            raise Failed("accounts: stdin carries the desired state: name a file, or org")
        used = ("check",) if params["state"] == "checked" else ("plan", "apply")
        for name, option in self.options.items():
            # Ignored, instance_ids would let a task change nodes that it was to leave alone.
            if params[name] is not None and not set(option.verbs).intersection(used):
                raise Failed("{0}: cannot be given with state={1}".format(name, params["state"]))

    def converge(self):
        """Plans; then applies that plan, byte for byte, unless nothing is to be changed or nothing may be."""
        printed = self.call("plan", self.desired(), (0,))
        if self.changes() and not self.module.check_mode:
            self.call("apply", printed, (0,))

    def check(self):
        """Compares, and fails for findings that are grave enough."""
        self.call("check", self.desired(), (0, 1))
        wanted = self.module.params["fail_on"]
        if wanted == "never":
            return
        grave = SEVERITIES[: SEVERITIES.index(wanted) + 1]
        # Gravest first, each as it came.
        found = sorted(
            (one for one in self.records["findings"] if one["severity"] in grave),
            key=lambda one: SEVERITIES.index(one["severity"]),
        )
        if found:
            more = "" if len(found) == 1 else " (and {0} more)".format(len(found) - 1)
            raise Failed("{0}: {id} {resource}: {message}; {fix}{1}".format(self.tool, more, **found[0]))

    def call(self, verb, given, fine):
        """Runs a verb with `given` on stdin, keeps its records, and returns what it printed."""
        executable = self.module.get_bin_path(self.module.params["executable"], required=True)
        # The environment stays as it is, for credentials are in it; only the language of messages is settled.
        status, stdout, stderr = self.module.run_command(
            [executable, verb, "--output=json"] + self.words(verb),
            data=given,
            binary_data=True,
            environ_update=dict(LC_ALL="C", LANGUAGE="C"),
        )
        for line in stderr.splitlines():
            self.notes.append(line)
            if line.startswith(self.tool + ": warning: "):
                self.module.warn(line)
        self.read(verb, stdout)
        if status not in fine:
            raise Failed(self.why(verb, status, stderr))
        return stdout

    def words(self, verb):
        """Returns the options as arguments. A plan names its account, so `apply` is given no list of them."""
        params = self.module.params
        words = ["--region=" + region for region in params["regions"] or []]
        words += ["--assume-role=" + role for role in params["assume_roles"] or []]
        for name in ("profile", "endpoint_url") + (() if verb == "apply" else ("accounts",)):
            if params[name] is not None:
                words.append("--{0}={1}".format(name.replace("_", "-"), params[name]))
        for name, option in self.options.items():
            if verb in option.verbs and params[name] is not None:
                values = params[name] if isinstance(params[name], list) else [params[name]]
                words += ["{0}={1}".format(option.flag, value) for value in values]
        return words

    def desired(self):
        desired = self.module.params["desired"]
        # A text goes to the tool as it is: that reads comments, and names lines as the user's file has them.
        return desired if isinstance(desired, str) else json.dumps(desired)

    def read(self, verb, stdout):
        """Keeps the records of one run."""
        for line in stdout.splitlines():
            try:
                record = json.loads(line)
                self.records[KINDS[record["kind"]]].append(record)
            except (ValueError, KeyError, TypeError):
                raise Failed("{0} {1} printed what is no record of its: {2}".format(self.tool, verb, line[:200]))

    def why(self, verb, status, stderr):
        """Returns the one line that says why a run failed: what its records say, else what it said last."""
        failed = [
            "{action} {resource}: {error}".format(**one)
            for record in self.records["results"]
            for one in record["results"]
            if one["status"] == "failed"
        ]
        failed += ["{target[account]}/{target[region]}: {error}".format(**one) for one in self.records["unreachable"]]
        if failed:
            more = "" if len(failed) == 1 else " (and {0} more)".format(len(failed) - 1)
            return "{0}: {1}{2}".format(self.tool, failed[0], more)
        lines = [line for line in stderr.splitlines() if line.strip()]
        # A refused argument is followed by usage.
        for line in lines:
            if line.startswith("error: "):
                return "{0}: {1}".format(self.tool, line[len("error: "):])
        if lines:
            return lines[-1]
        return "{0} {1} ended with status {2} and said nothing".format(self.tool, verb, status)

    def changes(self):
        return [(plan, change) for plan in self.records["plans"] for change in plan["changes"]]

    def done(self):
        """Returns the changes that were made, or in check mode would be."""
        if self.module.check_mode:
            return self.changes()
        made = set(
            (record["target"]["account"], record["target"]["region"], one["id"])
            for record in self.records["results"]
            for one in record["results"]
            if one["status"] == "done"
        )
        return [
            (plan, change)
            for plan, change in self.changes()
            if (plan["target"]["account"], plan["target"]["region"], change["id"]) in made
        ]

    def returned(self):
        """Returns everything that is known so far."""
        done = self.done()
        returned = dict(self.records, changed=bool(done), notes=self.notes)
        # The latest first, as everything is undone.
        returned["undo"] = [one["undo"] for one in reversed(self.records["results"]) if one["undo"]]
        if self.module._diff and self.module.params["state"] == "present":
            returned["diff"] = [difference(plan, change) for plan, change in done]
        return returned


def difference(plan, change):
    """Returns a change in the form that ansible shows with --diff."""
    header = "{0} {1[account]}/{1[region]} ({2})".format(change["resource"], plan["target"], change["action"])
    return dict(
        before_header=header,
        after_header=header,
        before=shown(change["from"]),
        after=shown(change["to"]),
    )


def shown(state):
    """Returns a state as text; of what does not exist there is none."""
    return "" if state is None else json.dumps(state, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
