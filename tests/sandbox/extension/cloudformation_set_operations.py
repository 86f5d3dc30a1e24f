"""Owns operations on stack sets: Region after Region, some accounts at a time, until done, stopped or failed too often.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html#stackset-ops-options
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-manage-auto-deployment.html
"""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import calls
import emulate
from moto.utilities.utils import get_partition

from . import cloudformation_stacks as stacks
from .cloudformation_sets import SETS, Instance, lock, organization_of, wanted
from .cloudformation_stack import Stack
from .cloudformation_template import Invalid

PREFERENCES = {"RegionConcurrencyType", "RegionOrder", "FailureToleranceCount", "FailureTolerancePercentage", "MaxConcurrentCount",
               "MaxConcurrentPercentage", "ConcurrencyMode"}
# What Organizations does that takes accounts into units or out of them.
MOVES = ("MoveAccount", "CreateAccount", "RemoveAccountFromOrganization", "CloseAccount")


class Operation:
    """One operation; `results` has what became of each account and Region, in the order in which they come."""

    def __init__(self, action, preferences, operation_id=None, retain=False, targets=None):
        self.id = operation_id or str(uuid.uuid4())
        self.action, self.preferences, self.retain, self.targets = action, preferences, retain, targets
        self.status, self.reason = "RUNNING", None
        self.begun, self.ended = emulate.now(), None
        self.results = {}

    def failed(self):
        """Counts the accounts and Regions that failed."""
        return sum(1 for one in self.results.values() if one["Status"] == "FAILED")


def check_preferences(given, regions):
    """Refuses preferences that contradict each other."""
    for pair in (("FailureToleranceCount", "FailureTolerancePercentage"), ("MaxConcurrentCount", "MaxConcurrentPercentage")):
        if set(pair) <= set(given):
            raise Invalid(f"You can specify either {pair[0]} or {pair[1]}, but not both.")
    order = given.get("RegionOrder") or []
    if order and set(order) != set(regions):
        raise Invalid("RegionOrder must have the Regions of the operation")
    if int(given.get("MaxConcurrentCount", 1)) < 1:
        raise Invalid("MaxConcurrentCount must be at least 1")


def start(stack_set, operation, places):
    """Begins an operation on places, {(account, region): unit}, and answers at once with its id."""
    preferences = operation.preferences
    regions = preferences.get("RegionOrder") or sorted({region for _, region in places})
    for region in regions:
        for account in sorted(account for account, where in places if where == region):
            operation.results[account, region] = {
                "Account": account, "Region": region, "Status": "PENDING", "OrganizationalUnitId": places[account, region]}
    stack_set.operations[operation.id] = operation
    threading.Thread(target=_run, args=(stack_set, operation), daemon=True).start()
    return operation.id


def _run(stack_set, operation):
    try:
        _go_through(stack_set, operation)
    except Exception as error:  # noqa: BLE001 - an operation always ends, and says why.
        operation.status, operation.reason = "FAILED", f"{type(error).__name__}: {error}"
    operation.ended = emulate.now()
    with stack_set.changed:
        stack_set.changed.notify_all()


def _go_through(stack_set, operation):
    regions = list(dict.fromkeys(region for _, region in operation.results))
    groups = [regions] if operation.preferences.get("RegionConcurrencyType") == "PARALLEL" else [[region] for region in regions]
    has_failed = False
    for group in groups:
        threads = [threading.Thread(target=_one_region, args=(stack_set, operation, region)) for region in group]
        if has_failed or operation.status == "STOPPING":
            break
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        has_failed = any(_exceeds(operation, region) for region in group)
    for result in operation.results.values():
        if result["Status"] == "PENDING":
            result |= {"Status": "CANCELLED", "StatusReason": "Cancelled since failure tolerance has exceeded" if has_failed
                       else "Cancelled since the operation was stopped"}
            instance = stack_set.instances.get((result["Account"], result["Region"]))
            if instance:
                instance.detailed, instance.reason = "CANCELLED", result["StatusReason"]
    operation.status = "STOPPED" if operation.status == "STOPPING" else "FAILED" if has_failed else "SUCCEEDED"


def _of_region(operation, region):
    return [one for one in operation.results.values() if one["Region"] == region]


def _share(preferences, kind, n_accounts):
    """"CloudFormation rounds down to the next whole number" (FailureTolerancePercentage, MaxConcurrentPercentage)."""
    if f"{kind}Percentage" in preferences:
        return n_accounts * int(preferences[f"{kind}Percentage"]) // 100
    return int(preferences.get(f"{kind}Count", 0 if kind == "FailureTolerance" else 1))


def _exceeds(operation, region):
    of_region = _of_region(operation, region)
    tolerated = _share(operation.preferences, "FailureTolerance", len(of_region))
    return sum(1 for one in of_region if one["Status"] == "FAILED") > tolerated


def _one_region(stack_set, operation, region):
    of_region = _of_region(operation, region)
    at_once = max(_share(operation.preferences, "MaxConcurrent", len(of_region)), 1)
    if operation.preferences.get("ConcurrencyMode") != "SOFT_FAILURE_TOLERANCE":
        # "MaxConcurrentCount is at most one more than the FailureToleranceCount if you're using STRICT_FAILURE_TOLERANCE."
        at_once = min(at_once, _share(operation.preferences, "FailureTolerance", len(of_region)) + 1)

    def one(result):
        if operation.status == "STOPPING" or _exceeds(operation, region):
            return
        result["Status"] = "RUNNING"
        reason = _do(stack_set, operation, result["Account"], region, result["OrganizationalUnitId"])
        if reason:
            result["StatusReason"] = reason
        result["Status"] = "FAILED" if reason else "SUCCEEDED"

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        list(pool.map(one, of_region))


def _do(stack_set, operation, account, region, unit):
    """Creates, updates or deletes the stack of one place; returns why that failed."""
    instance = stack_set.instances.get((account, region))
    if operation.action == "DELETE":
        return _remove(stack_set, operation, instance)
    if instance is None:
        instance = stack_set.instances[account, region] = Instance(account, region, unit)
    instance.operation, instance.detailed = operation.id, "RUNNING"
    if operation.action == "CREATE" and instance.status == "CURRENT":
        instance.detailed = "SUCCEEDED"
        return None
    reason = _bring_up_to_date(stack_set, instance)
    instance.status = "OUTDATED" if reason else "CURRENT"
    instance.detailed, instance.reason = ("FAILED", reason) if reason else ("SUCCEEDED", None)
    return reason


def _bring_up_to_date(stack_set, instance):
    stack = instance.stack
    if stack and stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        # A stack whose creation was rolled back can only be deleted.
        stacks.delete(stack)
        stack = None
    try:
        if stack is None:
            stack = instance.stack = Stack(instance.account, instance.region, f"StackSet-{stack_set.name}-{uuid.uuid4()}")
            stack.tags, stack.capabilities, stack.in_set = stack_set.tags, stack_set.capabilities, True
            stacks.create(stack, stack_set.template, stack_set.values)
        elif stacks.is_changed(stack, stack_set.template, stack_set.values):
            stack.tags, stack.capabilities = stack_set.tags, stack_set.capabilities
            stacks.update(stack, stack_set.template, stack_set.values)
    except Exception as error:  # noqa: BLE001 - the instance fails, and the reason is reported.
        return str(error)
    return None if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else _reported(stack)


def _reported(stack):
    name, reason = stacks.failure_of(stack)
    return f"ResourceLogicalId:{name}, ResourceType:{stack.resources[name].kind if name in stack.resources else ''}, ResourceStatusReason:{reason}."


def _remove(stack_set, operation, instance):
    if instance is None:
        return None
    instance.operation, instance.detailed = operation.id, "RUNNING"
    if instance.stack and not operation.retain:
        stacks.delete(instance.stack)
        if instance.stack.status != "DELETE_COMPLETE":
            # "INOPERABLE: A DeleteStackInstances operation has failed and left the stack in an unstable state."
            reason = _reported(instance.stack)
            instance.status, instance.detailed, instance.reason = "INOPERABLE", "INOPERABLE", reason
            return reason
    del stack_set.instances[instance.account, instance.region]
    return None


def follow_moves():
    """Has accounts that come into a unit, or leave it, get or lose their stacks."""
    calls.subscribe(_moved)


def _moved(entry):
    if entry["service"] != "organizations" or entry["operation"] not in MOVES or entry["status"] != 200:
        return
    answer, asked = entry["response"] or {}, entry["params"]
    account = asked.get("AccountId") or (answer.get("CreateAccountStatus") or {}).get("AccountId")
    organization = organization_of(entry["account"], get_partition(entry["region"]))
    for (management, _), found in SETS.everywhere().items():
        for stack_set in list(found.values()):
            if management == organization.account_id and stack_set.auto_deployment.get("Enabled"):
                threading.Thread(target=_deploy, args=(stack_set, organization, account), daemon=True).start()


def _deploy(stack_set, organization, account):
    """Creates and deletes what an account is to have where it is now, once nothing else is under way."""
    for action in ("CREATE", "DELETE"):
        with stack_set.changed:
            stack_set.changed.wait_for(lambda: stack_set.running() is None, timeout=60)
            with lock(stack_set.management):
                now = wanted(stack_set, organization)
                if action == "CREATE":
                    places = {place: unit for place, unit in now.items() if place[0] == account and place not in stack_set.instances}
                else:
                    places = {place: one.unit for place, one in stack_set.instances.items() if place[0] == account and place not in now}
                if not places:
                    continue
                operation = Operation(action, {"FailureTolerancePercentage": "100", "MaxConcurrentCount": "1"},
                                      retain=stack_set.auto_deployment.get("RetainStacksOnAccountRemoval", False))
                start(stack_set, operation, places)
