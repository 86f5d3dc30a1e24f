"""Owns the service setting of Default Host Management Configuration, which moto
lacks: one per account and Region, `Default` until somebody customises it.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ServiceSetting.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/managed-instances-default-host-management.html
"""

import emulate
from moto.ssm.responses import SimpleSystemManagerResponse

DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
# What an account has that never turned it on.
OFF = "$None"

# setting id -> (value, last modified date, last modified user), customised ones only
SETTINGS = emulate.Store(dict)


def get_service_setting(response):
    """Answers with the value, whichever way the setting is named."""
    return {"ServiceSetting": _describe(response, _setting_id(response))}


def update_service_setting(response):
    """Takes a new value; AWS does not document what it checks of the role."""
    setting_id = _setting_id(response)
    value = emulate.parameters(response).get("SettingValue")
    if not value:
        emulate.refuse("ValidationException", "SettingValue must not be empty.")
    user = f"arn:{response.partition}:iam::{response.current_account}:user/sandbox"
    SETTINGS.here(response)[setting_id] = (value, emulate.now(), user)
    return {}


def reset_service_setting(response):
    """Goes back to the default and answers with it."""
    setting_id = _setting_id(response)
    SETTINGS.here(response).pop(setting_id, None)
    return {"ServiceSetting": _describe(response, setting_id)}


def _setting_id(response):
    given = emulate.parameters(response).get("SettingId") or ""
    prefix = _arn(response, "")
    setting_id = given[len(prefix) :] if given.startswith(prefix) else given
    if setting_id != DHMC:
        emulate.refuse("ServiceSettingNotFound", f"Setting {given} not found.")
    return setting_id


def _arn(response, setting_id):
    return (
        f"arn:{response.partition}:ssm:{response.region}:{response.current_account}"
        f":servicesetting{setting_id}"
    )


def _describe(response, setting_id):
    customised = SETTINGS.here(response).get(setting_id)
    value, date, user = customised or (OFF, emulate.now(), "System")
    return {
        "SettingId": setting_id,
        "SettingValue": value,
        "LastModifiedDate": date,
        "LastModifiedUser": user,
        "ARN": _arn(response, setting_id),
        "Status": "Customized" if customised else "Default",
    }


def install():
    for name, function in (
        ("GetServiceSetting", get_service_setting),
        ("UpdateServiceSetting", update_service_setting),
        ("ResetServiceSetting", reset_service_setting),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
