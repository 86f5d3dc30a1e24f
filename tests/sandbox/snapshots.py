"""Owns reads that answer as before a write: keeps the state that the write found, and asks it.

AWS's services are eventually consistent, and what they read is a copy of before, whole: a new thing is not
there, a deleted one still is, a changed one has its old values. So the state is not rebuilt but kept: the process
forks before the write, and the fork, which never sees the write, answers the reads. Whatever holds the state - moto,
a module of the extension, the two together - is right without knowing of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
"""

import contextlib
import multiprocessing.connection
import os
import signal
import stat
import threading

import control
import pace

# These are one service for the whole account, whatever Region a request is signed for.
GLOBAL = ("iam", "organizations", "s3")
# No read takes nearly as long; a copy that does not answer is broken.
PATIENCE = 30
# How long a copy waits for the other requests to end, see `Gate`.
QUIET = 10

_kept = {}
# account -> what comes when its next snapshot ends
_timers = {}
_lock = threading.Lock()


class Gate:
    """Lets requests be served side by side, but nothing while the process forks: of a process only the forking thread
    lives on in the copy, so a lock that another thread holds would stay locked there for ever."""

    def __init__(self):
        self._changed = threading.Condition()
        self._n_inside = 0
        self._is_shut = False

    @contextlib.contextmanager
    def inside(self):
        """Waits while the process forks, and keeps it from forking."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_shut)
            self._n_inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._n_inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self):
        """Waits until nobody is inside and keeps everybody out, but not for ever: one inside may wait for one outside."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_shut)
            self._is_shut = True
            self._changed.wait_for(lambda: not self._n_inside, QUIET)
        try:
            yield
        finally:
            with self._changed:
                self._is_shut = False
                self._changed.notify_all()


class Snapshot:
    """The state of the sandbox at one moment, in a process of its own."""

    def __init__(self, gate, answer):
        ours, theirs = multiprocessing.connection.Pipe()
        with gate.alone():
            self._pid = os.fork()
            if self._pid == 0:
                # Never leaves the gate: in the copy, its lock may be held by a thread that is no more.
                _serve(theirs, answer)
        theirs.close()
        self._connection = ours
        self._lock = threading.Lock()
        self.until = None

    def ask(self, request):
        """Returns the answer to one request out of the state that was kept, None if its time is over."""
        with self._lock:
            if self._connection.closed:
                return None
            operation = request[4].operation
            try:
                self._connection.send(request)
                if self._connection.poll(PATIENCE):
                    return self._connection.recv()
            except (EOFError, OSError) as error:
                raise RuntimeError(f"the copy of the state ended at {operation}") from error
            # No OSError, TimeoutError among them: that looks like a client who went away.
            raise RuntimeError(f"the copy of the state did not answer {operation}")

    def end(self):
        """Ends the process, once nobody is asking."""
        with self._lock:
            self._connection.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def _serve(connection, answer):
    """Answers until the parent hangs up, which it also does by ending; never returns."""
    try:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        _close_connections(connection.fileno())
        while True:
            connection.send(answer(connection.recv()))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _close_connections(kept):
    """Closes what others would wait for as long as the copy holds it: the clients' connections, stdin and stdout."""
    for fd in map(int, os.listdir("/dev/fd")):
        if fd == kept:
            continue
        with contextlib.suppress(OSError):
            mode = os.fstat(fd).st_mode
            if fd in (0, 1):
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            elif fd != 2 and (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)):
                os.close(fd)


def keep(account, region, service, snapshot, seconds):
    """Has the reads of a service answered by the snapshot for so many seconds of AWS, from now on."""
    snapshot.until = pace.now(account) + seconds
    with _lock:
        _kept.setdefault((account, _region(service, region), service), []).append(snapshot)
    _sweep_later(account)


def before(account, region, service):
    """Returns the snapshot that the reads of a service are answered by now, None if they see the truth.

    It is the oldest: what a write changed shows no sooner than what an earlier one did.
    """
    with _lock:
        now = pace.now(account)
        kept = _kept.get((account, _region(service, region), service), [])
        return next((one for one in kept if one.until > now), None)


def forget(account=None):
    """Has the reads of one account, or of all, see the truth at once."""
    with _lock:
        keys = [key for key in _kept if account in (None, key[0])]
        dropped = [snapshot for key in keys for snapshot in _kept.pop(key)]
    for snapshot in dropped:
        snapshot.end()


def _region(service, region):
    return None if service in GLOBAL else region


def _sweep(account):
    """Ends the snapshots of an account whose time is over, and comes again for the others."""
    with _lock:
        now, over = pace.now(account), []
        for key in [key for key in _kept if key[0] == account]:
            over += [one for one in _kept[key] if one.until <= now]
            _kept[key] = [one for one in _kept[key] if one.until > now]
            if not _kept[key]:
                del _kept[key]
    for snapshot in over:
        snapshot.end()
    _sweep_later(account)


def _sweep_later(account):
    with _lock:
        ends = [one.until for key, kept in _kept.items() if key[0] == account for one in kept]
    wait = pace.real_seconds(account, min(ends) - pace.now(account)) if ends else None
    if wait is None:
        return
    # A little later than the first ends, so that it has.
    timer = threading.Timer(max(0.0, wait) + 0.05, _sweep, [account])
    timer.daemon = True
    with _lock:
        before, _timers[account] = _timers.get(account), timer
    if before:
        before.cancel()
    timer.start()


control.on_clear(forget)
pace.on_change(_sweep)
