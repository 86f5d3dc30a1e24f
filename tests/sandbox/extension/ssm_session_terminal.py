"""Owns what the terminal of a session shows: prompts, what is typed, and the little that is answered.

Nothing runs: `echo`, `whoami` and `hostname` are answered as a shell would, and `exit` ends the session; a probe needs no more.
Prompts: `sh` and PowerShell, as agent/session/shell/shell_unix.go and shell_windows.go start them.
"""

PROMPTS = {"Windows": "PS C:\\Windows\\system32> "}
UNIX_PROMPT = "sh-5.2$ "


def opened(session):
    """Types the shell profile: runShellProfile writes it to the shell's input before anything else."""
    for line in (session.shell_profile or "").splitlines():
        _typed(session, line)


def typed(session, text):
    """Types lines; returns what they printed, and whether one of them was `exit`."""
    printed = []
    for line in text.splitlines():
        if line.strip() == "exit":
            session.transcript.append(f"{_prompt(session)}exit")
            return printed, True
        printed += _typed(session, line)
    return printed, False


def _typed(session, line):
    session.transcript.append(f"{_prompt(session)}{line}")
    printed = _answers(session, line)
    session.transcript += printed
    return printed


def _prompt(session):
    platform = session.hidden["agent"].node.platform_type
    return PROMPTS.get(platform, UNIX_PROMPT)


def _answers(session, line):
    command, _, rest = line.strip().partition(" ")
    node = session.hidden["agent"].node
    if command == "echo":
        return [rest.strip("'\"")]
    if command == "whoami":
        return [session.run_as or ""]
    if command == "hostname":
        return [node.computer_name or f"ip-{node.ip_address.replace('.', '-')}"]
    return []
