"""Owns what a module may know of the run of the sandbox: its address, and its end.

What runs beside the sandbox, such as the process of a function, ends with it.
"""

import threading

_address = {"url": ""}
_last_steps = []
_lock = threading.Lock()


def begin(url):
    """Says where the sandbox listens from now on."""
    _address["url"] = url


def url():
    """Returns where the sandbox listens, nothing before it does."""
    return _address["url"]


def at_end(step):
    """Has `step()` called once when the sandbox ends."""
    with _lock:
        _last_steps.append(step)


def end():
    """Takes the last steps. One that fails keeps no other from being taken."""
    with _lock:
        steps, _last_steps[:] = list(_last_steps), []
    for step in steps:
        try:
            step()
        except Exception:  # noqa: BLE001 - the sandbox ends, whatever happens.
            continue
