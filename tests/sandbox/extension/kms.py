"""Owns what KMS refuses: bad key policies, reserved aliases, keys in a state that forbids the call.

Key policies: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
Key states: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
Errors: botocore kms/2014-11-01.
"""

import json
from typing import Any

import iam_callers
import iam_enforce
from accounts import Credential
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

from .iam import document_error
from .iam_simulate import ALLOWED, decide

MAX_POLICY = 32768
# PendingDeletion forbids all of these; Disabled forbids those which use the key or rotate it.
NOT_WHEN_DISABLED = ("encrypt", "generate_data_key", "generate_data_key_without_plaintext", "sign", "enable_key_rotation",
                     "disable_key_rotation", "rotate_key_on_demand")
NOT_WHEN_PENDING = NOT_WHEN_DISABLED + ("enable_key", "disable_key", "update_key_description", "schedule_key_deletion")


def install() -> None:
    """Makes the sandbox's KMS refuse what AWS refuses."""
    _before("create_key", _check_new_key)
    _before("put_key_policy", _check_key_policy)
    _before("create_alias", _check_alias)
    _before("update_alias", _check_alias)
    _before("delete_alias", _check_reserved_alias)
    for operation in NOT_WHEN_PENDING:
        _before(operation, _state_check(operation in NOT_WHEN_DISABLED))
    _before("cancel_key_deletion", _check_pending)
    for operation in ("enable_key", "disable_key", "cancel_key_deletion", "schedule_key_deletion"):
        _accept_arn(operation)
    KmsResponse.schedule_key_deletion = _schedule_key_deletion(KmsResponse.schedule_key_deletion)
    KmsResponse.cancel_key_deletion = _answer_with_arn(KmsResponse.cancel_key_deletion)


def _error(code: str, message: str) -> JsonRESTError:
    return JsonRESTError(code, message)


def _before(operation: str, check: Any) -> None:
    original = getattr(KmsResponse, operation)

    def checked(self: KmsResponse) -> str:
        check(self)
        return original(self)

    setattr(KmsResponse, operation, checked)


def _accept_arn(operation: str) -> None:
    """KeyId is "the key ID or key ARN" (botocore), of which moto takes the first only."""
    original = getattr(KmsBackend, operation)

    def by_id(self: KmsBackend, key_id: str, *arguments: Any) -> Any:
        return original(self, self.get_key_id(key_id), *arguments)

    setattr(KmsBackend, operation, by_id)


def _check_new_key(self: KmsResponse) -> None:
    if self._get_param("Policy") is not None:
        _check_policy(self)


def _check_key_policy(self: KmsResponse) -> None:
    self._validate_cmk_id(self._get_param("KeyId"))
    _check_policy(self)


def _check_policy(self: KmsResponse) -> None:
    """API_PutKeyPolicy, parameter Policy and BypassPolicyLockoutSafetyCheck."""
    policy = self._get_param("Policy")
    if len(policy) > MAX_POLICY:
        raise _error("LimitExceededException", "The key policy is longer than 32768 bytes.")
    error = document_error(policy, principal="required", resource="required")
    if error:
        raise _error("MalformedPolicyDocumentException", error)
    if self._get_param("BypassPolicyLockoutSafetyCheck"):
        return
    # "The key policy must allow the calling principal to make a subsequent PutKeyPolicy request." Conditions
    # other than on the caller cannot be known here: kms:CallerAccount and aws:PrincipalArn are.
    caller = {"kms:CallerAccount": [self.current_account], "aws:PrincipalAccount": [self.current_account]}
    key = iam_enforce.caller_key() or f"AKIA{self.current_account}"
    identity = iam_callers.identify(Credential(key, self.region, "kms"), self.current_account, self.partition, None)
    caller |= {"aws:PrincipalArn": arns for name, arns in identity.keys.items() if name == "aws:principalarn"}
    if decide([("key", policy)], "kms:PutKeyPolicy", "*", caller, ("AWS", self.current_account)).result != ALLOWED:
        raise _error("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")


def _check_reserved_alias(self: KmsResponse) -> None:
    """API_CreateAlias: "The alias/aws/ prefix is reserved for AWS managed keys"."""
    if self._get_param("AliasName").startswith("alias/aws/"):
        raise _error("NotAuthorizedException", "The alias/aws/ prefix is reserved for AWS managed keys.")


def _check_alias(self: KmsResponse) -> None:
    _check_reserved_alias(self)
    target = self._get_param("TargetKeyId")
    if target.startswith("alias/") or ":alias/" in target:
        raise _error("ValidationException", "Aliases must refer to keys. Not aliases")
    _refuse_state(self, target, disabled=False)


def _state_check(disabled: bool) -> Any:
    return lambda self: _refuse_state(self, self._get_param("KeyId"), disabled)


def _refuse_state(self: KmsResponse, key_id: str, disabled: bool) -> None:
    self._validate_key_id(key_id)
    key = self.kms_backend.describe_key(self.kms_backend.any_id_to_key_id(key_id))
    if key.key_state == "PendingDeletion":
        raise _error("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if disabled and key.key_state == "Disabled":
        raise _error("DisabledException", f"{key.arn} is disabled.")


def _check_pending(self: KmsResponse) -> None:
    self._validate_cmk_id(self._get_param("KeyId"))
    key = self.kms_backend.describe_key(self.kms_backend.any_id_to_key_id(self._get_param("KeyId")))
    if key.key_state != "PendingDeletion":
        raise _error("KMSInvalidStateException", f"{key.arn} is not pending deletion.")


def _schedule_key_deletion(original: Any) -> Any:
    """API_ScheduleKeyDeletion: 7 to 30 days, and the answer names the key by ARN with its state."""

    def operation(self: KmsResponse) -> str:
        days = self._get_param("PendingWindowInDays")
        if days is not None and not 7 <= days <= 30:
            raise _error("ValidationException", "PendingWindowInDays must be between 7 and 30.")
        answer = json.loads(original(self))
        answer |= {"KeyId": _arn(self), "KeyState": "PendingDeletion", "PendingWindowInDays": days or 30}
        return json.dumps(answer)

    return operation


def _answer_with_arn(original: Any) -> Any:
    def operation(self: KmsResponse) -> str:
        original(self)
        return json.dumps({"KeyId": _arn(self)})

    return operation


def _arn(self: KmsResponse) -> str:
    return self.kms_backend.describe_key(self.kms_backend.any_id_to_key_id(self._get_param("KeyId"))).arn
