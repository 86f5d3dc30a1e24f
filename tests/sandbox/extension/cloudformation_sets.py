"""Owns stack sets with service-managed permissions: whose they are, which accounts they go to, and their instances.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
Shapes: botocore cloudformation/2010-05-15.
"""

import threading
import uuid
from collections import defaultdict

import emulate
from moto.organizations.models import organizations_backends

from .cloudformation_template import Invalid

DELEGATED = "member.org.stacksets.cloudformation.amazonaws.com"
# (management account, Region) -> name -> StackSet
SETS = emulate.Store(dict)
# Organizations, by management account, that let StackSets in.
TRUSTING = set()
_locks = defaultdict(threading.RLock)


class Instance:
    """The stack of a set in one account and Region."""

    def __init__(self, account, region, unit):
        self.account, self.region, self.unit = account, region, unit
        self.stack = None
        self.status, self.detailed, self.reason = "OUTDATED", "PENDING", None
        self.operation = None


class StackSet:
    """A stack set, its instances and its operations."""

    def __init__(self, management, region, name):
        self.management, self.region, self.name = management, region, name
        self.id = f"{name}:{uuid.uuid4()}"
        self.template = self.description = None
        # What lets a CreateStackSet whose answer was lost count once.
        self.token = None
        self.values = {}
        self.tags, self.capabilities = [], []
        self.auto_deployment = {}
        # What was asked for, so that new accounts can get it: [(units, filter, accounts, regions)]
        self.targets = []
        self.instances = {}
        self.operations = {}
        self.changed = threading.Condition()

    def running(self):
        """Returns the operation that is under way, or None."""
        return next((one for one in self.operations.values() if one.status in ("RUNNING", "STOPPING", "QUEUED")), None)


def lock(management):
    """Returns what keeps two changes of an organization's stack sets apart."""
    return _locks[management]


def organization_of(account, partition):
    """Returns the backend of the organization that an account belongs to, or None."""
    if organizations_backends[account][partition].org:
        return organizations_backends[account][partition]
    found = organizations_backends.master_accounts.get(account)
    return organizations_backends[found[0]][found[1]] if found else None


def owner(response, call_as):
    """Returns the management account whose sets a caller may use.

    "StackSets with service-managed permissions are created in the management account, including StackSets that are
    created by delegated administrators" (CreateStackSet, CallAs).
    """
    organization = organization_of(response.current_account, response.partition)
    if organization is None:
        return response.current_account
    if organization.account_id == response.current_account:
        if call_as == "DELEGATED_ADMIN":
            raise Invalid("Account used is not a delegated administrator")
        return response.current_account
    if call_as != "DELEGATED_ADMIN":
        return response.current_account
    for admin in organization.admins:
        if admin.account.id == response.current_account and any(one["ServicePrincipal"] == DELEGATED for one in admin.services.values()):
            return organization.account_id
    raise Invalid("Account used is not a delegated administrator")


def find(management, region, name):
    """Returns a set by its name or id, or refuses."""
    for one in SETS.of(management, region).values():
        if name in (one.name, one.id):
            return one
    emulate.refuse("StackSetNotFoundException", f"StackSet {name} not found")


def units_below(organization, unit):
    """Returns a root or unit and all units below it, by id."""
    found = [unit]
    for one in found:
        found += [child.id for child in organization.ou if child.parent_id == one]
    return set(found)


def check_targets(organization, given):
    """Refuses targets that no set with service-managed permissions can have."""
    units = given.get("OrganizationalUnitIds") or []
    if not units:
        raise Invalid("OrganizationalUnitIds are required")
    known = {one.id for one in organization.ou}
    for unit in units:
        if unit not in known:
            raise Invalid(f"Organizational unit {unit} was not found in the organization")
    kind = given.get("AccountFilterType", "NONE")
    if kind == "UNION" or given.get("AccountsUrl"):
        # "Note that UNION is not supported for CreateStackInstances operations."
        raise Invalid("AccountFilterType UNION is not supported for this operation" if kind == "UNION" else "AccountsUrl cannot be read")
    if bool(given.get("Accounts")) != (kind in ("INTERSECTION", "DIFFERENCE")):
        raise Invalid("Accounts and an AccountFilterType of INTERSECTION or DIFFERENCE go together")


def accounts_of(organization, units, kind, accounts):
    """Returns {account: unit that it was found by}.

    "CloudFormation doesn't deploy stacks to the management account, even if that account is part of your organization or
    belongs to an organizational unit (OU)." (stacksets-orgs-associate-stackset-with-org, Considerations)
    """
    found = {}
    for unit in units:
        below = units_below(organization, unit)
        for account in organization.accounts:
            if account.parent_id in below and account.id != organization.account_id and account.status == "ACTIVE":
                found.setdefault(account.id, unit)
    if kind == "INTERSECTION":
        found = {account: unit for account, unit in found.items() if account in accounts}
    if kind == "DIFFERENCE":
        found = {account: unit for account, unit in found.items() if account not in accounts}
    return found


def wanted(stack_set, organization):
    """Returns {(account, region): unit} of all that auto-deployment is for, as the organization is now.

    "Automatic deployments do not consider account level targeting filters." (stacksets-orgs-manage-auto-deployment)
    """
    places = {}
    for units, _, _, regions in stack_set.targets:
        for account, unit in accounts_of(organization, units, "NONE", []).items():
            for region in regions:
                places.setdefault((account, region), unit)
    return places
