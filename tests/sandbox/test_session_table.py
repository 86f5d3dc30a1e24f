"""Tests that the table of broken sessions has every pair, and that what is broken alone has the one outcome that AWS's pages and the agent give it."""

import json
import unittest

import sandbox_server
import session_table

# What is broken alone -> (why it did not start, action or None), or what is lost and why.
STARTS_NOT, LOST = "starts not", "lost"
EXPECTED = {
    "no-encryption": (STARTS_NOT, None, "s3:GetEncryptionConfiguration"),
    "no-describe": (STARTS_NOT, None, "logs:DescribeLogGroups"),
    "no-decrypt": (STARTS_NOT, None, "kms:Decrypt"),
    "no-put": (LOST, "s3", "s3:PutObject"),
    "other-prefix": (LOST, "s3", "s3:PutObject"),
    "boundary": (LOST, "s3", "s3:PutObject"),
    "no-bucket-key": (LOST, "s3", "kms:GenerateDataKey"),
    "no-stream": (LOST, "logs", "logs:CreateLogStream"),
    "group-without-star": (LOST, "logs", "logs:CreateLogStream"),
    "no-events": (LOST, "logs", "logs:PutLogEvents"),
    "closed-to-node": (STARTS_NOT, None, "kms:Decrypt"),
    "denies-node": (STARTS_NOT, None, "kms:Decrypt"),
    "closed-to-operator": (STARTS_NOT, None, "kms:GenerateDataKey"),
    "disabled": (STARTS_NOT, None, None),
    "kms-closed": (LOST, "s3", "kms:GenerateDataKey"),
    "dsse": (STARTS_NOT, None, None),
    "bucket missing": (STARTS_NOT, None, None),
    "policy-denies": (STARTS_NOT, None, "s3:GetEncryptionConfiguration"),
    "policy-denies-put": (LOST, "s3", "s3:PutObject"),
    "plain group": (STARTS_NOT, None, None),
    "group missing": (STARTS_NOT, None, None),
    "key-closed": (LOST, "logs", None),
    "run-as-nobody": (STARTS_NOT, None, None),
    "run-as-root": (STARTS_NOT, None, None),
    "run-as-missing": (STARTS_NOT, None, None),
}
WHOLE = {"everything", "decrypt-in-sessions", "upload", "lenient", "plain", "names-roles", "aes256", "kms-names-roles", "policy-wants-header"}
WORKS = {"strict", "whole", "delegates", "kms", "encrypted"}


def broken(name):
    """Returns what of a row is not as in the row that works; values that two dimensions share say which is meant."""
    preferences, role, key, bucket, group = name.split("/")
    named = [preferences, role, key, "bucket missing" if bucket == "missing" else bucket, {"missing": "group missing", "plain": "plain group"}.get(group, group)]
    return [value for value in named if value not in WORKS]


class Table(unittest.TestCase):
    def test_every_pair_is_in_it_and_it_is_small(self):
        planned = session_table.plan()
        self.assertLessEqual(sum(len(roles) for _, roles in planned), 300)
        seen = set()
        for place, roles in planned:
            shown = {side for side in enumerate(place) if place[1] in ("delegates", "names-roles") or side[0] == 1}
            seen |= {frozenset([("role", role), side]) for role in roles for side in shown}
            seen |= {frozenset([one, other]) for one in shown for other in enumerate(place) if one != other}
        for n, values in enumerate(session_table.DIMENSIONS):
            for value in values:
                for role in session_table.ROLES:
                    self.assertIn(frozenset([("role", role), (n, value)]), seen)
                for m, others in enumerate(session_table.DIMENSIONS[:n]):
                    for other in others:
                        self.assertIn(frozenset([(m, other), (n, value)]), seen)

    def test_what_is_broken_alone(self):
        alone = []
        for place, roles in session_table.plan():
            names = ["/".join((place[0], role, *place[1:])) for role in roles]
            kept = [role for role, name in zip(roles, names) if len(broken(name)) <= 1]
            alone += [(place, kept)] if kept else []
        sandbox = sandbox_server.Served()
        self.addCleanup(sandbox.stop)
        rows = [json.loads(json.dumps(line)) for line in session_table.rows(sandbox, alone)]
        outcomes = {}
        for row in rows:
            if row["kind"] == "row":
                self.assertTrue(row["calls"] and row["role"]["policy"]["Statement"] and row["preferences"]["inputs"])
                outcomes[" ".join(broken(row["name"]))] = row["outcome"]
        self.assertEqual(set(outcomes), set(EXPECTED) | WHOLE | {""})
        for name, outcome in outcomes.items():
            with self.subTest(name or "nothing"):
                what, place, action = EXPECTED.get(name, (None, None, None))
                written = {one for one in ("s3", "logs") if outcome[one] and outcome[one]["written"]}
                self.assertEqual(outcome["status"], "Failed" if what == STARTS_NOT else "Terminated", outcome)
                self.assertEqual(written, {"s3", "logs"} - ({place} if what == LOST else {"s3", "logs"} if what else set()))
                if what:
                    cause = outcome[place] if what == LOST else outcome
                    self.assertEqual(cause["denied_by"]["action"], action)
        # Nothing that a call of the table asks is against botocore's model.
        account = next(row["account"] for row in rows)
        self.assertEqual([call["problems"] for call in sandbox.calls(account) if call["problems"]], [])

    def test_one_place_with_a_node_of_each_origin(self):
        sandbox = sandbox_server.Served()
        self.addCleanup(sandbox.stop)
        for number, source in enumerate(("instance-profile", "dhmc", "hybrid")):
            for role, written in (("whole", [True, True]), ("boundary", [False, True])):
                account = f"7700000000{number}{len(role)}"
                made = session_table.one_place(sandbox, account, ("strict", role, "delegates", "kms", "encrypted"), source, "Windows")
                self.assertEqual(sandbox.control("GET", f"/_sandbox/sessions?account={account}"), [])
                request = {"account": account, "target": made["instance_id"], "principal": made["operator"]}
                (session,) = sandbox.control("POST", "/_sandbox/sessions", request)
                self.assertEqual((session["credentials"], session["role"]), (source, made["role"]), session)
                self.assertEqual([session["s3"]["written"], session["logs"]["written"]], written, session)
        made = session_table.one_place(sandbox, "770000000099", ("nowhere", "whole", "delegates", "kms", "encrypted"), lacks=["kms:GenerateDataKey"])
        request = {"account": "770000000099", "target": made["instance_id"], "principal": made["operator"]}
        (session,) = sandbox.control("POST", "/_sandbox/sessions", request)
        self.assertEqual((session["s3"], session["logs"], session["denied_by"]["action"]), (None, None, "kms:GenerateDataKey"))


if __name__ == "__main__":
    unittest.main()
