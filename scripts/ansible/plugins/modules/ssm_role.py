#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs ssm-role: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
module: ssm_role
short_description: What lets nodes talk to Systems Manager
version_added: 1.0.0
author:
  - ssm tools (!UNKNOWN)
description:
  - Keeps Default Host Management and the roles of instance profiles such that every node may talk to Systems Manager.
options:
  accept:
    description:
      - 'Risks to accept, for which there would be no plan: C(excluded-nodes) when a change enrolls nodes that O(desired)
        excludes by their tags.'
      - Not with O(state=checked).
    type: list
    elements: str
  prefs:
    description:
      - 'File of what C(ssm-prefs show) prints, on the host where the module runs: judge what logs and encryption need,
        too.'
    type: path
  nodes:
    description:
      - 'File of what C(ssm-agentcheck show) prints: look only at these nodes.'
    type: path
  executable:
    default: ssm-role
extends_documentation_fragment:
  - ssm_tools.rollout.common
seealso:
  - module: ssm_tools.rollout.ssm_agentcheck
  - module: ssm_tools.rollout.ssm_events
  - module: ssm_tools.rollout.ssm_prefs
  - module: ssm_tools.rollout.ssm_scp
"""

EXAMPLES = r"""
- name: Let every node talk to Systems Manager
  ssm_tools.rollout.ssm_role:
    regions: [eu-central-1]
    desired:
      default_host_management: {enabled: true, create_role: true}
      instance_profiles: {attach_managed_policy: true}

- name: Read the preferences in force
  ansible.builtin.command:
    argv: [ssm-prefs, show, --region, eu-central-1]
  register: preferences
  changed_when: false
  check_mode: false

- name: Write them for ssm-role
  ansible.builtin.copy:
    content: "{{ preferences.stdout }}"
    dest: /run/preferences.jsonl
    mode: "0600"

- name: Grant what logs and encryption need, too
  ssm_tools.rollout.ssm_role:
    regions: [eu-central-1]
    prefs: /run/preferences.jsonl
    desired:
      instance_profiles: {attach_managed_policy: true, grant_preferences: true}
"""

RETURN = r"""
plans:
  description:
    - What C(ssm-role plan) printed, one plan for each account and region, in the order in which they are applied.
    - Empty with O(state=checked).
  type: list
  contains: &plan
    kind:
      description: Always C(plan).
      type: str
      returned: always
    tool:
      description: Always C(ssm-role).
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
    - What C(ssm-role apply) printed, one result for each plan that was tried.
    - Empty in check mode, with O(state=checked), and when there was nothing to change.
  type: list
  contains:
    kind:
      description: Always C(result).
      type: str
      returned: always
    tool:
      description: Always C(ssm-role).
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
        - id: attach_policy/app/AmazonSSMManagedInstanceCore
          action: attach_policy
          resource: arn:aws:iam::111122223333:role/app
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
    - The plans that lead back, the latest first, which is the order in which C(ssm-role apply) must get them.
    - Roles are one for all regions, so all of them must be applied.
  type: list
  contains: *plan
  returned: always
  elements: dict
findings:
  description:
    - What C(ssm-role check) found with O(state=checked). Empty with O(state=present).
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
      sample: role.core_policy.missing
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
        "ssm-role",
        accept=rollout.Option("--accept", ("plan",), dict(type="list", elements="str")),
        prefs=rollout.Option("--prefs", ("plan", "check"), dict(type="path")),
        nodes=rollout.Option("--nodes", ("plan", "check"), dict(type="path")),
    )


if __name__ == "__main__":
    main()
