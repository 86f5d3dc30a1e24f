"""Owns the sessions of each account and Region: what was asked for, and what became of each of them and of its transcript."""

import datetime
from dataclasses import asdict, dataclass, field, replace

import emulate


@dataclass
class Destination:
    """Where one copy of a transcript goes: a bucket with a key, or a log group with a stream."""

    container: str
    name: str
    written: bool = False
    # Why it is not there, as the agent says it in its own log, where nobody but the node's owner sees it.
    error: str | None = None
    # The policy or setting that is the cause: {action, resource, by, explicit, policy}.
    denied_by: dict | None = None

    def lost(self, error, denied_by=None):
        """Says that nothing arrives, and why; the first reason stays."""
        if self.error is None:
            self.written, self.error, self.denied_by = False, error, denied_by


@dataclass
class Session:
    """One session, from StartSession to its end."""

    session_id: str
    account: str
    region: str
    target: str
    operator: str
    # aws:userid of the operator, the value of the tag aws:ssmmessages:session-id.
    operator_id: str
    document: str
    document_version: int | None = None
    # What StartSession was given as its reason.
    purpose: str | None = None
    # API_Session: Standard, or JustInTime.
    access_type: str = "Standard"
    status: str = "Connected"
    # Why it failed, as the agent reports it to the client.
    reason: str | None = None
    denied_by: dict | None = None
    started: datetime.datetime = field(default_factory=emulate.now)
    ended: datetime.datetime | None = None
    # ARN of the role that the agent acts with, and where it is from: instance-profile, dhmc or hybrid.
    role: str | None = None
    credentials: str | None = None
    session_type: str = "Standard_Stream"
    run_as: str | None = None
    kms_key: str | None = None
    idle_minutes: str | None = None
    max_minutes: str | None = None
    shell_profile: str | None = None
    s3: Destination | None = None
    logs: Destination | None = None
    streams: bool = False
    # Lines of the agent's log at WARN and ERROR.
    agent_log: list = field(default_factory=list)
    # What the terminal showed, line by line.
    transcript: list = field(default_factory=list)
    # The means of the agent, which nobody sees.
    hidden: dict = field(default_factory=dict, repr=False)

    @property
    def is_active(self):
        return self.ended is None

    def ends(self, status, reason=None, denied_by=None):
        """Ends it: Terminated, or Failed with a reason."""
        self.status, self.reason, self.denied_by, self.ended = status, reason, denied_by, emulate.now()

    def warn(self, text):
        """Keeps a line of the agent's own log."""
        self.agent_log.append(text)

    def shown(self):
        """Returns what the control URL shows."""
        found = asdict(replace(self, hidden={}))
        del found["hidden"], found["streams"], found["operator_id"]
        for moment in ("started", "ended"):
            found[moment] = found[moment] and found[moment].isoformat()
        found["transcript"] = "\n".join(self.transcript)
        for place, container, name in (("s3", "bucket", "key"), ("logs", "log_group", "log_stream")):
            if found[place]:
                found[place] = {container: found[place].pop("container"), name: found[place].pop("name"), **found[place]}
        return found


# session id -> Session
SESSIONS = emulate.Store(dict)
# account -> "default" or "latest": the version of a Session document that StartSession takes. Which one AWS takes is not
# documented: https://github.com/aws/session-manager-plugin/issues/112 reports the latest for a document that is named, and
# GetDocument answers with the default one.
VERSIONS = {}


def version_by(account):
    """Returns which version of its preferences an account's sessions take."""
    return VERSIONS.get(account, "default")
