"""Tests the rules of Run Command that need no server: error and concurrency limits, time-outs, what the agent cuts off."""

import datetime
import unittest

import nodes
from extension import ssm_command_agent as agent
from extension.ssm_command_output import events_of
from extension.ssm_command_state import Command

START = datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)
PLATFORMS = ("Linux", "MacOS")


def step(name="aws:runShellScript", action="aws:runShellScript", precondition=None, is_conditional=True, **inputs):
    return agent.Step(name, action, name, {"runCommand": ["true"], **inputs}, precondition or {}, is_conditional)


class Sent:
    """A command to nodes that end as given, each in 0.3 seconds, with a clock of its own."""

    def __init__(self, *outcomes, **request):
        targets = [
            outcome if isinstance(outcome, nodes.Node) else nodes.Node(f"mi-{n:017x}", run_command=outcome)
            for n, outcome in enumerate(outcomes)
        ]
        request |= {"DocumentName": "AWS-RunShellScript"}
        self.command = Command("id", "111111111111", "us-east-1", request, targets, [step()], PLATFORMS, START)

    def after(self, seconds):
        """Returns the details of each node so many seconds after the start."""
        self.now = START + datetime.timedelta(seconds=seconds)
        self.command.advance(self.now)
        return [one.details for one in self.command.invocations]

    def end(self):
        """Returns (status, details) of the whole when nothing happens any more."""
        self.after(600)
        return self.command.status(self.now)


class Limits(unittest.TestCase):
    def test_nodes_wait_for_their_turn(self):
        sent = Sent(*["Success"] * 5, MaxConcurrency="2")
        self.assertEqual(sent.after(0.2), ["InProgress"] * 2 + ["Pending"] * 3)
        self.assertEqual(sent.after(0.4), ["Success"] * 2 + ["InProgress"] * 2 + ["Pending"])
        self.assertEqual(sent.command.status(sent.now), ("InProgress", "InProgress"))
        self.assertEqual(sent.after(0.95), ["Success"] * 5)

    def test_a_percentage_is_rounded_down_but_one_always_runs(self):
        self.assertEqual(Sent(*["Success"] * 10, MaxConcurrency="25%").after(0.2).count("InProgress"), 2)
        self.assertEqual(Sent(*["Success"] * 3, MaxConcurrency="1%").after(0.2).count("InProgress"), 1)

    def test_one_failure_more_than_allowed_terminates_the_rest(self):
        outcomes = ["Failed", "Success", "ExecutionTimedOut", "Success", "Success"]
        sent = Sent(*outcomes, MaxConcurrency="1", MaxErrors="1")
        self.assertEqual(sent.after(600), ["Failed", "Success", "ExecutionTimedOut", "Terminated", "Terminated"])
        self.assertEqual([one.status for one in sent.command.invocations][-1], "Cancelled")
        self.assertEqual(sent.command.counts.total(), 5)
        self.assertEqual([one.n_runs for one in sent.command.invocations], [1, 1, 1, 0, 0])

    def test_what_runs_when_the_limit_is_reached_goes_on(self):
        sent = Sent("Failed", "Success", "Success", "Success", MaxConcurrency="2")
        sent.command.invocations[0].node.run_output = [{"status": "Failed", "seconds": 0.1}]
        again = Command("id", "111111111111", "us-east-1", sent.command.request, [one.node for one in sent.command.invocations], [step()], PLATFORMS, START)
        again.advance(START + datetime.timedelta(seconds=0.2))
        self.assertEqual([one.details for one in again.invocations], ["Failed", "InProgress", "Terminated", "Terminated"])
        again.advance(START + datetime.timedelta(seconds=1))
        self.assertEqual(again.invocations[1].details, "Success")

    def test_deliveries_that_fail_do_not_count_against_the_limit(self):
        for details in ("DeliveryTimedOut", "Undeliverable", "AccessDenied"):
            sent = Sent(details, "Success", "Success", MaxConcurrency="1")
            self.assertEqual(sent.after(600), [details, "Success", "Success"])


class Reach(unittest.TestCase):
    def test_nodes_out_of_reach_wait_and_then_say_why(self):
        sent = Sent("Success", nodes.Node("mi-1", ping="ConnectionLost"), nodes.Node("mi-2", platform_type="Windows"))
        self.assertEqual(sent.after(0.2), ["InProgress", "Delayed", "Pending"])
        self.assertEqual(sent.after(0.4), ["Success", "DeliveryTimedOut", "InvalidPlatform"])
        self.assertEqual([one.n_runs for one in sent.command.invocations], [1, 0, 0])

    def test_what_the_estate_says_of_a_text_goes_before_the_rest(self):
        rows = [{"match": "other", "exit_code": 9}, {"match": "^true$", "status": "Undeliverable", "seconds": 2}]
        sent = Sent(nodes.Node("mi-1", run_output=rows))
        self.assertEqual(sent.after(1.9), ["Pending"])
        self.assertEqual(sent.after(2.1), ["Undeliverable"])


class Whole(unittest.TestCase):
    def test_status_follows_from_the_invocations(self):
        cases = [
            (["Success", "Success"], "0", ("Success", "Success")),
            (["Success", "Failed"], "0", ("Failed", "Failed")),
            (["Success", "Failed"], "1", ("Failed", "Failed")),
            (["Success", "Failed"], "2", ("Failed", "Incomplete")),
            (["Success", "ExecutionTimedOut"], "0", ("TimedOut", "ExecutionTimedOut")),
            (["Success", "DeliveryTimedOut"], "0", ("TimedOut", "DeliveryTimedOut")),
            (["Success", "DeliveryTimedOut"], "5", ("Failed", "Incomplete")),
            (["Success", *["Undeliverable"] * 4], "0", ("Success", "Success")),
            (["Undeliverable", "Undeliverable"], "0", ("Failed", "Failed")),
            (["AccessDenied", "AccessDenied"], "0", ("Failed", "AccessDenied")),
        ]
        for outcomes, max_errors, expected in cases:
            with self.subTest(outcomes=outcomes, max_errors=max_errors):
                self.assertEqual(Sent(*outcomes, MaxErrors=max_errors).end(), expected)

    def test_an_expired_command_was_not_delivered(self):
        sent = Sent("InProgress", "Delayed", "Pending", "Success", TimeoutSeconds=60)
        # "Total timeout is equal to the value of delivery timeout plus execution timeout", which is 3,600 by default.
        self.assertEqual(sent.after(3659), ["InProgress", "Delayed", "Pending", "Success"])
        self.assertEqual(sent.after(3661), ["DeliveryTimedOut"] * 3 + ["Success"])

    def test_cancelling_ends_what_runs_and_what_waits(self):
        sent = Sent("InProgress", "Success", "Success", MaxConcurrency="1")
        sent.after(0.2)
        sent.command.cancel([], sent.now)
        self.assertEqual(sent.after(0.3), ["Cancelling", "Cancelled", "Cancelled"])
        self.assertEqual(sent.command.status(sent.now), ("Cancelling", "Cancelling"))
        self.assertEqual(sent.end(), ("Cancelled", "Cancelled"))

    def test_cancelling_and_expiry_start_nothing_more(self):
        cancelled = Sent("Delayed", "Success", "Success", MaxConcurrency="1")
        cancelled.after(0.2)
        cancelled.command.cancel([], cancelled.now)
        self.assertEqual(cancelled.after(600), ["Cancelled"] * 3)
        expired = Sent("Delayed", "Success", MaxConcurrency="1")
        self.assertEqual(expired.after(7201), ["DeliveryTimedOut"] * 2)
        for sent in (cancelled, expired):
            self.assertEqual([one.n_runs for one in sent.command.invocations], [0] * len(sent.command.invocations))

    def test_cancelling_leaves_what_has_ended(self):
        sent = Sent("Success", "Failed")
        sent.after(1)
        sent.command.cancel([], sent.now)
        self.assertEqual(sent.after(2), ["Success", "Failed"])
        self.assertEqual(sent.end(), ("Failed", "Failed"))

    def test_a_cancelled_node_makes_place_for_the_next(self):
        sent = Sent("InProgress", "Success", MaxConcurrency="1")
        sent.after(0.2)
        sent.command.cancel([sent.command.invocations[0].node.instance_id], sent.now)
        self.assertEqual(sent.after(1), ["Cancelled", "Success"])


class Cut(unittest.TestCase):
    def test_the_joined_output_names_the_errors_and_says_what_was_cut(self):
        title = "\n----------ERROR-------\n"
        self.assertEqual(agent.Result("Success", 0, b"out\n").joined, "out\n")
        self.assertEqual(agent.Result("Failed", 1, b"out", b"err").joined, f"out{title}err")
        self.assertEqual(agent.Result("Failed", 1, b"", b"err").joined, f"{title}err")
        # One byte less than the room is whole, the room itself is not.
        self.assertEqual(agent.Result("Success", 0, b"o" * 2499).joined, "o" * 2499)
        for stdout, stderr in ((2500, 0), (9000, 9000), (10, 9000), (9000, 10)):
            joined = agent.Result("Failed", 1, b"o" * stdout, b"e" * stderr).joined
            self.assertIn(len(joined), (2499, 2500))
            self.assertEqual("\n---Output truncated---" in joined, stdout > 100)
            self.assertEqual(joined.endswith("\n---Error truncated----"), stderr > 100)

    def test_stdout_ends_with_a_mark_and_stderr_does_not(self):
        result = agent.Result("Success", 0, b"o" * 24000, b"e" * 8001)
        self.assertEqual(result.standard_output, "o" * 23980 + "--output truncated--")
        self.assertEqual(result.standard_error, "e" * 8000)
        self.assertEqual(agent.Result("Success", 0, b"o" * 23999).standard_output, "o" * 23999)

    def test_a_character_that_is_cut_in_half_is_replaced(self):
        self.assertTrue(agent.Result("Success", 0, ("o" + "ü" * 20000).encode()).standard_output.endswith("�--output truncated--"))

    def test_log_events_hold_whole_lines_without_the_last_newline(self):
        self.assertEqual(events_of(b"a\r\nb\n"), ["a\nb"])
        line = b"x" * 99_999 + b"\n"
        self.assertEqual([len(event) for event in events_of(line * 3)], [199_999, 99_999])


class Steps(unittest.TestCase):
    def run_with(self, steps, *codes, platform="Linux"):
        """Returns (status, code, output) of each step; the codes are those of the steps that run."""
        left, reported = list(codes), []
        agent.run_steps(steps, platform, lambda _: agent.ended(left.pop(0), b"", b""), lambda _, result: reported.append(result))
        self.assertEqual(left, [])
        return reported

    def outcomes(self, *arguments, **more):
        return [(one.status, one.code) for one in self.run_with(*arguments, **more)]

    def test_a_failure_keeps_no_step_from_running(self):
        reported = self.run_with([step("a"), step("b")], 4, 0)
        self.assertEqual([(one.status, one.code) for one in reported], [("Failed", 4), ("Success", 0)])
        self.assertEqual(agent.overall(reported), ("Failed", "Failed"))

    def test_on_failure_and_exit_codes_skip_the_rest_but_the_finally_step(self):
        last = step("z", finallyStep=True)
        self.assertEqual(self.outcomes([step("a", onFailure="exit"), step("b"), last], 4, 0), [("Failed", 4), ("Success", 0), ("Success", 0)])
        self.assertEqual(self.outcomes([step("a", onFailure="successAndExit"), step("b")], 4), [("Success", 168), ("Success", 0)])
        self.assertEqual(self.outcomes([step("a", onSuccess="exit"), step("b")], 0), [("Success", 0), ("Success", 0)])
        self.assertEqual(self.outcomes([step("a"), step("b")], 168), [("Success", 168), ("Success", 0)])
        self.assertEqual(self.outcomes([step("a"), step("b")], 169), [("Failed", 169), ("Success", 0)])

    def test_a_step_for_another_platform_is_skipped_as_a_success(self):
        windows = step("w", precondition={"StringEquals": ["platformType", "Windows"]})
        (reported,) = self.run_with([windows])
        self.assertEqual((reported.status, reported.code), ("Success", 0))
        self.assertEqual(reported.joined, 'Step execution skipped due to unsatisfied preconditions: \'"StringEquals": [platformType, Windows]\'. Step name: w')
        self.assertEqual(reported.standard_output, "")
        self.assertEqual(self.outcomes([windows], platform="Windows"), [("Success", 0)])

    def test_before_schema_2_2_a_step_that_does_not_fit_fails(self):
        self.assertEqual(self.outcomes([step(is_conditional=False)], platform="Windows"), [("Failed", 1)])

    def test_137_is_a_time_out_and_a_signal_a_failure(self):
        self.assertEqual([one.details for one in self.run_with([step("a"), step("b")], 137, -1)], ["ExecutionTimedOut", "Failed"])


if __name__ == "__main__":
    unittest.main()
