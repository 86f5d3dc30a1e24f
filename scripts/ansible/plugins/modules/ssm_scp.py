#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs ssm-scp: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
module: ssm_scp
short_description: Service control policies that let only named principals start sessions
version_added: 1.0.0
author:
  - ssm tools (!UNKNOWN)
description:
  - Keeps a service control policy as desired by which nobody but named principals may start sessions and run commands,
    and attaches it to its targets. Needs credentials of the organization's management account or of a delegated administrator.
  - Applying is refused when people would be locked out. It looks through O(assume_roles), which should have C({account})
    in them.
  - The risks are not looked for in check mode, as C(ssm-scp plan) does not. C(ssm-scp impact) does, and writes nothing.
options:
  accept:
    description:
      - Ids of risks to accept, each of which C(ssm-scp apply) named when it refused.
      - Not with O(state=checked).
    type: list
    elements: str
  history:
    description:
      - 'File of CloudTrail records, on the host where the module runs: refuse when a call in it would have been denied.'
      - Not with O(state=checked).
    type: path
  executable:
    default: ssm-scp
extends_documentation_fragment:
  - ssm_tools.rollout.common
seealso:
  - module: ssm_tools.rollout.ssm_agentcheck
  - module: ssm_tools.rollout.ssm_events
  - module: ssm_tools.rollout.ssm_prefs
  - module: ssm_tools.rollout.ssm_role
"""

EXAMPLES = r"""
- name: Let only operators start sessions in production
  ssm_tools.rollout.ssm_scp:
    profile: management
    regions: [us-east-1]
    assume_roles: ["arn:aws:iam::{account}:role/OrganizationAccountAccessRole"]
    desired:
      policy_name: ssm-operators-only
      exempt_permission_sets: [SessionOperator]
      exempt_principals: ["arn:aws:iam::*:role/ssm/BreakGlass"]
      targets: [ou-ab12-34567890]

- name: Do so though nothing shows whether somebody would be locked out
  ssm_tools.rollout.ssm_scp:
    profile: management
    regions: [us-east-1]
    accept: ["unread:111122223333"]
    desired:
      policy_name: ssm-operators-only
      exempt_permission_sets: [SessionOperator]
      targets: [ou-ab12-34567890]
"""

RETURN = r"""
plans:
  description:
    - What C(ssm-scp plan) printed, one plan for each account and region, in the order in which they are applied.
    - Empty with O(state=checked).
  type: list
  contains: &plan
    kind:
      description: Always C(plan).
      type: str
      returned: always
    tool:
      description: Always C(ssm-scp).
      type: str
      returned: always
    target:
      description: The only C(account) and C(region) that it may be applied to; services without regions have C(global).
      type: dict
      sample:
        account: '111122223333'
        region: global
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
    - What C(ssm-scp apply) printed, one result for each plan that was tried.
    - Empty in check mode, with O(state=checked), and when there was nothing to change.
  type: list
  contains:
    kind:
      description: Always C(result).
      type: str
      returned: always
    tool:
      description: Always C(ssm-scp).
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
        - id: attach_policy:ou-ab12-34567890
          action: attach_policy
          resource: ou-ab12-34567890
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
    - The plans that lead back, the latest first, which is the order in which C(ssm-scp apply) must get them.
  type: list
  contains: *plan
  returned: always
  elements: dict
findings:
  description:
    - What C(ssm-scp check) found with O(state=checked), or the risks for which C(ssm-scp apply) refused with O(state=present).
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
      sample: scp.policy.missing
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
        "ssm-scp",
        accept=rollout.Option("--accept", ("apply",), dict(type="list", elements="str")),
        history=rollout.Option("--history", ("apply",), dict(type="path")),
    )


if __name__ == "__main__":
    main()
