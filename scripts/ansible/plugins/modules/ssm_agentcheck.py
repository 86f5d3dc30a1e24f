#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs ssm-agentcheck: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
module: ssm_agentcheck
short_description: The agent of every node is present, new enough and online
version_added: 1.0.0
author:
  - ssm tools (!UNKNOWN)
description:
  - Checks the agents of all nodes, and brings old ones up to date, wave by wave.
  - Updating can take long; C(async) and C(poll) of the task, or O(desired) with smaller waves, are for that.
  - A node that could not be updated is tried again the next time, so a second run changes nothing only if all could be.
options:
  accept:
    description:
      - 'Risks to accept, for which there would be no plan: C(excluded-nodes) when the association updates nodes that O(desired)
        excludes by their tags.'
      - Not with O(state=checked).
    type: list
    elements: str
  nodes:
    description:
      - 'File of what C(ssm-agentcheck show) prints, on the host where the module runs: update only these nodes.'
      - Not with O(state=checked).
    type: path
  roles:
    description:
      - 'File of what C(ssm-role show) prints: say what a node''s role has to do with it.'
      - Only with O(state=checked).
    type: path
  instance_ids:
    description:
      - Look only at these nodes.
      - Only with O(state=checked).
    type: list
    elements: str
  executable:
    default: ssm-agentcheck
extends_documentation_fragment:
  - ssm_tools.rollout.common
seealso:
  - module: ssm_tools.rollout.ssm_events
  - module: ssm_tools.rollout.ssm_prefs
  - module: ssm_tools.rollout.ssm_role
  - module: ssm_tools.rollout.ssm_scp
"""

EXAMPLES = r"""
- name: Update agents older than 3.2.582.0, one node first
  ssm_tools.rollout.ssm_agentcheck:
    regions: [eu-central-1]
    desired:
      min_version: 3.2.582.0
      update: {version: null, waves: [1, "10%", "100%"], max_concurrency: 50, max_errors: "10%"}

- name: Collect which nodes cannot be reached, and why
  ssm_tools.rollout.ssm_agentcheck:
    state: checked
    fail_on: never
    regions: [eu-central-1]
    desired: {min_version: 3.2.582.0}
  register: agents

- name: Show one reason and one cure each
  ansible.builtin.debug:
    msg: "{{ item.resource }}: {{ item.message }}; {{ item.fix }}"
  loop: "{{ agents.findings }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
plans:
  description:
    - What C(ssm-agentcheck plan) printed, one plan for each account and region, in the order in which they are applied.
    - Empty with O(state=checked).
  type: list
  contains: &plan
    kind:
      description: Always C(plan).
      type: str
      returned: always
    tool:
      description: Always C(ssm-agentcheck).
      type: str
      returned: always
    target:
      description: The only C(account) and C(region) that it may be applied to; services without regions have C(global).
      type: dict
      sample:
        account: '111122223333'
        region: eu-central-1
      returned: always
    changes:
      description:
        - The writes, in order. Each has an C(id), an C(action), a C(resource), the states C(from) which and C(to) which
          it leads, and says C(why).
        - Empty when nothing needs to change.
      type: list
      returned: always
      elements: dict
  returned: always
  elements: dict
results:
  description:
    - What C(ssm-agentcheck apply) printed, one result for each plan that was tried.
    - Empty in check mode, with O(state=checked), and when there was nothing to change.
  type: list
  contains:
    kind:
      description: Always C(result).
      type: str
      returned: always
    tool:
      description: Always C(ssm-agentcheck).
      type: str
      returned: always
    target:
      description: The C(account) and C(region) of the plan.
      type: dict
      returned: always
    results:
      description:
        - What became of each change. Each has the C(id), C(action) and C(resource) of the change, a C(status) that is C(done),
          C(unchanged), C(kept), C(skipped), C(failed) or C(unknown), and an C(error) or none.
      type: list
      sample:
        - id: update_agent/i-0123456789abcdef0
          action: update_agent
          resource: i-0123456789abcdef0
          status: done
          error: null
      returned: always
      elements: dict
    undo:
      description: The plan that leads back, or none.
      type: dict
      returned: always
  returned: always
  elements: dict
undo:
  description:
    - The plans that lead back, the latest first, which is the order in which C(ssm-agentcheck apply) must get them.
    - Agents are never downgraded, so an update has none.
  type: list
  contains: *plan
  returned: always
  elements: dict
findings:
  description:
    - What C(ssm-agentcheck check) found with O(state=checked). Empty with O(state=present).
    - C(docs/findings.md) of the tools lists cause and cure of every C(id).
  type: list
  contains:
    kind:
      description: Always C(finding).
      type: str
      returned: always
    id:
      description: What is wrong, as a name that is never changed.
      type: str
      sample: agentcheck.version.outdated
      returned: always
    severity:
      description: C(error), C(warning) or C(info).
      type: str
      returned: always
    target:
      description: The C(account) and C(region), or none.
      type: dict
      returned: always
    resource:
      description: ARN, id or name of what is wrong.
      type: str
      returned: always
    message:
      description: What is wrong, and what that causes.
      type: str
      returned: always
    fix:
      description: What to do about it.
      type: str
      returned: always
  returned: always
  elements: dict
unreachable:
  description: Accounts and regions that could not be worked in. Each has a C(target) and an C(error). Any fails the task.
  type: list
  returned: always
  elements: dict
notes:
  description: What the tool said on stderr, line by line. Its warnings are warnings of the task too.
  type: list
  elements: str
  returned: always
"""

from ansible_collections.ssm_tools.rollout.plugins.module_utils import rollout


def main():
    rollout.main(
        "ssm-agentcheck",
        accept=rollout.Option("--accept", ("plan",), dict(type="list", elements="str")),
        nodes=rollout.Option("--nodes", ("plan",), dict(type="path")),
        roles=rollout.Option("--roles", ("check",), dict(type="path")),
        instance_ids=rollout.Option("--instance-id", ("check",), dict(type="list", elements="str")),
    )


if __name__ == "__main__":
    main()
