"""Owns which types of resources a stack can have here, and how one of them is made: by the calls that CloudFormation makes.

The calls go to the sandbox itself, so that what refuses a call refuses the resource, and faults hit both.
Reasons of failures: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
"""

import functools
import json
import re
import secrets
import string
import threading
import uuid

import accounts
import boto3
import iam_enforce
import lifetime
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from moto.utilities.utils import get_partition

from . import cloudformation_schema

# type -> Kind
KINDS = {}
URL_SUFFIX = {"aws-cn": "amazonaws.com.cn"}

_lock = threading.Lock()
_clients = {}


class Failed(Exception):
    """Why a resource could not be made, changed or deleted, in CloudFormation's words."""


class Kind:
    """How resources of one type come and go.

    `create(place, properties)` returns the physical id and the attributes for Fn::GetAtt, `update(place, id, properties,
    before)` the attributes, `delete(place, id, properties)` nothing. `takes` names the properties that they respect.
    """

    def __init__(self, takes, create, update, delete):
        self.takes = set(takes.split())
        self.create = create
        self.update = update
        self.delete = delete


class Place:
    """Where a resource is made, and for whom."""

    def __init__(self, account, region, stack_name, logical_id):
        self.account = account
        self.region = region
        self.partition = get_partition(region)
        self.url_suffix = URL_SUFFIX.get(self.partition, "amazonaws.com")
        self.stack_name = stack_name
        self.logical_id = logical_id

    def call(self, service, operation, **parameters):
        """Calls an operation in the account and Region of the stack; parameters that are None are left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return getattr(_client(self.account, self.region, service), operation)(**given)

    def name(self, longest=64):
        """Returns a name as CloudFormation makes one up.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
        """
        suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
        return f"{self.stack_name}-{self.logical_id}"[: longest - 13] + f"-{suffix}"

    def arn(self, service, rest, region=None, account=None):
        """Returns an ARN here."""
        region = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{region}:{self.account if account is None else account}:{rest}"


def _client(account, region, service):
    with _lock:
        if (account, region, service) not in _clients:
            _clients[account, region, service] = _session().client(
                service, endpoint_url=lifetime.url(), region_name=region,
                aws_access_key_id=f"AKIA{account}", aws_secret_access_key="cloudformation",
                config=Config(retries={"total_max_attempts": 1}, user_agent="cloudformation.amazonaws.com",
                              s3={"addressing_style": "path"}),
            )
            _clients[account, region, service].meta.events.register("before-sign", functools.partial(_on_behalf, account))
        return _clients[account, region, service]


def _on_behalf(account, request, **_):
    """Says whose permissions a call is made with: "CloudFormation uses a session from your user credentials".

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    """
    key = iam_enforce.caller_key()
    # What a stack set does in another account it does with a role of that account.
    if key and accounts.account_of(key) == account:
        request.headers["X-Sandbox-Caller"] = key
        request.headers["X-Sandbox-Called-Via"] = "cloudformation.amazonaws.com"


@functools.cache
def _session():
    return boto3.session.Session()


def document(value):
    """Returns a policy or another document, which a template may give as an object or as a text, as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def check(name, properties):
    """Refuses properties that AWS refuses, and those that nothing here would respect."""
    if name not in KINDS:
        raise Failed(f"NotEmulated: the sandbox does not emulate {name}")
    properties = cloudformation_schema.settle(name, properties)
    problems = cloudformation_schema.problems(name, properties)
    if problems:
        raise Failed(f"Properties validation failed for resource with message: {', '.join(problems)}")
    extra = sorted(set(properties) - KINDS[name].takes)
    if extra:
        raise Failed(f"NotEmulated: the sandbox does not emulate {', '.join(extra)} of {name}")
    return properties


def carry_out(action, name, place, *arguments):
    """Creates, updates or deletes a resource; deleting what is gone already is as good."""
    try:
        return getattr(KINDS[name], action)(place, *arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if action == "delete" and _means(code) == "NotFound":
            return None
        raise Failed(_message(error)) from None
    except ParamValidationError as error:
        raise Failed(f"Properties validation failed for resource {place.logical_id} with message: {error}") from None


def _message(error):
    said, answer = error.response["Error"], error.response["ResponseMetadata"]
    service = re.sub(r"[^A-Za-z]", "", error.operation_name)
    return (f'Resource handler returned message: "{said.get("Message", "")} ({service}: {said["Code"]}, Status Code: '
            f'{answer["HTTPStatusCode"]})" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {_means(said["Code"])})')


def _means(code):
    for word, meaning in (
        (r"AlreadyExist|EntityExists|BucketAlready|ResourceConflict|QueueNameExists|QueueAlreadyExists", "AlreadyExists"),
        (r"NotFound|NoSuch|NonExistent|InvalidDocument$|DoesNotExist", "NotFound"),
        (r"AccessDenied|NotAuthorized", "AccessDenied"), (r"Throttl|TooManyRequests|RequestLimit|SlowDown", "Throttling"),
        (r"LimitExceeded", "ServiceLimitExceeded"), (r"^Internal|ServiceUnavailable", "ServiceInternalError"),
    ):
        if re.search(word, code):
            return meaning
    return "InvalidRequest"
