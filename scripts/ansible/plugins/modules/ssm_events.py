#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs ssm-events: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
module: ssm_events
short_description: Sessions and commands are recorded and reported to Slack
version_added: 1.0.0
author:
  - ssm tools (!UNKNOWN)
description:
  - Keeps a trail, and what alerts Slack of sessions, commands and changes to who may start them, as desired.
  - 'The URL of the webhook is a secret and no part of O(desired), which only names where the tool reads it: an environment
    variable, a file, or a parameter or secret of AWS. Variables that the keyword C(environment) of a task sets are shown
    by Ansible with C(-vvv).'
options:
  executable:
    default: ssm-events
extends_documentation_fragment:
  - ssm_tools.rollout.common
seealso:
  - module: ssm_tools.rollout.ssm_agentcheck
  - module: ssm_tools.rollout.ssm_prefs
  - module: ssm_tools.rollout.ssm_role
  - module: ssm_tools.rollout.ssm_scp
"""

EXAMPLES = r"""
- name: Send Slack alerts for sessions and commands
  ssm_tools.rollout.ssm_events:
    regions: [eu-central-1]
    desired:
      rule_name: ssm-activity
      webhook: {parameter: /slack/webhook}
      role_name: ssm-events-to-slack

- name: Collect what keeps an event from reaching Slack, and go on
  ssm_tools.rollout.ssm_events:
    state: checked
    fail_on: never
    regions: [eu-central-1]
    desired:
      webhook: {parameter: /slack/webhook}
  register: alerts
"""

RETURN = r"""
plans:
  description:
    - What C(ssm-events plan) printed, one plan for each account and region, in the order in which they are applied.
    - Empty with O(state=checked).
  type: list
  contains: &plan
    kind:
      description: Always C(plan).
      type: str
      returned: always
    tool:
      description: Always C(ssm-events).
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
    - What C(ssm-events apply) printed, one result for each plan that was tried.
    - Empty in check mode, with O(state=checked), and when there was nothing to change.
  type: list
  contains:
    kind:
      description: Always C(result).
      type: str
      returned: always
    tool:
      description: Always C(ssm-events).
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
        - id: put_rule:ssm-activity
          action: put_rule
          resource: ssm-activity
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
    - The plans that lead back, the latest first, which is the order in which C(ssm-events apply) must get them.
  type: list
  contains: *plan
  returned: always
  elements: dict
findings:
  description:
    - What C(ssm-events check) found with O(state=checked). Empty with O(state=present).
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
      sample: events.rule.missing
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
    rollout.main("ssm-events")


if __name__ == "__main__":
    main()
