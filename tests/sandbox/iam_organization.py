"""Owns which organization policies apply to an account: one list per level, from the root down.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from moto.organizations.models import organizations_backends

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"

# The services whose resources RCPs govern, of those that have any here: orgs_manage_policies_rcps.html#rcp-supported-services
RCP_SERVICES = {"events", "kms", "logs", "s3", "secretsmanager", "sqs", "sts"}


def is_resource_controlled(action, resource):
    """Returns whether RCPs govern an action on a resource.

    https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html: they "do not apply to AWS managed keys", and
    "the kms:RetireGrant permission is not effective in an RCP".
    """
    service, _, name = action.partition(":")
    if service == "kms" and (name == "RetireGrant" or ":alias/aws/" in resource):
        return False
    return service in RCP_SERVICES


def of(account, partition):
    """Returns the organization's backend of an account, None outside of one."""
    own = organizations_backends[account][partition]
    if own.org:
        return own
    management = organizations_backends.master_accounts.get(account)
    return organizations_backends[management[0]][management[1]] if management else None


def levels(account, partition, kind):
    """Returns the policies of one type on every level; None where they do not apply.

    "SCPs don't affect users or roles in the management account", nor RCPs its resources; a type that is not enabled
    in the root is not in force.
    """
    backend = of(account, partition)
    if backend is None or account == backend.account_id:
        return None
    root = backend.ou[0]
    if not any(entry["Type"] == kind and entry["Status"] == "ENABLED" for entry in root.policy_types):
        return None
    return [_attached(backend, target, kind) for target in _path(backend, account)]


def path(account, partition):
    """Returns `o-../r-../ou-../`, the value of aws:PrincipalOrgPaths; None outside of an organization."""
    backend = of(account, partition)
    if backend is None:
        return None
    return "/".join([backend.org.id, *(target for target in _path(backend, account) if target != account), ""])


def _path(backend, account):
    parents = {ou.id: ou.parent_id for ou in backend.ou}
    at = next((entry.parent_id for entry in backend.accounts if entry.id == account), backend.ou[0].id)
    found = [account]
    while at:
        found.insert(0, at)
        at = parents.get(at)
    return found


def _attached(backend, target, kind):
    return [(policy.arn, policy.content) for policy in list(backend.policies)
            if policy.type == kind and any(entry.id == target for entry in policy.attachments)]
