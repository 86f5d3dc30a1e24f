"""Types a line and Tab into an interactive zsh, and prints what the line has become: nobody but zsh says what it completes.

usage: zsh_line.py DIRECTORY_OF_FUNCTIONS LINE
"""

import os
import pty
import select
import sys

SETUP = """\
fpath=('{}' $fpath); autoload -Uz compinit; compinit -D -u; bindkey '^I' complete-word
seen() {{ print -r -- $'\\n'"line is <$BUFFER>"; exit }}; zle -N seen; bindkey '^X' seen; print it-is'-'ready
"""


def until(sign, terminal):
    seen = b""
    while sign not in seen:
        if not select.select([terminal], [], [], 60)[0]:
            sys.exit(f"zsh waits: {seen}")
        seen += os.read(terminal, 65536)
    return seen


def main():
    functions, line = sys.argv[1:]
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], os.environ | {"TERM": "dumb"})
    os.write(terminal, SETUP.format(functions).encode())
    until(b"it-is-ready", terminal)
    os.write(terminal, line.encode() + b"\t\x18")
    print(until(b">\r", terminal).rsplit(b"line is <")[-1].split(b">")[0].decode())


main()
