"""Owns what a call needs: which IAM actions on which resources, with which context keys.

Where an operation has the name of its action, the service reference says which types of resource the action
takes, and `resources` finds them in the parameters. `operations` has what differs, and what one call needs besides.
Who calls, and whether that is allowed, is not looked at here.
"""

from dataclasses import dataclass, field

from moto.utilities.utils import get_partition

from . import reference

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
GLOBAL_SERVICES = ("iam", "organizations", "sts")


class Unmapped(Exception):
    """Nobody wrote down what a call needs, so that nobody can say whether it is allowed."""


@dataclass
class Call:
    """One request as it arrived."""

    account: str
    region: str
    service: str
    operation: str
    params: dict

    @property
    def partition(self):
        return get_partition(self.region)

    def arn(self, service, resource, region=None, account=None):
        """Returns an ARN in the account and Region of the call, unless others are given."""
        region = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{region}:{self.account if account is None else account}:{resource}"


@dataclass
class Need:
    """One action on one resource. `keys` are those of the service (lower case); the global ones are not here."""

    action: str
    resource: str
    keys: dict = field(default_factory=dict)
    # The name of a service that does this with the caller's permissions: "kms" for kms:ViaService and aws:CalledVia.
    via: str | None = None


def needs(call):
    """Returns all that a call needs, most important first; raises Unmapped."""
    from . import keys, operations, resources

    if (call.service, call.operation) in operations.FREE:
        return []
    own = operations.OWN.get((call.service, call.operation))
    more = operations.BESIDES.get((call.service, call.operation))
    try:
        if own:
            found = own(call)
        else:
            found = [Need(name, arn) for name in operations.actions(call) for arn in resources.of(call, reference.action(name))]
        for need in found:
            need.keys = keys.of_request(call) | keys.of_service(call, need) | need.keys
        besides = more(call) if more else []
        for need in besides:
            # Tags of the request are not what is passed, encrypted or read besides.
            need.keys = keys.of_service(call, need) | need.keys
        return found + besides
    except KeyError as missing:
        # A required parameter: AWS would refuse the request before it asks who may make it.
        raise Unmapped(f"what {call.service}:{call.operation} needs without {missing.args[0]}") from None
