"""Tests that the sandbox's IAM refuses malformed policies and simulates the rest."""

import json
import unittest

from test_extension_server import client, error_of, reset


def policy(*statements, **changes):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | changes)


TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
READ = {"Effect": "Allow", "Action": ["ssm:Get*", "s3:GetObject"], "Resource": "*"}


class Iam(unittest.TestCase):
    def setUp(self):
        reset()
        self.iam = client("iam")
        self.role = self.iam.create_role(RoleName="node", AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]

    def test_refuses_malformed_trust_policies(self):
        cases = {
            "syntax": "{",
            "no principal": policy({"Effect": "Allow", "Action": "sts:AssumeRole"}),
            "resource": policy(TRUST | {"Resource": "*"}),
            "group": policy(TRUST | {"Principal": {"AWS": "arn:aws:iam::111111111111:group/x"}}),
            "wildcard in ARN": policy(TRUST | {"Principal": {"AWS": "arn:aws:iam::111111111111:role/*"}}),
            "service": policy(TRUST | {"Principal": {"Service": "ec2"}}),
            "version": policy(TRUST, Version="2020-01-01"),
        }
        for name, document in cases.items():
            with self.subTest(name):
                self.assertEqual(error_of(self.iam.create_role, RoleName="x", AssumeRolePolicyDocument=document), "MalformedPolicyDocument")
                self.assertEqual(error_of(self.iam.update_assume_role_policy, RoleName="node", PolicyDocument=document), "MalformedPolicyDocument")

    def test_refuses_malformed_inline_policies(self):
        cases = {
            "syntax": "",
            "principal": policy(READ | {"Principal": "*"}),
            "no resource": policy({"Effect": "Allow", "Action": "ssm:*"}),
            "action": policy(READ | {"Action": "ssm"}),
            "resource": policy(READ | {"Resource": "bucket"}),
            "operator": policy(READ | {"Condition": {"StringIs": {"a": "b"}}}),
        }
        for name, document in cases.items():
            with self.subTest(name):
                call = dict(RoleName="node", PolicyName="p", PolicyDocument=document)
                self.assertEqual(error_of(self.iam.put_role_policy, **call), "MalformedPolicyDocument")

    def test_knows_managed_policies(self):
        known = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
        self.iam.attach_role_policy(RoleName="node", PolicyArn=known)
        self.assertEqual(self.iam.list_attached_role_policies(RoleName="node")["AttachedPolicies"][0]["PolicyArn"], known)
        self.assertEqual(error_of(self.iam.attach_role_policy, RoleName="node", PolicyArn="arn:aws:iam::aws:policy/NoSuch"), "NoSuchEntity")

    def simulate(self, actions, **parameters):
        results = self.iam.simulate_principal_policy(PolicySourceArn=self.role, ActionNames=actions, **parameters)["EvaluationResults"]
        return [result["EvalDecision"] for result in results]

    def test_simulates_a_principal(self):
        deny = {"Effect": "Deny", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:*:parameter/secret*"}
        self.iam.put_role_policy(RoleName="node", PolicyName="p", PolicyDocument=policy(READ, deny))
        actions = ["ssm:getdocument", "ssm:SendCommand", "ssm:GetParameter"]
        resources = ["arn:aws:ssm:eu-central-1:111111111111:parameter/secret/1"]
        self.assertEqual(self.simulate(actions, ResourceArns=resources), ["allowed", "implicitDeny", "explicitDeny"])
        self.assertEqual(self.simulate(["ssm:GetParameter"]), ["allowed"])

    def test_simulates_attached_policies(self):
        self.iam.attach_role_policy(RoleName="node", PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
        self.assertEqual(self.simulate(["ssmmessages:CreateControlChannel", "s3:PutObject"]), ["allowed", "implicitDeny"])

    def test_simulates_conditions(self):
        allow = policy({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}})
        call = dict(PolicyInputList=[allow], ActionNames=["iam:PassRole"])
        missing = self.iam.simulate_custom_policy(**call)["EvaluationResults"][0]
        self.assertEqual((missing["EvalDecision"], missing["MissingContextValues"]), ("implicitDeny", ["iam:PassedToService"]))
        entry = {"ContextKeyName": "iam:PassedToService", "ContextKeyValues": ["ssm.amazonaws.com"], "ContextKeyType": "string"}
        given = self.iam.simulate_custom_policy(**call, ContextEntries=[entry])["EvaluationResults"][0]
        self.assertEqual((given["EvalDecision"], given["MatchedStatements"][0]["SourcePolicyId"]), ("allowed", "PolicyInputList.1"))

    def test_simulates_operators_and_variables_as_enforcement_does(self):
        for condition, key, value, decision in (
            ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, "aws:CurrentTime", "2021-01-01T00:00:00Z", "allowed"),
            ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, "aws:SourceIp", "203.0.113.7", "implicitDeny"),
            ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, "aws:TagKeys", "b", "implicitDeny"),
            ({"StringEquals": {"a:key": "${*}"}}, "a:key", "*", "allowed"),
        ):
            with self.subTest(condition):
                allow = policy({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": condition})
                entry = {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                result = self.iam.simulate_custom_policy(PolicyInputList=[allow], ActionNames=["a:b"], ContextEntries=[entry])
                self.assertEqual(result["EvaluationResults"][0]["EvalDecision"], decision)

    def test_refuses_to_simulate_what_is_not_there(self):
        unknown = self.role.replace("node", "nobody")
        self.assertEqual(error_of(self.iam.simulate_principal_policy, PolicySourceArn=unknown, ActionNames=["a:b"]), "NoSuchEntity")
        self.assertEqual(error_of(self.iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=["a:b"]), "InvalidInput")


if __name__ == "__main__":
    unittest.main()
