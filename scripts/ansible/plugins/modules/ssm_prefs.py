#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs ssm-prefs: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
module: ssm_prefs
short_description: Session Manager preferences, and the key, bucket and log group behind them
version_added: 1.0.0
author:
  - ssm tools (!UNKNOWN)
description:
  - Keeps the Session Manager preferences of accounts and regions as desired, with the KMS key, the S3 bucket and the CloudWatch
    log group that they name.
  - What O(desired) does not mention stays as it is; null turns it off.
options:
  roles:
    description:
      - 'File of what C(ssm-role show) prints, on the host where the module runs: warn of nodes whose sessions would be
        refused.'
    type: path
  operators:
    description:
      - 'File of what C(ssm-role show --operators) prints: the roles of people who start sessions.'
    type: path
  executable:
    default: ssm-prefs
extends_documentation_fragment:
  - ssm_tools.rollout.common
seealso:
  - module: ssm_tools.rollout.ssm_agentcheck
  - module: ssm_tools.rollout.ssm_events
  - module: ssm_tools.rollout.ssm_role
  - module: ssm_tools.rollout.ssm_scp
"""

EXAMPLES = r"""
- name: Encrypt and log sessions in two regions
  ssm_tools.rollout.ssm_prefs:
    regions: [eu-central-1, us-east-1]
    desired:
      kms_key: {alias: alias/ssm-session-manager, create: true}
      s3: {bucket: "ssm-session-logs-{account}-{region}", create: true, expire_days: 400}
      cloudwatch: {log_group: /aws/ssm/sessions, create: true, retention_days: 400}
      idle_timeout_minutes: 20
  register: preferences

- name: Take it back
  ansible.builtin.command:
    argv: [ssm-prefs, apply]
    stdin: "{{ item | to_json }}"
  changed_when: true
  loop: "{{ preferences.undo }}"
  loop_control:
    label: "{{ item.target }}"

- name: Fail when the preferences are not as desired
  ssm_tools.rollout.ssm_prefs:
    state: checked
    regions: [eu-central-1]
    desired: {idle_timeout_minutes: 20}
"""

RETURN = r"""
plans:
  description:
    - What C(ssm-prefs plan) printed, one plan for each account and region, in the order in which they are applied.
    - Empty with O(state=checked).
  type: list
  contains: &plan
    kind:
      description: Always C(plan).
      type: str
      returned: always
    tool:
      description: Always C(ssm-prefs).
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
    - What C(ssm-prefs apply) printed, one result for each plan that was tried.
    - Empty in check mode, with O(state=checked), and when there was nothing to change.
  type: list
  contains:
    kind:
      description: Always C(result).
      type: str
      returned: always
    tool:
      description: Always C(ssm-prefs).
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
        - id: create_document:SSM-SessionManagerRunShell
          action: create_document
          resource: SSM-SessionManagerRunShell
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
    - The plans that lead back, the latest first, which is the order in which C(ssm-prefs apply) must get them.
    - They delete no bucket, log group or key, for those may hold records or be needed to read them.
  type: list
  contains: *plan
  returned: always
  elements: dict
findings:
  description:
    - What C(ssm-prefs check) found with O(state=checked). Empty with O(state=present).
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
      sample: prefs.content.contradiction
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
        "ssm-prefs",
        roles=rollout.Option("--roles", ("plan", "check"), dict(type="path")),
        operators=rollout.Option("--operators", ("plan", "check"), dict(type="path")),
    )


if __name__ == "__main__":
    main()
