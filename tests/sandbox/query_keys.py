"""Owns which parameter names of a query or EC2 request its model has.

query: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
ec2: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
"""


def unknown(shape, keys, protocol):
    """Returns a problem for each parameter name that the shape does not resolve."""
    return [
        f'Unknown parameter in input: "{key}"'
        for key in keys
        if not key.startswith("X-Amz-") and not _resolves(shape, key.split("."), protocol)
    ]


def _resolves(shape, tokens, protocol):
    if not tokens:
        # An empty list or map is sent as its bare name.
        return True
    head, rest = tokens[0], tokens[1:]
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if head == _name(name, member, protocol):
                return _resolves(member, rest, protocol)
        return False
    if shape.type_name == "list":
        if protocol == "query" and not shape.serialization.get("flattened"):
            if head != shape.member.serialization.get("name", "member"):
                return False
            if not rest:
                return False
            head, rest = rest[0], rest[1:]
        return head.isdigit() and _resolves(shape.member, rest, protocol)
    if shape.type_name == "map":
        if not shape.serialization.get("flattened"):
            if head != "entry" or not rest:
                return False
            head, rest = rest[0], rest[1:]
        if not head.isdigit() or len(rest) < 1:
            return False
        if rest[0] == shape.key.serialization.get("name", "key"):
            return len(rest) == 1
        value = shape.value.serialization.get("name", "value")
        return rest[0] == value and _resolves(shape.value, rest[1:], protocol)
    return False


def _name(name, member, protocol):
    if protocol == "ec2":
        if "queryName" in member.serialization:
            return member.serialization["queryName"]
        location = member.serialization.get("name", name)
        return location[0].upper() + location[1:]
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name", member.serialization.get("name", name))
    return member.serialization.get("name", name)
