#!/usr/bin/env python3
"""Writes plugins/modules/*.py from modules.yml. tests/ansible/test_collection.py fails when they differ.

Ansible reads DOCUMENTATION and RETURN from a module's text without running it, and its fragments extend the former only.

usage: generate.py [DIRECTORY]   (.venv/bin/python has the YAML that it needs)
"""

import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
COLLECTION = "ssm_tools.rollout"

MODULE = '''#!/usr/bin/python
# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
# Made by scripts/ansible/generate.py from modules.yml beside it: change it there.
"""Runs {tool}: the options are here, what is done with them in module_utils/rollout.py."""

DOCUMENTATION = r"""
{documentation}"""

EXAMPLES = r"""
{examples}"""

RETURN = r"""
{returned}"""

from ansible_collections.ssm_tools.rollout.plugins.module_utils import rollout


def main():
    rollout.main({arguments})


if __name__ == "__main__":
    main()
'''


class Dumper(yaml.SafeDumper):
    """Indents lists, as the documentation of Ansible does, and names the one thing that is there twice."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)

    def generate_anchor(self, node):
        return "plan"


def main():
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "plugins/modules"
    text = (HERE / "modules.yml").read_text()
    tools = list(yaml.safe_load(text)["modules"])
    for tool in tools:
        # Read anew for each: what all have in common is filled in for one.
        table = yaml.safe_load(text.replace("{tool}", tool))
        module = table["modules"][tool]
        path = directory / f"{name(tool)}.py"
        path.write_text(
            MODULE.format(
                tool=tool,
                documentation=dump(documentation(tool, module, tools)),
                examples=module["examples"],
                returned=dump(returned(module, table["return"])),
                arguments=arguments(tool, module.get("options", {})),
            )
        )


def name(tool):
    return tool.replace("-", "_")


def dump(value):
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=118)


def documentation(tool, module, tools):
    options = {}
    for option, given in module.get("options", {}).items():
        verbs, description = given["verbs"], list(given["description"])
        if verbs == ["check"]:
            description.append("Only with O(state=checked).")
        elif "check" not in verbs:
            description.append("Not with O(state=checked).")
        options[option] = {"description": description, **kind(given)}
    return {
        "module": name(tool),
        "short_description": module["short_description"],
        "version_added": "1.0.0",
        "author": ["ssm tools (!UNKNOWN)"],
        "description": module["description"],
        "options": {**options, "executable": {"default": tool}},
        "extends_documentation_fragment": [f"{COLLECTION}.common"],
        "seealso": [{"module": f"{COLLECTION}.{name(other)}"} for other in tools if other != tool],
    }


def kind(option):
    """Returns what an option's documentation and its argument spec both say."""
    return {key: option[key] for key in ("type", "elements") if key in option}


def returned(module, common):
    """Returns the documentation of what a module returns: what all return, with examples of its own."""
    common["plans"]["contains"]["target"]["sample"]["region"] = module.get("region", "eu-central-1")
    change = {**module["change"], "status": "done", "error": None}
    common["results"]["contains"]["results"]["sample"] = [change]
    common["undo"]["description"] += module.get("undo", [])
    findings = common["findings"]
    findings["description"] = module.get("findings", findings["description"])
    findings["contains"]["id"]["sample"] = module["finding"]
    complete(common)
    return common


def complete(values):
    for value in values.values():
        value["returned"] = "always"
        if value["type"] == "list":
            value.setdefault("elements", "dict")
        complete(value.get("contains", {}))


def arguments(tool, options):
    """Returns the arguments of rollout.main as Python."""
    if not options:
        return f'"{tool}"'
    lines = [f'"{tool}"']
    for option, given in options.items():
        verbs = str(tuple(given["verbs"])).replace("'", '"')
        spec = ", ".join(f'{key}="{value}"' for key, value in kind(given).items())
        lines.append(f'{option}=rollout.Option("{given["flag"]}", {verbs}, dict({spec}))')
    return "".join(f"\n        {line}," for line in lines) + "\n    "


if __name__ == "__main__":
    main()
