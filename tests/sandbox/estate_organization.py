"""Owns seeding an organization with fixed ids, service control policies on."""

import estate_roles
import partitions
from moto.iam.models import iam_backends
from moto.organizations.models import (
    FakeAccount,
    FakeOrganizationalUnit,
    organizations_backends,
)
from moto.organizations.utils import DEFAULT_SCP_POLICY_ID

ACCESS_ROLE = "OrganizationAccountAccessRole"


def seed(given, accounts, partition):
    """Makes the organization, its OUs and its accounts; FullAWSAccess is everywhere."""
    management = given["management_account"]
    backend = organizations_backends[management][partition]
    backend.create_organization(region=partitions.HOMES[partition], FeatureSet="ALL")
    _rename(backend, given)
    names = {account["id"]: account["name"] for account in accounts}
    backend.accounts[0].name = names.get(management, "management")
    root = backend.ou[0]
    root.policy_types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    placed = {}
    for unit in given.get("ous", []):
        parent = unit.get("parent", root.id)
        ou = FakeOrganizationalUnit(backend.org, Name=unit["name"], ParentId=parent)
        ou.id = unit["id"]
        backend.ou.append(ou)
        backend.attach_policy(PolicyId=DEFAULT_SCP_POLICY_ID, TargetId=ou.id)
        for account_id in unit.get("accounts", []):
            placed[account_id] = ou.id
    for account_id, name in names.items():
        if account_id != management:
            _add_account(backend, account_id, name, placed.get(account_id, root.id))


def _rename(backend, given):
    root = backend.ou[0]
    backend.org.id = given["id"]
    backend.org.root_id = root.id = given["root_id"]
    root.organization_id = given["id"]
    for policy in backend.policies:
        policy.organization_id = given["id"]
    account = backend.accounts[0]
    account.organization_id = given["id"]
    account.parent_id = root.id


def _add_account(backend, account_id, name, parent_id):
    account = FakeAccount(backend.org, AccountName=name, Email=f"{name}@example.com")
    # The constructor makes the access role in the random account that it invents.
    dict.pop(iam_backends, account.id, None)
    account.id = account_id
    account.parent_id = parent_id
    backend.accounts.append(account)
    backend.attach_policy(PolicyId=DEFAULT_SCP_POLICY_ID, TargetId=account_id)
    organizations_backends.master_accounts[account_id] = (backend.account_id, backend.partition)
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    estate_roles.seed(
        {
            "account": account_id,
            "name": ACCESS_ROLE,
            "trust": f"arn:{backend.partition}:iam::{backend.account_id}:root",
            "managed_policies": [f"arn:{backend.partition}:iam::aws:policy/AdministratorAccess"],
        },
        backend.partition,
    )
