"""Owns State Manager associations, as far as the tools make and read them.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateAssociation.html
(and DescribeAssociation, UpdateAssociation, ListAssociations, DeleteAssociation
of the same reference). Nothing is run on the nodes.
"""

import re
import uuid

import documents
import emulate
from moto.ssm.responses import SimpleSystemManagerResponse

# https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html
SCHEDULE = re.compile(r"^(rate\(\d+ (minute|minutes|hour|hours|day|days)\)|cron\(.+\)|at\(.+\))$")
COPIED = (
    "InstanceId",
    "Parameters",
    "Targets",
    "ScheduleExpression",
    "OutputLocation",
    "AssociationName",
    "MaxErrors",
    "MaxConcurrency",
    "ComplianceSeverity",
    "SyncCompliance",
    "ApplyOnlyAtCronInterval",
    "CalendarNames",
    "ScheduleOffset",
    "Duration",
)

# association id -> description
ASSOCIATIONS = emulate.Store(dict)


def create_association(response):
    """Makes an association; a second one of the same document and targets is refused."""
    request = emulate.parameters(response)
    _check(response, request)
    own = ASSOCIATIONS.here(response)
    for other in own.values():
        if all(other.get(k) == request.get(k) for k in ("Name", "InstanceId", "Targets", "AssociationName")):
            emulate.refuse("AssociationAlreadyExists", "Association already exists.")
    now = emulate.now()
    description = {
        "AssociationId": str(uuid.uuid4()),
        "Name": request["Name"],
        "AssociationVersion": "1",
        "DocumentVersion": request.get("DocumentVersion", "$DEFAULT"),
        "Date": now,
        "LastUpdateAssociationDate": now,
        "Overview": {"Status": "Pending", "DetailedStatus": "Creating"},
        **{key: request[key] for key in COPIED if key in request},
    }
    own[description["AssociationId"]] = description
    return {"AssociationDescription": description}


def update_association(response):
    """Makes a new version; every parameter that is not given is cleared.

    "If you omit ... the system removes any optional parameters":
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateAssociation.html
    """
    request = emulate.parameters(response)
    description = _find(response, {"AssociationId": request["AssociationId"]})
    _check(response, {"Name": description["Name"], **request})
    for key in COPIED:
        description.pop(key, None)
    description |= {key: request[key] for key in COPIED if key in request}
    description["DocumentVersion"] = request.get("DocumentVersion", "$DEFAULT")
    description["AssociationVersion"] = str(int(description["AssociationVersion"]) + 1)
    description["LastUpdateAssociationDate"] = emulate.now()
    return {"AssociationDescription": description}


def describe_association(response):
    """Answers with one association by id, or by document and instance."""
    return {"AssociationDescription": _find(response, emulate.parameters(response))}


def delete_association(response):
    """Deletes one association."""
    description = _find(response, emulate.parameters(response))
    del ASSOCIATIONS.here(response)[description["AssociationId"]]
    return {}


def list_associations(response):
    """Answers with the associations that match every filter."""
    request = emulate.parameters(response)
    filters = request.get("AssociationFilterList") or []
    keys = {
        "Name": "Name",
        "InstanceId": "InstanceId",
        "AssociationId": "AssociationId",
        "AssociationName": "AssociationName",
    }
    listed = [
        description
        for description in ASSOCIATIONS.here(response).values()
        if all(description.get(keys.get(f["key"])) == f["value"] for f in filters)
    ]
    shown, token = emulate.page(listed, request, 1, 50, 50)
    answer = {"Associations": shown}
    if token:
        answer["NextToken"] = token
    return answer


def _check(response, request):
    if documents.find(response.current_account, response.region, request["Name"]) is None:
        emulate.refuse("InvalidDocument", f"Document {request['Name']} does not exist.")
    schedule = request.get("ScheduleExpression")
    if schedule and not SCHEDULE.match(schedule):
        emulate.refuse("InvalidSchedule", f"The schedule {schedule} is not valid.")
    if not request.get("InstanceId") and not request.get("Targets"):
        emulate.refuse("InvalidTarget", "Specify Targets or InstanceId.")


def _find(response, request):
    for description in ASSOCIATIONS.here(response).values():
        if request.get("AssociationId"):
            if description["AssociationId"] == request["AssociationId"]:
                return description
        elif request.get("Name") == description["Name"] and request.get(
            "InstanceId"
        ) == description.get("InstanceId"):
            return description
    return emulate.refuse("AssociationDoesNotExist", "The specified association does not exist.")


def install():
    for name, function in (
        ("CreateAssociation", create_association),
        ("UpdateAssociation", update_association),
        ("DescribeAssociation", describe_association),
        ("DeleteAssociation", delete_association),
        ("ListAssociations", list_associations),
    ):
        emulate.operation(SimpleSystemManagerResponse, name)(function)
