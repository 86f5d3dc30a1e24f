"""Runs a command on a terminal of its own: `on_terminal.py ANSWER COMMAND..`.

Only its stderr is on the terminal; stdin and stdout stay what they are, as in a
pipe. Types the answer, and Enter, when asked for a code, or Ctrl-C for the answer `^C`; what the terminal showed
goes to stderr, and the exit status is the command's.
"""

import os
import pty
import sys

ASKS = b"MFA code of "


def main():
    """Runs the command."""
    stdin, stdout = os.dup(0), os.dup(1)
    child, terminal = pty.fork()
    if child == 0:
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        os.execv(sys.argv[2], sys.argv[2:])
    shown, n_answers = b"", 0
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            # Linux says so when the last of the other side is closed.
            chunk = b""
        if not chunk:
            break
        shown += chunk
        if shown.count(ASKS) > n_answers:
            n_answers += 1
            os.write(terminal, b"\x03" if sys.argv[1] == "^C" else sys.argv[1].encode() + b"\n")
    os.write(2, shown.replace(b"\r\n", b"\n"))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
