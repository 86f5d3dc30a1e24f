# Copyright the authors of ssm tools
# Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0)
"""The options that all modules have; plugins/module_utils/rollout.py is what makes them true."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by its name when a module's documentation is put together."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - With V(present), the tool plans, and applies exactly that plan if it changes anything.
      - With V(checked), the tool only compares, and the task returns what it found.
    type: str
    choices: [present, checked]
    default: present
  desired:
    description:
      - The desired state, as a dictionary or as the text of a file, which may have comments. An unknown field is an error before
        anything is called.
      - The tool's C(--generate schema) prints its JSON Schema.
      - Before ansible-core 2.19, a template may make a string of a number, unless C(jinja2_native) is set; the tool refuses it.
    type: raw
    required: true
  regions:
    description:
      - Regions to work in. Without them it is that of E(AWS_REGION) or of the profile; none is guessed.
    type: list
    elements: str
  profile:
    description:
      - Profile of the AWS config files. It is used even when the environment holds keys.
    type: str
  endpoint_url:
    description:
      - Send requests to this URL instead of AWS.
    type: str
  assume_roles:
    description:
      - ARNs of roles to assume, one after the other. C({account}) in one is replaced by each account.
    type: list
    elements: str
  accounts:
    description:
      - Accounts to work in, a file that lists them on the host where the module runs, or V(org) for all of the organization.
      - Needs O(assume_roles), and a tool that knows C(--accounts).
      - Applying takes none, as each plan names its account.
    type: str
  fail_on:
    description:
      - The least severity of a finding that fails the task, when O(state=checked). V(warning) fails for errors too.
    type: str
    choices: [error, warning, never]
    default: error
  executable:
    description:
      - The tool, as a path or as a name to look up in E(PATH).
      - The program of a release does what the name of its file says, so a copy must keep the name.
    type: path
attributes:
  check_mode:
    description: Plans and writes nothing. What only applying can find out, such as a write that is denied, is not known then.
    support: full
  diff_mode:
    description: Returns what each change starts from and leads to, as JSON.
    support: full
  platform:
    description: Where the tool runs. It is the machine with the credentials, mostly C(localhost), and no managed node.
    platforms: posix
    support: full
notes:
  - Credentials come from the environment and the files of the AWS CLI. The keyword C(environment) of a task sets the former,
    but Ansible shows it with C(-vvv). The module neither returns nor logs any of it.
  - A change that cannot be made fails the task. What was done before is returned all the same, with the plans that undo it.
  - The tool must be installed where the module runs. No Python package of AWS is needed.
"""
