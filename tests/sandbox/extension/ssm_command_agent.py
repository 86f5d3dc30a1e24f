"""Owns what SSM Agent makes of a command's steps: which of them run, how they end, and how much of what they printed
it reports to the service. Runs nothing itself and knows no time.

The agent's source (https://github.com/aws/amazon-ssm-agent, tag 3.3.x) says more than the documentation:
order, exit codes and preconditions in agent/framework/runpluginutil/runpluginutil.go, statuses in
agent/plugins/pluginutil/pluginutil_unix.go, the joined output in agent/framework/processor/executer/iohandler/iohandler.go.
https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-reboot.html (exit codes)
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html (preconditions, onFailure)
"""

from dataclasses import dataclass

# "The first 24,000 characters written by the plugin to stdout", 8,000 for stderr:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
STDOUT_CHARACTERS = 24_000
STDERR_CHARACTERS = 8_000
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html
JOINED_CHARACTERS = 2_500
CUT_SUFFIX = b"--output truncated--"
ERROR_TITLE = b"\n----------ERROR-------\n"
CUT_STDOUT = b"\n---Output truncated---"
CUT_STDERR = b"\n---Error truncated----"

KILLED = 137  # 128 + SIGKILL: what the agent reports for a command that it stopped.
SUCCEED_AND_EXIT, FAIL_AND_EXIT = 168, 169
# aws:runShellScript is for Linux and macOS, aws:runPowerShellScript for all three:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html
UNSUPPORTED = {("Windows", "aws:runShellScript")}


@dataclass
class Step:
    """One step of a document with its parameters filled in."""

    name: str
    action: str
    # As the agent spells it in S3 keys: the id of the property in documents before schema 2.0.
    folder: str
    inputs: dict
    precondition: dict
    # Conditions are those of schema 2.2: before, a step that a platform lacks fails instead of being skipped.
    is_conditional: bool

    @property
    def text(self):
        """Returns the script of a step that runs one."""
        lines = self.inputs.get("runCommand") or []
        return lines if isinstance(lines, str) else "\n".join(map(str, lines))


@dataclass
class Result:
    """How one step ended; `details` is the status as StatusDetails spells it."""

    status: str
    code: int
    stdout: bytes = b""
    stderr: bytes = b""
    # What the agent says in place of an output when a step did not run.
    note: str = ""
    details: str = None
    started: object = None
    ended: object = None

    def __post_init__(self):
        self.details = self.details or self.status

    @property
    def standard_output(self):
        return _first(self.stdout, STDOUT_CHARACTERS)[:STDOUT_CHARACTERS]

    @property
    def standard_error(self):
        # The agent cuts both at the length of stdout, and the service shows 8,000 characters of it: no suffix.
        return _first(self.stderr, STDOUT_CHARACTERS)[:STDERR_CHARACTERS]

    @property
    def joined(self):
        """Returns stdout and stderr as one text of 2,500 bytes at most."""
        return self.note or _joined(self.stdout, self.stderr).decode("utf-8", "replace")[:JOINED_CHARACTERS]


def ended(code, stdout, stderr, is_canceled=False):
    """Returns the result of a script that ended with an exit code, -1 for a signal."""
    if code == 0:
        return Result("Success", 0, stdout, stderr)
    if code == KILLED:
        # The agent cannot distinguish a script that exits with 137 from one that it stopped.
        if is_canceled:
            return Result("Cancelled", code, stdout, stderr)
        return Result("TimedOut", code, stdout, stderr, details="ExecutionTimedOut")
    how = f"exit status {code}" if code > 0 else "signal: killed"
    return Result("Failed", code, stdout, stderr + f"failed to run commands: {how}".encode())


def run_steps(steps, platform, execute, report):
    """Runs the steps in order with `execute(step)`, and calls `report(step, result)` after each.

    A failed step keeps no later one from running unless its onFailure or an exit code says so.
    """
    over = False
    for n, step in enumerate(steps):
        is_finally = n == len(steps) - 1 and str(step.inputs.get("finallyStep")).lower() == "true"
        note, fails = _obstacle(step, platform)
        if over and not is_finally:
            result = Result("Success", 0, note=f"Plugin with name {step.action} and id {step.name} skipped due to prior step with an exit condition")
        elif note:
            result = Result("Failed", 1, note=note) if fails else Result("Success", 0, note=note)
        else:
            result = execute(step)
            over = _exits(step, result) or over
        report(step, result)


def overall(results):
    """Returns (status, details) of the whole: "Failed > TimedOut > Cancelled > Success" (aggregator.go)."""
    for status in ("Failed", "TimedOut", "Cancelled"):
        for result in results:
            if result.status == status:
                return status, result.details
    return "Success", "Success"


def _exits(step, result):
    """Applies exit codes 168 and 169, onFailure and onSuccess; returns whether the later steps are skipped."""
    if result.code == SUCCEED_AND_EXIT:
        result.status = result.details = "Success"
        result.stderr = b""
        result.stdout += b"\nStep exited with code 168. Therefore, marking step as succeeded. Further document steps will be skipped."
        return True
    if result.code == FAIL_AND_EXIT:
        note = b"\nStep exited with code 169. Therefore, marking step as Failed. Further document steps will be skipped."
        result.stdout, result.stderr = result.stdout + note, result.stderr + note
        return True
    if result.status == "Failed":
        on_failure = step.inputs.get("onFailure")
        if on_failure == "successAndExit":
            result.status = result.details = "Success"
            result.code = SUCCEED_AND_EXIT
        return on_failure in ("exit", "successAndExit")
    return result.status == "Success" and step.inputs.get("onSuccess") == "exit"


def _obstacle(step, platform):
    """Returns why a step does not run here, and whether that is a failure."""
    if (platform, step.action) in UNSUPPORTED:
        if step.is_conditional:
            return f"Step execution skipped due to unsupported plugin: {step.action}. Step name: {step.name}", False
        return f"Plugin with name {step.action} is not supported in current platform. Step name: {step.name}", True
    if step.precondition and not step.is_conditional:
        return f"Precondition is not supported for document schema version prior to 2.2. Step name: {step.name}", True
    for operator, values in step.precondition.items():
        if operator != "StringEquals" or len(values) != 2:
            return f"Unrecognized precondition(s): 'unrecognized operator: \"{operator}\"', please update agent to latest version. Step name: {step.name}", True
        left, right = ((platform if value == "platformType" else str(value)).lower() for value in values)
        if left != right:
            condition = f'"{operator}": [{values[0]}, {values[1]}]'
            return f"Step execution skipped due to unsatisfied preconditions: '{condition}'. Step name: {step.name}", False
    return "", False


def _first(text, length):
    if len(text) >= length:
        text = text[: length - len(CUT_SUFFIX)] + CUT_SUFFIX
    return text.decode("utf-8", "replace")


def _joined(stdout, stderr):
    title = ERROR_TITLE if stderr else b""
    room = JOINED_CHARACTERS - len(title)
    if len(stdout) + len(stderr) < room:
        return stdout + title + stderr
    if len(stdout) > room // 2 and len(stderr) > room // 2:
        half = (room - len(CUT_STDERR) - len(CUT_STDOUT)) // 2
        return stdout[:half] + CUT_STDOUT + title + stderr[:half] + CUT_STDERR
    if len(stdout) <= room // 2:
        return stdout + title + stderr[: room - len(CUT_STDERR) - len(stdout)] + CUT_STDERR
    return stdout[: room - len(CUT_STDOUT) - len(stderr)] + CUT_STDOUT + title + stderr
