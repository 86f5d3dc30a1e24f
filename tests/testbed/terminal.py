"""Runs a command on a pseudo-terminal of so many columns, prints what it wrote there, and ends as it did.

usage: terminal.py COLUMNS COMMAND [ARGUMENT]...
"""

import fcntl
import os
import pty
import struct
import sys
import termios


def main():
    columns, command = int(sys.argv[1]), sys.argv[2:]
    # The size is set before the command begins, which reads it once.
    ready, go = os.pipe()
    process, terminal = pty.fork()
    if process == 0:
        os.close(go)
        os.read(ready, 1)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    os.close(go)
    while True:
        try:
            written = os.read(terminal, 65536)
        except OSError:  # Nobody has the other side open any more.
            break
        sys.stdout.buffer.write(written.replace(b"\r\n", b"\n"))
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
