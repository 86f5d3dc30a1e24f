"""Owns AWS::SSM::Document, AWS::SSM::Parameter, AWS::SSM::ServiceSetting and AWS::SSM::DefaultHostManagementConfiguration in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SSM.html
"""

from .cloudformation_resources import KINDS, Failed, Kind, document
from .ssm_settings import DHMC, OFF


def create_document(place, properties):
    """CreateDocument it is, whatever UpdateMethod says: a document that somebody made already is not taken over."""
    name = properties.get("Name") or place.name(128)
    place.call("ssm", "create_document", Name=name, Content=document(properties["Content"]),
               DocumentType=properties.get("DocumentType"), DocumentFormat=properties.get("DocumentFormat"),
               TargetType=properties.get("TargetType"), VersionName=properties.get("VersionName"), Tags=properties.get("Tags"))
    return name, {}


def update_document(place, name, properties, before):
    """"when set to 'NewVersion', the update will create a new version" (schema), and the handler makes it the default.

    Permissions of the update handler in the schema: ssm:UpdateDocument, ssm:UpdateDocumentDefaultVersion.
    """
    if {**properties, "UpdateMethod": None, "Tags": None} == {**before, "UpdateMethod": None, "Tags": None}:
        return
    made = place.call("ssm", "update_document", Name=name, Content=document(properties["Content"]), DocumentVersion="$LATEST",
                      DocumentFormat=properties.get("DocumentFormat"), TargetType=properties.get("TargetType"),
                      VersionName=properties.get("VersionName"))
    place.call("ssm", "update_document_default_version", Name=name, DocumentVersion=made["DocumentDescription"]["DocumentVersion"])


def delete_document(place, name, _properties):
    place.call("ssm", "delete_document", Name=name)


def _setting(place):
    return place.call("ssm", "get_service_setting", SettingId=DHMC)["ServiceSetting"]


def _set_role(place, properties):
    if properties["PermissionModel"] != "SELF_MANAGED" or "CustomerManagedRoleArn" not in properties:
        raise Failed("NotEmulated: the sandbox emulates PermissionModel SELF_MANAGED with CustomerManagedRoleArn only")
    # The setting is the role's path and name.
    role = properties["CustomerManagedRoleArn"].split(":role/", 1)[1]
    place.call("ssm", "update_service_setting", SettingId=DHMC, SettingValue=role)
    setting = _setting(place)
    return {"RoleArn": properties["CustomerManagedRoleArn"], "SettingArn": setting["ARN"], "SettingId": setting["SettingId"],
            "Status": setting["Status"], "LastModifiedDate": setting["LastModifiedDate"].isoformat(),
            "LastModifiedUser": setting["LastModifiedUser"]}


def create_host_management(place, properties):
    """"Creating the resource fails if Default Host Management Configuration is already turned on."

    https://docs.amazonaws.cn/en_us/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-defaulthostmanagementconfiguration.html
    """
    setting = _setting(place)
    if setting["Status"] != "Default" and setting["SettingValue"] != OFF:
        raise Failed('Resource handler returned message: "Default Host Management Configuration is already turned on" '
                     "(HandlerErrorCode: AlreadyExists)")
    attributes = _set_role(place, properties)
    return attributes["SettingArn"], attributes


def update_host_management(place, _name, properties, _before):
    return _set_role(place, properties)


def delete_host_management(place, _name, _properties):
    """"Deleting the resource turns off Default Host Management Configuration.\""""
    place.call("ssm", "reset_service_setting", SettingId=DHMC)


def create_setting(place, properties):
    place.call("ssm", "update_service_setting", SettingId=properties["SettingId"], SettingValue=properties["SettingValue"])
    setting = place.call("ssm", "get_service_setting", SettingId=properties["SettingId"])["ServiceSetting"]
    return setting["ARN"], {"Arn": setting["ARN"], "Status": setting["Status"]}


def update_setting(place, _name, properties, _before):
    create_setting(place, properties)


def delete_setting(place, _name, properties):
    place.call("ssm", "reset_service_setting", SettingId=properties["SettingId"])


def create_parameter(place, properties):
    name = properties.get("Name") or place.name(512)
    place.call("ssm", "put_parameter", Name=name, Type=properties["Type"], Value=properties["Value"], Description=properties.get("Description"))
    return name, {"Type": properties["Type"], "Value": properties["Value"]}


def update_parameter(place, name, properties, _before):
    place.call("ssm", "put_parameter", Name=name, Type=properties["Type"], Value=properties["Value"],
               Description=properties.get("Description"), Overwrite=True)
    return {"Type": properties["Type"], "Value": properties["Value"]}


def delete_parameter(place, name, _properties):
    place.call("ssm", "delete_parameter", Name=name)


def install():
    KINDS["AWS::SSM::Document"] = Kind(
        "Name Content DocumentType DocumentFormat TargetType UpdateMethod VersionName Tags",
        create_document, update_document, delete_document)
    KINDS["AWS::SSM::DefaultHostManagementConfiguration"] = Kind(
        "PermissionModel CustomerManagedRoleArn", create_host_management, update_host_management, delete_host_management)
    KINDS["AWS::SSM::ServiceSetting"] = Kind("SettingId SettingValue", create_setting, update_setting, delete_setting)
    KINDS["AWS::SSM::Parameter"] = Kind(
        "Name Type Value Description", create_parameter, update_parameter, delete_parameter)
