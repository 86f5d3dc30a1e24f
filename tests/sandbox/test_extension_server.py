"""Owns the server that the extension's tests share: moto with every extension module, on port 0.

The access key `AKIA` + account number selects the account, as in the sandbox
proper. It holds no tests itself.
"""

import importlib
import logging
import os
import pkgutil
import re
from functools import cache
from typing import Any

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.core.responses import BaseResponse
from moto.iam import models as iam_models
from moto.server import ThreadedMotoServer

import extension

MANAGEMENT, MEMBER = "111111111111", "222222222222"
OWN_MODULES = ("managed_policies", "iam", "iam_simulate", "organizations", "organizations_delegation", "kms", "s3", "s3_roots", "logs", "events", "events_bus", "events_pattern",
               "events_delivery", "events_transform", "cloudtrail", "cloudtrail_lookup", "sqs")


@cache
def endpoint() -> str:
    """Returns the address of the one server of this test process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _select_account_by_access_key()
    for module in sorted(name for _, name, _ in pkgutil.iter_modules(extension.__path__) if name in OWN_MODULES):
        importlib.import_module(f"extension.{module}").install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return "http://{}:{}".format(*server.get_host_and_port())


def client(service: str, account: str = MANAGEMENT, region: str = "eu-central-1") -> Any:
    """Returns a boto3 client of the account and region."""
    return boto3.client(
        service, region_name=region, endpoint_url=endpoint(), aws_access_key_id=f"AKIA{account}",
        aws_secret_access_key="sandbox", config=Config(retries={"max_attempts": 0}, parameter_validation=False),
    )


def reset() -> None:
    """Empties every account."""
    from moto.backends import get_backend

    for service in ("iam", "organizations", "kms", "s3", "logs", "events", "cloudtrail", "secretsmanager", "sqs"):
        get_backend(service).reset()
    get_backend("organizations").master_accounts.clear()


def error_of(call: Any, **parameters: Any) -> str:
    """Returns the error code that the call ends with, and its Reason where there is one."""
    try:
        call(**parameters)
    except ClientError as error:
        reason = error.response.get("Reason")
        return error.response["Error"]["Code"] + (f" {reason}" if reason else "")
    return "none"


def _select_account_by_access_key() -> None:
    BaseResponse.access_key_regex = re.compile(r"AWS.*(?P<access_key>(?<![A-Z0-9])[A-Z0-9]{16,20}(?![A-Z0-9]))[:/]")
    original = iam_models.get_account_id_from
    iam_models.get_account_id_from = lambda key: key[4:] if re.fullmatch(r"AKIA\d{12}", key) else original(key)
