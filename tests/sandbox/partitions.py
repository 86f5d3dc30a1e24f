"""Owns the partitions that an estate may lie in: their names, and the Region where each keeps what is global.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
https://docs.aws.amazon.com/general/latest/gr/ao.html (endpoints of Organizations)
"""

from moto.utilities.utils import get_partition

HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}
DEFAULT = "aws"


def check(estate):
    """Returns the partition of an estate; raises ValueError for one that is unknown or that a part of the estate is not in."""
    partition = estate.get("partition", DEFAULT)
    if partition not in HOMES:
        raise ValueError(f"unknown partition {partition}: known are {', '.join(HOMES)}")
    for part in ("nodes", "documents", "service_settings", "cloudtrail_records"):
        for given in estate.get(part, []):
            if get_partition(given["region"]) != partition:
                raise ValueError(f"{part}: the Region {given['region']} is not in the partition {partition}")
    for role in estate.get("roles", []):
        for arn in role.get("managed_policies", []):
            if arn.split(":")[1] != partition:
                raise ValueError(f"roles: {arn} is not in the partition {partition}")
    return partition


def of_region(region):
    """Returns the partition that a Region is in."""
    return get_partition(region)
