"""Runs a command on a pseudo-terminal of so many columns, prints what it wrote there, and ends as it did.

Only stdout is the terminal: a bar, which depends on how long something takes, is not drawn on stderr that is none. What is written
there is printed behind. With --bar both are the terminal.

usage: terminal.py [--bar] COLUMNS COMMAND [ARGUMENT]...
"""

import fcntl
import os
import pty
import struct
import sys
import tempfile
import termios


def main():
    words = sys.argv[1:]
    has_bar = words[0] == "--bar"
    columns, *command = words[has_bar:]
    columns, aside = int(columns), tempfile.TemporaryFile()
    # The size is set before the command begins, which reads it once.
    ready, go = os.pipe()
    process, terminal = pty.fork()
    if process == 0:
        os.close(go)
        os.read(ready, 1)
        if not has_bar:
            os.dup2(aside.fileno(), 2)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    os.close(go)
    written = b""
    while True:
        # A line break may come in two parts.
        rest = b"\r" if written.endswith(b"\r") else b""
        sys.stdout.buffer.write(written.removesuffix(rest).replace(b"\r\n", b"\n"))
        try:
            written = rest + os.read(terminal, 65536)
        except OSError:  # Nobody has the other side open any more.
            sys.stdout.buffer.write(rest)
            break
    _, status = os.waitpid(process, 0)
    aside.seek(0)
    sys.stdout.buffer.write(aside.read())
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
