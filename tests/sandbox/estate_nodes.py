"""Owns seeding EC2 instances and hybrid nodes with what SSM knows about them."""

import copy
import datetime

import emulate
import nodes
from extension import ssm_command_canned
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, InstanceState, Reservation, StateReason
from moto.iam.models import iam_backends

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# Any AMI that moto knows would do; an id that it does not know stays as given.
IMAGE_ID = "ami-0abcdef1234567890"


def seed(given, latest_agent=None):
    """Makes one node, or `count` of them with ids that count up from the one given.

    A mi- id makes a hybrid node, without an EC2 instance.
    """
    for one in _counted(given) if "count" in given else [given]:
        _seed_one(one, latest_agent)


def _counted(given):
    prefix, number = given["instance_id"].split("-")
    for n in range(given["count"]):
        name = {"name": f"{given['name']}-{n + 1}"} if "name" in given else {}
        yield {**given, **name, "instance_id": f"{prefix}-{int(number, 16) + n:0{len(number)}x}"}


def _seed_one(given, latest_agent):
    account, region = given["account"], given["region"]
    if latest_agent:
        nodes.REGIONS.of(account, region).latest_agent = latest_agent
    tags = {**given.get("tags", {})}
    if "name" in given:
        tags["Name"] = given["name"]
    address = "10.0.0.1"
    if not given["instance_id"].startswith("mi-"):
        address = _seed_instance(given, tags).private_ip or address
    if given.get("agent"):
        nodes.REGIONS.of(account, region).nodes[given["instance_id"]] = _node(given, tags, address)


def _seed_instance(given, tags):
    ec2 = ec2_backends[given["account"]][given["region"]]
    instance = Instance(
        ec2,
        given.get("image_id", IMAGE_ID),
        None,
        [],
        instance_type=given.get("instance_type", "t3.small"),
        region_name=given["region"],
        subnet_id=_default_subnet(ec2),
    )
    instance.id = given["instance_id"]
    for interface in instance.nics.values():
        interface.instance = instance
        if given.get("public_ip", True):
            interface.public_ip = f"198.51.100.{int(instance.id[-2:], 16) % 254 + 1}"
    _give_default_route(ec2)
    instance.platform = "windows" if _platform(given)["type"] == "Windows" else None
    state = given.get("state", "running")
    instance._state = InstanceState(state, STATES[state])
    if state in ("stopped", "terminated"):
        code = "Client.UserInitiatedShutdown"
        instance._reason = "User initiated"
        instance.state_reason = StateReason(f"{code}: User initiated shutdown", code)
    # Moto's own times are naive UTC.
    launched = _time(given.get("launched"), given.get("launched_minutes_ago", 60))
    instance.launch_time = launched.replace(tzinfo=None)
    imds = given.get("imds", {})
    options = instance.metadata_options
    options.http_endpoint = imds.get("endpoint", "enabled")
    options.http_tokens = imds.get("tokens", "required")
    options.http_put_response_hop_limit = imds.get("hop_limit", 2)
    reservation = Reservation("r-" + given["instance_id"][2:], ec2.account_id)
    reservation.instances.append(instance)
    ec2.reservations[reservation.id] = reservation
    instance.add_tags(tags)
    if given.get("profile"):
        ec2.associate_iam_instance_profile(instance.id, given["profile"])
        iam = iam_backends[given["account"]][ec2.partition]
        profile = iam.get_instance_profile(given["profile"])
        instance.iam_instance_profile["Id"] = profile.id
    return instance


def _default_subnet(ec2):
    return sorted(ec2.get_default_subnets().values(), key=lambda s: s.availability_zone)[0].id


def _give_default_route(ec2):
    """Leads the default VPC to an internet gateway, which moto leaves out.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
    """
    vpc = ec2.get_default_vpc()
    attached = {"attachment.vpc-id": [vpc.id]}
    if ec2.describe_internet_gateways(internet_gateway_ids=None, filters=attached):
        return
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    main = {"vpc-id": [vpc.id], "association.main": ["true"]}
    table = ec2.describe_route_tables(route_table_ids=None, filters=main)[0]
    ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)


def _node(given, tags, address):
    agent = given["agent"]
    platform = _platform(given)
    is_hybrid = given["instance_id"].startswith("mi-")
    return nodes.Node(
        instance_id=given["instance_id"],
        platform_type=platform["type"],
        platform_name=platform["name"],
        platform_version=platform["version"],
        agent_version=agent["version"],
        ping=agent.get("ping", "Online"),
        last_ping=_time(agent.get("last_ping"), agent.get("last_ping_minutes_ago", 1)),
        registered=_time(given.get("launched"), given.get("launched_minutes_ago", 60)),
        iam_role=agent.get("iam_role"),
        activation_id=given.get("activation_id", "2d9a5a2e-0000-4000-8000-000000000001")
        if is_hybrid
        else None,
        name=given.get("name") if is_hybrid else None,
        ip_address=given.get("ip_address", address),
        computer_name=given.get("computer_name"),
        run_command=_run_command(agent),
        run_output=agent.get("run_output", []),
        run_files=agent.get("run_files", {}),
        run_hides=agent.get("run_hides", []),
        patches=copy.deepcopy(given.get("patches", {})),
        connected=agent.get("connected", True),
        users=agent.get("users", ["ec2-user", "ssm-user"]),
        powershell=agent.get("powershell", "5.1"),
        tags=tags,
    )


def _run_command(agent):
    status = agent.get("run_command", "Success")
    for one in (status, *(entry["status"] for entry in agent.get("run_output", []) if "status" in entry)):
        if one not in ssm_command_canned.KNOWN:
            raise ValueError(f"unknown run_command: {one}")
    return status


def _platform(given):
    return {
        "type": "Linux",
        "name": "Amazon Linux",
        "version": "2023",
        **given.get("platform", {}),
    }


def _time(absolute, minutes_ago):
    if absolute:
        return datetime.datetime.fromisoformat(absolute.replace("Z", "+00:00"))
    now = emulate.now().replace(microsecond=0)
    return now - datetime.timedelta(minutes=minutes_ago)
