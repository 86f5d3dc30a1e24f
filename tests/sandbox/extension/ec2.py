"""Owns DescribeInstances paging and the platform of an instance, where moto
differs from AWS, and the metadata defaults of an account, which moto lacks.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
MaxResults is 5 to 1000, NextToken is opaque, and the page is cut by instances.
"""

import emulate
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterCombination
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.instances import Instance
from moto.ec2.responses.instances import InstanceResponse
from moto.utilities.utils import get_partition

MAXIMUM = 1000


def describe_instances(self):
    """Answers with whole reservations, as many as the page may hold."""
    self.error_on_dryrun()
    instance_ids = self._get_param("InstanceIds", [])
    size = self._get_param("MaxResults")
    if size is not None:
        if instance_ids:
            raise InvalidParameterCombination(
                "The parameter instancesSet cannot be used with the parameter maxResults"
            )
        size = int(size)
        if not 5 <= size <= MAXIMUM:
            bound = "greater than 5" if size < 5 else f"less than {MAXIMUM}"
            emulate.refuse(
                "InvalidParameterValue",
                f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value {bound}.",
            )
    filters = self._filters_from_querystring()
    if instance_ids:
        reservations = self.ec2_backend.get_reservations_by_instance_ids(
            instance_ids, filters=filters
        )
    else:
        reservations = self.ec2_backend.describe_instances(filters=filters)
    start = _start(self._get_param("NextToken"), len(reservations))
    end = start + (size or MAXIMUM)
    token = f"page.{end}" if end < len(reservations) else None
    return ActionResult({"Reservations": reservations[start:end], "NextToken": token})


def _start(token, n_reservations):
    if not token:
        return 0
    prefix, _, number = token.partition(".")
    if prefix != "page" or not number.isdigit() or int(number) > n_reservations:
        emulate.refuse("InvalidNextToken", f"Invalid value '{token}' for nextToken.")
    return int(number)


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
# By parameter, the values that it takes and the one that takes a setting away.
DEFAULTS = {
    "HttpTokens": ("optional", "required", "no-preference"),
    "HttpEndpoint": ("enabled", "disabled", "no-preference"),
    "InstanceMetadataTags": ("enabled", "disabled", "no-preference"),
    "HttpTokensEnforced": ("enabled", "disabled", "no-preference"),
}
METADATA_DEFAULTS = emulate.Store(dict)


def get_instance_metadata_defaults(self):
    """Answers with what was set; what has no preference is left out."""
    self.error_on_dryrun()
    defaults = METADATA_DEFAULTS.of(self.current_account, self.region)
    return ActionResult({"AccountLevel": {"ManagedBy": "account", **defaults}})


def modify_instance_metadata_defaults(self):
    """Sets what is named and leaves the rest."""
    self.error_on_dryrun()
    defaults = METADATA_DEFAULTS.of(self.current_account, self.region)
    for name, values in DEFAULTS.items():
        value = self._get_param(name)
        if value is None:
            continue
        if value not in values:
            emulate.refuse("InvalidParameterValue", f"Value ({value}) for parameter {name} is invalid.")
        if value == "no-preference":
            defaults.pop(name, None)
        else:
            defaults[name] = value
    return ActionResult({"Return": True})


def _platform_details(self):
    return "Windows" if self.platform == "windows" else "Linux/UNIX"


def _enabled_regions(inherited):
    """Leaves out what moto lists beside them: the other partitions' Regions, and those not opted in.

    "AllRegions: Indicates whether to display all Regions, including Regions that are disabled for your account." is not
    taken here. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """

    def describe_regions(self, region_names=None):
        regions = inherited(self, region_names)
        if region_names:
            return regions
        here = get_partition(self.region_name)
        return [r for r in regions if r.opt_in_status != "not-opted-in" and get_partition(r.name) == here]

    return describe_regions


def install():
    RegionsAndZonesBackend.describe_regions = _enabled_regions(RegionsAndZonesBackend.describe_regions)
    InstanceResponse.describe_instances = describe_instances
    InstanceResponse.get_instance_metadata_defaults = get_instance_metadata_defaults
    InstanceResponse.modify_instance_metadata_defaults = modify_instance_metadata_defaults
    Instance.platform_details = property(_platform_details)
