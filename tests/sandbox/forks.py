"""Owns locks that a copy of the process may use: in a fork only the thread lives on that forked, so a lock that another one
holds at that moment would stay locked there for ever. See snapshots.py.
"""

import os
import threading


def lock():
    """Returns a lock that nobody holds when the process forks. Who holds it must not wait for another one."""
    made = threading.Lock()
    os.register_at_fork(before=made.acquire, after_in_parent=made.release, after_in_child=made.release)
    return made
