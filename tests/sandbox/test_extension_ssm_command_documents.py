"""Tests which nodes a command is for and what its document makes of it: targets, parameters, steps, patches."""

import json
import time
import unittest

import sandbox_server
from command_scene import SHELL, WINDOWS, Scene
from test_nodes import code

SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def scene(*nodes, **estate):
    """Returns an account of its own with nodes."""
    return Scene(SANDBOX, *nodes, **estate)


def script(name, *lines, **more):
    """Returns a step that runs a script under sh."""
    return {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": list(lines)}, **more}


def document(*steps, **parameters):
    """Returns a document of the newest schema."""
    content = {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}
    return {"name": "own", "versions": [content]}


class Targets(unittest.TestCase):
    def chosen(self, here, *targets):
        """Returns the numbers of the nodes that targets choose."""
        given = [{"Key": key, "Values": values} for key, values in targets]
        command_id = here.send("true", Targets=given)
        here.wait(command_id)
        return sorted(here.ids.index(one["InstanceId"]) + 1 for one in here.invocations(command_id))

    def test_tags_of_one_key_are_alternatives_and_targets_are_not(self):
        tags = [{"Role": "web", "Stage": "prod"}, {"Role": "db", "Stage": "prod"}, {"Role": "web"}, {}]
        here = scene(*[{"tags": one} for one in tags])
        self.assertEqual(self.chosen(here, ("tag:Role", ["web"])), [1, 3])
        self.assertEqual(self.chosen(here, ("tag:Role", ["web", "db"])), [1, 2, 3])
        self.assertEqual(self.chosen(here, ("tag:Role", ["web"]), ("tag:Stage", ["prod"])), [1])
        self.assertEqual(self.chosen(here, ("tag-key", ["Stage"])), [1, 2])
        self.assertEqual(self.chosen(here, ("InstanceIds", here.ids[3:])), [4])
        self.assertEqual(self.chosen(here, ("tag:Role", ["none"])), [])

    def test_a_resource_group_is_its_query(self):
        here = scene({"tags": {"Stage": "prod"}}, {"tags": {"Stage": "test"}})
        query = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "Stage", "Values": ["prod"]}]}
        groups = SANDBOX.client("resource-groups", here.account)
        groups.create_group(Name="prod", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)})
        self.assertEqual(self.chosen(here, ("resource-groups:Name", ["prod"])), [1])
        self.assertEqual(self.chosen(here, ("resource-groups:Name", ["nobody"])), [])

    def test_targets_are_counted_only_after_the_answer(self):
        here = scene({"tags": {"Role": "web"}}, {"tags": {"Role": "web"}})
        request = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
        sent = here.ssm.send_command(Targets=[{"Key": "tag:Role", "Values": ["web"]}], **request)["Command"]
        self.assertEqual((sent["Status"], sent["TargetCount"], sent["InstanceIds"]), ("Pending", 0, []))
        self.assertEqual(here.wait(sent["CommandId"])["TargetCount"], 2)

    def test_targeted_nodes_that_cannot_run_it_say_why(self):
        lost = {"ping": "ConnectionLost"}
        here = scene({"tags": {"All": ""}}, {"tags": {"All": ""}, **lost}, {"tags": {"All": ""}, **WINDOWS})
        command_id = here.send("true", Targets=[{"Key": "tag:All", "Values": [""]}])
        here.wait(command_id)
        self.assertEqual(here.outcomes(command_id), [("Success", "Success"), ("TimedOut", "DeliveryTimedOut"), ("Failed", "InvalidPlatform")])
        self.assertEqual([run["instance_id"] for run in here.runs()], here.ids[:1])

    def test_named_nodes_that_cannot_run_it_refuse_the_call(self):
        here = scene({}, {"ping": "ConnectionLost"}, {**WINDOWS})
        for ids, error in ((here.ids[:2], "InvalidInstanceId"), (here.ids[::2], "UnsupportedPlatformType"), (here.ids[:1] * 2, "DuplicateInstanceId")):
            request = {"DocumentName": "AWS-RunShellScript", "InstanceIds": ids, "Parameters": {"commands": ["true"]}}
            self.assertEqual(code(here.ssm.send_command, **request), error)
        both = {"InstanceIds": here.ids[:1], "Targets": [{"Key": "tag-key", "Values": ["a"]}]}
        for given in (both, {}):
            self.assertEqual(code(here.ssm.send_command, DocumentName="AWS-RunShellScript", Parameters={"commands": ["true"]}, **given), "ValidationException")
        self.assertEqual(here.ssm.list_commands()["Commands"], [])

    def test_powershell_is_canned_on_windows(self):
        here = scene({**WINDOWS, "run_output": [{"match": "Get-HotFix", "stdout": "KB1\r\n"}]})
        result = here.result(here.send("Get-HotFix", DocumentName="AWS-RunPowerShellScript"))
        self.assertEqual((result["PluginName"], result["StandardOutputContent"]), ("aws:runPowerShellScript", "KB1\r\n"))


class Parameters(unittest.TestCase):
    def test_what_is_missing_unknown_or_not_allowed_is_refused(self):
        stage = {"type": "String", "allowedValues": ["test", "prod"]}
        number = {"type": "String", "default": "1", "allowedPattern": "^[0-9]+$"}
        here = scene({}, documents=[document(script("one", "true"), stage=stage, number=number)])
        cases = [
            ("AWS-RunShellScript", {}), ("AWS-RunShellScript", {"commands": ["true"], "typo": ["1"]}), ("AWS-RunPatchBaseline", {}),
            ("AWS-RunPatchBaseline", {"Operation": ["Look"]}), ("own", {}), ("own", {"stage": ["live"]}), ("own", {"stage": ["test"], "number": ["x"]}),
        ]
        for name, given in cases:
            with self.subTest(name=name, given=given):
                refused = code(here.ssm.send_command, DocumentName=name, InstanceIds=here.ids, Parameters=given)
                self.assertEqual(refused, "InvalidParameters")
        here.wait(here.send(DocumentName="own", Parameters={"stage": ["test"]}))

    def test_placeholders_are_filled_in_as_a_whole_or_within_a_text(self):
        lines = {"type": "StringList"}
        whole = {"action": "aws:runShellScript", "name": "whole", "inputs": {"runCommand": "{{ lines }}"}}
        within = script("within", "echo '{{lines}} {{ word }} {{ other }}'")
        here = scene({**SHELL}, documents=[document(whole, within, lines=lines, word={"type": "String", "default": "d"})])
        command_id = here.send(DocumentName="own", Parameters={"lines": ["echo a", "echo b"]})
        self.assertEqual(here.result(command_id, PluginName="whole")["StandardOutputContent"], "a\nb\n")
        self.assertEqual(here.result(command_id, PluginName="within")["StandardOutputContent"], '["echo a","echo b"] d {{ other }}\n')

    def test_parameters_of_parameter_store_are_looked_up_for_the_node_only(self):
        here = scene({**SHELL})
        here.ssm.put_parameter(Name="/site/name", Value="example", Type="String")
        here.ssm.put_parameter(Name="/site/token", Value="hidden", Type="SecureString")
        command_id = here.send("echo {{ssm:/site/name}}")
        self.assertEqual(here.result(command_id)["StandardOutputContent"], "example\n")
        self.assertEqual(here.command(command_id)["Parameters"], {"commands": ["echo {{ssm:/site/name}}"]})
        for name in ("/site/token", "/site/none"):
            request = {"DocumentName": "AWS-RunShellScript", "InstanceIds": here.ids, "Parameters": {"commands": ["echo {{ssm:" + name + "}}"]}}
            self.assertEqual(code(here.ssm.send_command, **request), "InvalidParameters")


class Steps(unittest.TestCase):
    def test_each_step_has_a_result_of_its_own(self):
        windows = {"precondition": {"StringEquals": ["platformType", "Windows"]}}
        steps = script("first", "echo one; exit 5"), script("second", "echo two"), script("third", "echo three", **windows)
        here = scene({**SHELL}, documents=[document(*steps)])
        command_id = here.send(DocumentName="own")
        self.assertEqual(code(here.ssm.get_command_invocation, CommandId=command_id[:-4] + "0000", InstanceId=here.ids[0]), "InvocationDoesNotExist")
        self.assertEqual(here.wait(command_id)["Status"], "Failed")
        request = {"CommandId": command_id, "InstanceId": here.ids[0]}
        self.assertEqual(code(here.ssm.get_command_invocation, **request), "InvalidPluginName")
        self.assertEqual(code(here.ssm.get_command_invocation, PluginName="fourth", **request), "InvalidPluginName")
        second = here.result(command_id, PluginName="second")
        self.assertEqual((second["Status"], second["ResponseCode"], second["StandardOutputContent"]), ("Success", 0, "two\n"))
        (one,) = here.invocations(command_id)
        self.assertEqual([(p["Name"], p["Status"], p["ResponseCode"]) for p in one["CommandPlugins"]],
                         [("first", "Failed", 5), ("second", "Success", 0), ("third", "Success", 0)])
        self.assertEqual(one["CommandPlugins"][0]["Output"], "one\n\n----------ERROR-------\nfailed to run commands: exit status 5")
        self.assertIn("Step execution skipped", one["CommandPlugins"][2]["Output"])
        self.assertEqual(one["StandardOutputUrl"], "")

    def test_a_step_that_has_ended_is_reported_before_the_next(self):
        here = scene({**SHELL}, documents=[document(script("quick", "echo quick"), script("slow", "sleep 2"))])
        command_id = here.send(DocumentName="own")
        reported = {}
        while reported.get("Status") != "Success":
            time.sleep(0.02)
            for one in here.invocations(command_id):
                reported = one["CommandPlugins"][0]
        self.assertEqual([(p["Status"], p["Output"]) for p in one["CommandPlugins"]], [("Success", "quick\n"), ("InProgress", "")])
        self.assertEqual(one["Status"], "InProgress")
        self.assertEqual(here.wait(command_id)["Status"], "Success")

    def test_documents_made_by_the_caller_run_in_the_version_asked_for(self):
        here = scene({**SHELL})
        for content in (document(script("s", "echo 1")), document(script("s", "echo 2"))):
            text = json.dumps(content["versions"][0])
            if "echo 1" in text:
                here.ssm.create_document(Name="mine", Content=text, DocumentType="Command")
            else:
                here.ssm.update_document(Name="mine", Content=text, DocumentVersion="$LATEST")
        for version, output in (("$DEFAULT", "1\n"), ("$LATEST", "2\n"), ("2", "2\n")):
            command_id = here.send(DocumentName="mine", DocumentVersion=version)
            self.assertEqual(here.result(command_id)["StandardOutputContent"], output)
        self.assertEqual(code(here.ssm.send_command, DocumentName="mine", InstanceIds=here.ids, DocumentVersion="3"), "InvalidDocumentVersion")


class Patches(unittest.TestCase):
    patches = [
        {"kb_id": "openssl.x86_64", "state": "MISSING", "classification": "Security", "severity": "Important", "cve_ids": ["CVE-2026-1", "CVE-2026-2"]},
        {"kb_id": "vim.x86_64", "state": "MISSING", "classification": "Bugfix", "severity": "Low"},
        *({"kb_id": f"package-{n}.x86_64", "state": "INSTALLED", "classification": "Bugfix", "severity": "Low"} for n in range(20)),
    ]

    def setUp(self):
        self.here = scene({"patches": {"list": self.patches, "patch_group": "web"}}, {})

    def states(self):
        answer = self.here.ssm.describe_instance_patch_states(InstanceIds=self.here.ids)
        return answer["InstancePatchStates"]

    def patch(self, **parameters):
        command_id = self.here.send(DocumentName="AWS-RunPatchBaseline", InstanceIds=self.here.ids[:1], Parameters=parameters)
        return self.here.wait(command_id), command_id

    def test_nothing_is_known_before_a_scan_and_the_counts_after_it(self):
        self.assertEqual(self.states(), [])
        command, command_id = self.patch(Operation=["Scan"])
        self.assertEqual(command["Status"], "Success")
        (state,) = self.states()
        self.assertEqual((state["Operation"], state["PatchGroup"], state["InstanceId"]), ("Scan", "web", self.here.ids[0]))
        self.assertEqual((state["MissingCount"], state["InstalledCount"]), (2, 20))
        self.assertEqual((state["SecurityNonCompliantCount"], state["OtherNonCompliantCount"]), (1, 1))
        result = self.here.result(command_id, PluginName="PatchLinux")
        self.assertIn("Missing: 2", result["StandardOutputContent"])
        self.assertEqual(code(self.here.ssm.get_command_invocation, CommandId=command_id, InstanceId=self.here.ids[0]), "InvalidPluginName")

    def test_an_installation_leaves_nothing_missing(self):
        self.patch(Operation=["Install"], RebootOption=["NoReboot"])
        (state,) = self.states()
        self.assertEqual((state["MissingCount"], state["InstalledPendingRebootCount"], state["RebootOption"]), (0, 2, "NoReboot"))

    def test_patches_come_in_pages_and_by_state(self):
        self.patch(Operation=["Scan"])
        describe, instance_id = self.here.ssm.describe_instance_patches, self.here.ids[0]
        first = describe(InstanceId=instance_id, MaxResults=20)
        second = describe(InstanceId=instance_id, MaxResults=20, NextToken=first["NextToken"])
        self.assertEqual((len(first["Patches"]), len(second["Patches"])), (20, 2))
        missing = describe(InstanceId=instance_id, Filters=[{"Key": "State", "Values": ["Missing"]}])["Patches"]
        self.assertEqual([one["KBId"] for one in missing], ["openssl.x86_64", "vim.x86_64"])
        self.assertEqual(missing[0]["CVEIds"], "CVE-2026-1,CVE-2026-2")
        self.assertEqual(code(describe, InstanceId=instance_id, Filters=[{"Key": "Name", "Values": ["a"]}]), "InvalidFilter")
        self.assertEqual(describe(InstanceId=self.here.ids[1])["Patches"], [])

    def test_a_node_that_really_runs_scripts_is_patched_the_same_way(self):
        here = scene({**SHELL, "patches": {"list": self.patches[:1]}})
        here.wait(here.send(DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}))
        (state,) = here.ssm.describe_instance_patch_states(InstanceIds=here.ids)["InstancePatchStates"]
        self.assertEqual(state["MissingCount"], 1)

    def test_more_than_fifty_ids_are_refused(self):
        ids = [f"mi-{n:017x}" for n in range(51)]
        self.assertEqual(code(self.here.ssm.describe_instance_patch_states, InstanceIds=ids), "ValidationException")


if __name__ == "__main__":
    unittest.main()
