"""Owns that commands go on while nobody asks for them: nodes that wait for their turn start, outputs are written.

Reading calls bring a command up to date themselves, so that nothing depends on how soon this thread gets its turn.
"""

import threading
import time

import emulate

TICK_SECONDS = 0.1
# A command with nothing to do for this long is left to whoever asks for it next.
SOON_SECONDS = 60

_moving = set()
_lock = threading.Lock()
_wake = threading.Event()


def watch(command):
    """Keeps a command going from now on."""
    with _lock:
        _moving.add(command)
    _wake.set()


def _tick():
    now = emulate.now()
    with _lock:
        commands = list(_moving)
    for command in commands:
        command.advance(now)
        if not command.is_moving(now, SOON_SECONDS):
            with _lock:
                _moving.discard(command)


def _loop():
    while True:
        _wake.wait()
        _tick()
        with _lock:
            if not _moving:
                _wake.clear()
        time.sleep(TICK_SECONDS)


def install():
    threading.Thread(target=_loop, daemon=True, name="run-command-clock").start()
