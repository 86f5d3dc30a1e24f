"""Owns AWS::IAM::Role, AWS::IAM::RolePolicy, AWS::IAM::ManagedPolicy and AWS::IAM::InstanceProfile in stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from .cloudformation_resources import KINDS, Kind, document


def create_role(place, properties):
    name = properties.get("RoleName") or place.name(64)
    role = place.call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=document(properties["AssumeRolePolicyDocument"]),
                      Path=properties.get("Path"), Description=properties.get("Description"),
                      MaxSessionDuration=properties.get("MaxSessionDuration"), PermissionsBoundary=properties.get("PermissionsBoundary"),
                      Tags=properties.get("Tags"))["Role"]
    try:
        _set_policies(place, name, properties, {})
    except Exception:
        # Nobody knows of a role whose creation failed, and it would be left behind.
        delete_role(place, name, properties)
        raise
    return name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _set_policies(place, name, properties, before):
    wanted, had = set(properties.get("ManagedPolicyArns", [])), set(before.get("ManagedPolicyArns", []))
    for arn in sorted(wanted - had):
        place.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
    for arn in sorted(had - wanted):
        place.call("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)
    inline, was = ({policy["PolicyName"]: document(policy["PolicyDocument"]) for policy in given.get("Policies", [])}
                   for given in (properties, before))
    for policy in sorted(inline):
        if inline[policy] != was.get(policy):
            place.call("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=inline[policy])
    for policy in sorted(set(was) - set(inline)):
        place.call("iam", "delete_role_policy", RoleName=name, PolicyName=policy)


def update_role(place, name, properties, before):
    if properties["AssumeRolePolicyDocument"] != before["AssumeRolePolicyDocument"]:
        place.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=document(properties["AssumeRolePolicyDocument"]))
    if any(properties.get(key) != before.get(key) for key in ("Description", "MaxSessionDuration")):
        place.call("iam", "update_role", RoleName=name, Description=properties.get("Description", ""),
                   MaxSessionDuration=properties.get("MaxSessionDuration"))
    _set_policies(place, name, properties, before)


def delete_role(place, name, properties):
    """Takes away what the template gave the role; what others attached keeps it from being deleted, as on AWS."""
    for arn in properties.get("ManagedPolicyArns", []):
        _quietly(place, "detach_role_policy", RoleName=name, PolicyArn=arn)
    for policy in properties.get("Policies", []):
        _quietly(place, "delete_role_policy", RoleName=name, PolicyName=policy["PolicyName"])
    place.call("iam", "delete_role", RoleName=name)


def _quietly(place, operation, **parameters):
    try:
        place.call("iam", operation, **parameters)
    except Exception as error:
        if "NoSuchEntity" not in str(error):
            raise


def create_role_policy(place, properties):
    place.call("iam", "put_role_policy", RoleName=properties["RoleName"], PolicyName=properties["PolicyName"],
               PolicyDocument=document(properties["PolicyDocument"]))
    return f"{properties['PolicyName']}|{properties['RoleName']}", {}


def update_role_policy(place, _name, properties, _before):
    create_role_policy(place, properties)


def delete_role_policy(place, _name, properties):
    place.call("iam", "delete_role_policy", RoleName=properties["RoleName"], PolicyName=properties["PolicyName"])


def create_managed_policy(place, properties):
    made = place.call("iam", "create_policy", PolicyName=properties.get("ManagedPolicyName") or place.name(128),
                      PolicyDocument=document(properties["PolicyDocument"]), Path=properties.get("Path"),
                      Description=properties.get("Description"))["Policy"]
    try:
        for role in properties.get("Roles", []):
            place.call("iam", "attach_role_policy", RoleName=role, PolicyArn=made["Arn"])
    except Exception:
        delete_managed_policy(place, made["Arn"], properties)
        raise
    return made["Arn"], {"PolicyArn": made["Arn"], "PolicyId": made["PolicyId"], "DefaultVersionId": made["DefaultVersionId"]}


def update_managed_policy(place, arn, properties, before):
    if document(properties["PolicyDocument"]) != document(before["PolicyDocument"]):
        versions = place.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]
        if len(versions) > 4:  # A policy may have five: the oldest that is not in force goes.
            oldest = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]][-1]
            place.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=oldest)
        place.call("iam", "create_policy_version", PolicyArn=arn, PolicyDocument=document(properties["PolicyDocument"]), SetAsDefault=True)
    wanted, had = set(properties.get("Roles", [])), set(before.get("Roles", []))
    for role in sorted(wanted - had):
        place.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
    for role in sorted(had - wanted):
        place.call("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)


def delete_managed_policy(place, arn, properties):
    for role in properties.get("Roles", []):
        _quietly(place, "detach_role_policy", RoleName=role, PolicyArn=arn)
    for version in place.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            place.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=version["VersionId"])
    place.call("iam", "delete_policy", PolicyArn=arn)


def create_profile(place, properties):
    name = properties.get("InstanceProfileName") or place.name(128)
    made = place.call("iam", "create_instance_profile", InstanceProfileName=name, Path=properties.get("Path"))["InstanceProfile"]
    for role in properties["Roles"]:
        place.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=role)
    return name, {"Arn": made["Arn"]}


def update_profile(place, name, properties, before):
    for role in before["Roles"]:
        place.call("iam", "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=role)
    for role in properties["Roles"]:
        place.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=role)


def delete_profile(place, name, properties):
    for role in properties["Roles"]:
        _quietly(place, "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=role)
    place.call("iam", "delete_instance_profile", InstanceProfileName=name)


def install():
    KINDS["AWS::IAM::Role"] = Kind(
        "RoleName AssumeRolePolicyDocument Path Policies ManagedPolicyArns Description MaxSessionDuration PermissionsBoundary Tags",
        create_role, update_role, delete_role)
    KINDS["AWS::IAM::RolePolicy"] = Kind("RoleName PolicyName PolicyDocument", create_role_policy, update_role_policy, delete_role_policy)
    KINDS["AWS::IAM::ManagedPolicy"] = Kind(
        "ManagedPolicyName PolicyDocument Path Description Roles", create_managed_policy, update_managed_policy, delete_managed_policy)
    KINDS["AWS::IAM::InstanceProfile"] = Kind("InstanceProfileName Path Roles", create_profile, update_profile, delete_profile)
