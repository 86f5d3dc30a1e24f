"""Tests of the evaluator against AWS's documentation: each row names the page it is from.

UG is https://docs.aws.amazon.com/IAM/latest/UserGuide/, ORG https://docs.aws.amazon.com/organizations/latest/userguide/,
KMS https://docs.aws.amazon.com/kms/latest/developerguide/.
"""

import unittest

import iam_condition
import iam_evaluate as iam
import iam_pattern
from iam_evaluate import BOUNDARY, IDENTITY, RCP, RESOURCE, SCP, SESSION, TRUST

OPERATORS = "UG reference_policies_elements_condition_operators.html"
SETS = "UG reference_policies_condition-single-vs-multi-valued-context-keys.html"
LOGIC = "UG reference_policies_condition-logic-multiple-context-keys-or-values.html"
VARIABLES = "UG reference_policies_variables.html"
ACTION = "UG reference_policies_elements_action.html"
RESOURCES = "UG reference_policies_elements_resource.html"
DENY_ALLOW = "UG reference_policies_evaluation-logic_policy-eval-denyallow.html"
CROSS = "UG reference_policies_evaluation-logic-cross-account.html"
BOUNDARIES = "UG access_policies_boundaries.html"
PRINCIPALS = "UG reference_policies_elements_principal.html"
NOT_PRINCIPAL = "UG reference_policies_elements_notprincipal.html"
SCPS = "ORG orgs_manage_policies_scps_evaluation.html"
KEYS = "KMS key-policy-default.html"
KEY_ACCESS = "KMS policy-evaluation.html"
DENIALS = "UG troubleshoot_access-denied.html"

ACCOUNT, OTHER = "111122223333", "444455556666"


# operator, values in the policy, values in the request (None: no such key), holds, page
CONDITIONS = [
    ("StringEquals", "iamuser-admin", ["iamuser-admin"], True, OPERATORS),
    ("StringEquals", "iamuser-admin", ["IamUser-Admin"], False, OPERATORS),
    ("StringEquals", "iamuser-admin", None, False, OPERATORS),
    ("StringEquals", "job*", ["job-category"], False, OPERATORS),
    ("StringEquals", ["a", "b"], ["b"], True, LOGIC),
    ("StringNotEquals", "a", ["b"], True, OPERATORS),
    ("StringNotEquals", "a", ["a"], False, OPERATORS),
    ("StringNotEquals", "a", None, True, OPERATORS),
    # "Work like a logical NOR".
    ("StringNotEquals", ["a", "b"], ["b"], False, LOGIC),
    ("StringNotEquals", ["a", "b"], ["c"], True, LOGIC),
    ("StringEqualsIgnoreCase", "Finance", ["fINANCE"], True, OPERATORS),
    ("StringNotEqualsIgnoreCase", "Finance", ["fINANCE"], False, OPERATORS),
    ("StringNotEqualsIgnoreCase", "Finance", None, True, OPERATORS),
    ("StringLike", "home/*", ["home/bob/x"], True, OPERATORS),
    ("StringLike", ["", "home/"], [""], True, OPERATORS),
    ("StringLike", "t?.micro", ["t2.micro"], True, OPERATORS),
    ("StringLike", "t?.micro", ["t.micro"], False, OPERATORS),
    ("StringLike", "Home/*", ["home/bob"], False, OPERATORS),
    ("StringNotLike", "key1*", ["key2"], True, OPERATORS),
    ("StringNotLike", "key1*", ["key1:hr"], False, OPERATORS),
    ("StringNotLike", "key1*", None, True, OPERATORS),
    ("NumericLessThanEquals", "10", ["10"], True, OPERATORS),
    ("NumericLessThanEquals", "10", ["11"], False, OPERATORS),
    ("NumericLessThanEquals", "10", None, False, OPERATORS),
    ("NumericEquals", 10, ["10.0"], True, OPERATORS),
    ("NumericEquals", "10", ["ten"], False, OPERATORS),
    ("NumericNotEquals", "10", ["11"], True, OPERATORS),
    ("NumericNotEquals", "10", None, True, OPERATORS),
    ("NumericLessThan", "30", ["7"], True, OPERATORS),
    ("NumericLessThan", "30", ["30"], False, OPERATORS),
    ("NumericGreaterThan", "3600", ["3601"], True, OPERATORS),
    ("NumericGreaterThanEquals", "3600", ["3600"], True, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", ["2020-01-01T00:00:02Z"], True, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", ["2019-12-31T23:59:59Z"], False, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", None, False, OPERATORS),
    # "Or in epoch (UNIX) time".
    ("DateEquals", "1577836800", ["2020-01-01T00:00:00Z"], True, OPERATORS),
    ("DateEquals", "2020-01-01T01:00:00+01:00", ["2020-01-01T00:00:00Z"], True, OPERATORS),
    ("DateLessThan", "2020-01-01", ["2019-12-31T23:59:59Z"], True, OPERATORS),
    ("DateLessThanEquals", "2020-01-01T00:00Z", ["2020-01-01T00:00:00Z"], True, OPERATORS),
    ("DateGreaterThanEquals", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00.5Z"], True, OPERATORS),
    ("DateNotEquals", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00Z"], False, OPERATORS),
    ("DateNotEquals", "2020-01-01T00:00:00Z", None, True, OPERATORS),
    # "Wildcards are not permitted for date condition operators."
    ("DateEquals", "2020-*", ["2020-01-01T00:00:00Z"], False, OPERATORS),
    ("Bool", "false", ["false"], True, OPERATORS),
    ("Bool", False, ["false"], True, OPERATORS),
    ("Bool", "true", ["false"], False, OPERATORS),
    ("Bool", "false", None, False, OPERATORS),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", ["QmluYXJ5VmFsdWVJbkJhc2U2NA=="], True, OPERATORS),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", ["QmluYXJ5"], False, OPERATORS),
    ("IpAddress", "203.0.113.0/24", ["203.0.113.255"], True, OPERATORS),
    ("IpAddress", "203.0.113.0/24", ["203.0.114.0"], False, OPERATORS),
    # "The default prefix value of /32".
    ("IpAddress", "203.0.113.7", ["203.0.113.7"], True, OPERATORS),
    ("IpAddress", "203.0.113.7", ["203.0.113.8"], False, OPERATORS),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], ["2001:db8:1234:5678::1"], True, OPERATORS),
    ("IpAddress", "203.0.113.0/24", None, False, OPERATORS),
    ("NotIpAddress", "203.0.113.0/24", ["198.51.100.1"], True, OPERATORS),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], ["198.51.100.1"], False, OPERATORS),
    ("NotIpAddress", "203.0.113.0/24", None, True, OPERATORS),
    # "The first asterisk matches only us-east-2 and fails on 999999999999:store/abc:"; StringLike succeeds.
    ("ArnLike", "arn:aws:someservice:*:111122223333:finance/*",
     ["arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"], False, OPERATORS),
    ("StringLike", "arn:aws:someservice:*:111122223333:finance/*",
     ["arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"], True, OPERATORS),
    ("ArnEquals", "arn:aws:iam::*:role/Admin*", ["arn:aws:iam::111122223333:role/Admin/x"], True, OPERATORS),
    ("ArnEquals", "arn:aws:iam::*:role/Admin", ["arn:aws:iam::111122223333:role/admin"], False, OPERATORS),
    ("ArnLike", "arn:aws:iam::*:role/Admin", None, False, OPERATORS),
    ("ArnLike", "*", ["arn:aws:iam::1:role/x"], True, OPERATORS),
    # What has no six components is no ARN.
    ("ArnLike", "*", ["role/x"], False, OPERATORS),
    ("ArnNotLike", "arn:aws:iam::*:role/Admin", ["arn:aws:iam::111122223333:role/Other"], True, OPERATORS),
    ("ArnNotEquals", ["arn:aws:iam::*:role/Admin", "arn:aws:iam::*:role/Other"], ["arn:aws:iam::1:role/Other"], False, OPERATORS),
    ("ArnNotLike", "arn:aws:iam::*:role/Admin", None, True, OPERATORS),
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], ["t2.micro"], True, OPERATORS),
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], ["c5.large"], False, OPERATORS),
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], None, True, OPERATORS),
    ("StringNotEqualsIfExists", "a", None, True, OPERATORS),
    ("StringNotEqualsIfExists", "a", ["a"], False, OPERATORS),
    ("BoolIfExists", "false", None, True, "UG reference_policies_elements_notaction.html"),
    ("NumericLessThanIfExists", "3600", None, True, OPERATORS),
    ("ForAnyValue:StringEqualsIfExists", "a", None, True, OPERATORS),
    ("Null", "true", None, True, OPERATORS),
    ("Null", "true", ["2020-01-01T00:00:00Z"], False, OPERATORS),
    ("Null", "false", ["2020-01-01T00:00:00Z"], True, OPERATORS),
    ("Null", False, None, False, OPERATORS),
    ("Null", "false", [], False, OPERATORS),
    ("StringEqualsIfExists", "a", [], True, OPERATORS),
    ("ForAllValues:StringEquals", ["ID", "Message", "Tags"], ["Message", "Tags"], True, SETS),
    ("ForAllValues:StringEquals", ["ID", "Message", "Tags"], ["Message", "UserName"], False, SETS),
    ("ForAllValues:StringEquals", ["ID"], None, True, SETS),
    ("ForAllValues:StringEquals", ["ID"], [], True, SETS),
    ("ForAllValues:StringEquals", ["ID"], [""], True, SETS),
    ("ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName", "Message", "PostDateTime"], True, SETS),
    ("ForAnyValue:StringEquals", ["ID", "PostDateTime"], ["UserName"], False, SETS),
    ("ForAnyValue:StringEquals", ["ID"], None, False, SETS),
    ("ForAnyValue:StringEquals", ["ID"], [""], False, SETS),
    ("ForAnyValue:StringNotEquals", ["ID"], ["ID", "Tags"], True, SETS),
    ("ForAnyValue:StringNotEquals", ["ID"], None, False, SETS),
    # The four rows of the table of UG reference_policies_condition_examples-multi-valued-context-keys.html
    ("ForAllValues:StringNotLike", "key1*", ["key1:legal"], False, "UG reference_policies_condition_examples-multi-valued-context-keys.html"),
    ("ForAllValues:StringNotLike", "key1*", ["key1:hr", "key1:personnel"], False, "UG reference_policies_condition_examples-multi-valued-context-keys.html"),
    ("ForAllValues:StringNotLike", "key1*", ["key2:audit"], True, "UG reference_policies_condition_examples-multi-valued-context-keys.html"),
    ("ForAllValues:StringNotLike", "key1*", None, True, "UG reference_policies_condition_examples-multi-valued-context-keys.html"),
]

# pattern, text, matches, page
ACTIONS = [
    ("s3:GetObject", "S3:getobject", True, ACTION),
    ("iam:*AccessKey*", "iam:UpdateAccessKey", True, ACTION),
    ("iam:*AccessKey*", "iam:GetUser", False, ACTION),
    ("*", "ssm:SendCommand", True, ACTION),
    ("ssm:Get?", "ssm:Gets", True, ACTION),
    ("ssm:*", "ssmmessages:OpenDataChannel", False, ACTION),
]
RESOURCE_ARNS = [
    ("*", "arn:aws:ssm:us-east-1:111122223333:document/x", True, RESOURCES),
    ("arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/accounting/a/b", True, RESOURCES),
    ("arn:aws:iam::111122223333:user/Bob", "arn:aws:iam::111122223333:user/bob", False, RESOURCES),
    *(("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", f"arn:aws:s3:::amzn-s3-demo-bucket/{key}", True, RESOURCES) for key in (
        "1/test/object.jpg", "1/2/test/3/object.jpg", "1///test///object.jpg", "1/test/.jpg", "/test/object.jpg", "1/test/")),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1-test/object.jpg", False, RESOURCES),
    # "If the asterisk is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries."
    ("arn:aws:iam*", "arn:aws:iam::111122223333:role/x", True, RESOURCES),
    ("arn:aws:ssm:*:document/x", "arn:aws:ssm:us-east-1:111122223333:document/x", True, RESOURCES),
    # Within a segment it does not.
    ("arn:aws:ssm:us-*t-1:document/x", "arn:aws:ssm:us-east-1:1t-1:document/x", False, RESOURCES),
    ("arn:aws:s3:::bucket?", "arn:aws:s3:::bucket1", True, RESOURCES),
    # "arn:aws:sqs is the same as arn:aws:sqs:*:*:*".
    ("arn:aws:sqs", "arn:aws:sqs:us-east-2:111122223333:queue1", True, "UG reference_identifiers.html#identifiers-arns"),
    ("arn:aws:sqs:us-east-1", "arn:aws:sqs:us-east-2:111122223333:queue1", False, "UG reference_identifiers.html#identifiers-arns"),
    # "Don't use a wildcard in the user/, group/, or policy/ part of the ARN."
    ("arn:aws:iam::111122223333:u*", "arn:aws:iam::111122223333:user/x", False, "UG reference_identifiers.html#identifiers-arns"),
    ("arn:aws:ec2:*:*:instanc?/*", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", False, "UG reference_identifiers.html#identifiers-arns"),
    # An example of AWS for all types.
    ("arn:aws:ec2:us-east-1:111122223333:*/*", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", True, "AWSEC2 supported-iam-actions-tagging.html"),
    ("arn:aws:iam::111122223333:*", "arn:aws:iam::111122223333:user/x", True, RESOURCES),
    ("arn:aws:s3:::bucket?", "arn:aws:s3:::bucket12", False, RESOURCES),
    ("arn:aws:s3:::bucket", "*", False, RESOURCES),
    ("arn:aws:s3:::bucket/${*}", "arn:aws:s3:::bucket/*", True, VARIABLES),
    ("arn:aws:s3:::bucket/${*}", "arn:aws:s3:::bucket/x", False, VARIABLES),
    ("arn:aws:s3:::bucket/${?}${$}", "arn:aws:s3:::bucket/?$", True, VARIABLES),
    ("arn:aws:s3:::bucket/${?}", "arn:aws:s3:::bucket/a", False, VARIABLES),
    ("arn:aws:s3:::mybucket/${aws:username}/*", "arn:aws:s3:::mybucket/David/x", True, VARIABLES),
    ("arn:aws:s3:::mybucket/${AWS:UserName}/*", "arn:aws:s3:::mybucket/David/x", True, VARIABLES),
    ("arn:aws:s3:::mybucket/${aws:username}/*", "arn:aws:s3:::mybucket/Bob/x", False, VARIABLES),
    # "The resource that includes a policy variable with no value will not match any resource."
    ("arn:aws:s3:::mybucket/${aws:PrincipalTag/none}*", "arn:aws:s3:::mybucket/", False, VARIABLES),
    ("arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/none, 'company-wide'}", "arn:aws:s3:::amzn-s3-demo-bucket-company-wide", True, VARIABLES),
    ("arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team, 'company-wide'}", "arn:aws:s3:::amzn-s3-demo-bucket-yellow", True, VARIABLES),
    # "Only in the resource portion of the ARN".
    ("arn:aws:iam::${aws:PrincipalAccount}:user/x", "arn:aws:iam::111122223333:user/x", False, VARIABLES),
    # "You can't use a multivalued context key as a policy variable."
    ("arn:aws:s3:::mybucket/${aws:TagKeys}", "arn:aws:s3:::mybucket/a", False, SETS),
    # What a variable holds is literal, not a pattern.
    ("arn:aws:s3:::mybucket/${aws:PrincipalTag/star}", "arn:aws:s3:::mybucket/x", False, VARIABLES),
    ("arn:aws:s3:::mybucket/${aws:PrincipalTag/star}", "arn:aws:s3:::mybucket/*", True, VARIABLES),
]
CONTEXT = {
    "aws:username": ["David"], "aws:principaltag/team": ["yellow"], "aws:principaltag/star": ["*"],
    "aws:principalaccount": [ACCOUNT], "aws:tagkeys": ["a", "b"],
}


class Tables(unittest.TestCase):
    def test_condition_operators(self):
        for operator, wanted, given, expected, page in CONDITIONS:
            with self.subTest(page, operator=operator, wanted=wanted, given=given):
                context = {} if given is None else {"a:key": given}
                self.assertEqual(iam_condition.holds({operator: {"A:Key": wanted}}, context, True), expected)

    def test_refuses_operators_that_do_not_exist(self):
        for operator in ("StringIs", "BoolNot", "NotBool", "NumericNotLessThan", "ForSomeValues:StringEquals", "NotString", "ArnNot"):
            with self.subTest(operator), self.assertRaises(iam_condition.UnknownOperator):
                iam_condition.holds({operator: {"a:key": "x"}}, {"a:key": ["x"]}, True)

    def test_operators_and_keys_are_combined_with_and(self):
        block = {
            "StringEqualsIgnoreCase": {"aws:PrincipalTag/department": ["finance", "hr", "legal"], "aws:PrincipalTag/role": ["audit", "security"]},
            "StringEquals": {"aws:PrincipalAccount": "123456789012"},
        }
        full = {"aws:principaltag/department": ["HR"], "aws:principaltag/role": ["audit"], "aws:principalaccount": ["123456789012"]}
        self.assertTrue(iam_condition.holds(block, full, True))
        for key in full:
            self.assertFalse(iam_condition.holds(block, {name: values for name, values in full.items() if name != key}, True), key)

    def test_action_patterns(self):
        for pattern, action, expected, page in ACTIONS:
            with self.subTest(page, pattern=pattern, action=action):
                self.assertEqual(iam_pattern.action_matches(pattern, action), expected)

    def test_resource_patterns(self):
        for pattern, resource, expected, page in RESOURCE_ARNS:
            with self.subTest(page, pattern=pattern, resource=resource):
                self.assertEqual(iam_pattern.resource_matches(pattern, resource, CONTEXT), expected)

    def test_incomplete_arns_are_completed_where_documented(self):
        # "in an identity-based policy": UG reference_identifiers.html#identifiers-arns.
        queue = "arn:aws:sqs:us-east-2:111122223333:queue1"
        self.assertTrue(iam_pattern.resource_matches("arn:aws:sqs", queue, CONTEXT))
        self.assertFalse(iam_pattern.resource_matches("arn:aws:sqs", queue, CONTEXT, completes=False))
        self.assertTrue(iam_pattern.resource_matches("arn:aws:sqs*", queue, CONTEXT, completes=False))
        statement = {"Statement": {"Effect": "Deny", "Action": "sqs:*", "Resource": "arn:aws:sqs"}}
        request = iam.Request("sqs:SendMessage", queue, iam.Caller("user", f"arn:aws:iam::{ACCOUNT}:user/x", ACCOUNT), {})
        self.assertIn("Deny", iam.effects(statement, request, iam.IDENTITY))
        self.assertNotIn("Deny", iam.effects(statement, request, iam.SCP))

    def test_variables_in_conditions(self):
        rows = [
            ("StringEquals", "${aws:username}", ["David"], True),
            ("StringLike", "home/${aws:username}/*", ["home/David/x"], True),
            ("StringLike", "home/${aws:username}/*", ["home/Bob/x"], False),
            ("StringEquals", "${aws:PrincipalTag/none}", ["x"], False),
            # "Inverted condition operators do match against a null value."
            ("StringNotEquals", "${aws:PrincipalTag/none}", ["x"], True),
            ("StringNotLike", "${aws:PrincipalTag/none}*", ["x"], True),
            ("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:role/*", [f"arn:aws:iam::{ACCOUNT}:role/x"], True),
            ("StringEquals", "${*}", ["*"], True),
            ("StringLike", "a${*}", ["ab"], False),
            # "You can't use a policy variable with other operators."
            ("NumericEquals", "${aws:PrincipalAccount}", [ACCOUNT], False),
            ("Null", "${aws:username}", ["x"], False),
        ]
        for operator, wanted, given, expected in rows:
            with self.subTest(VARIABLES, operator=operator, wanted=wanted):
                self.assertEqual(iam_condition.holds({operator: {"a:key": wanted}}, CONTEXT | {"a:key": given}, True), expected)

    def test_older_versions_have_no_variables(self):
        statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::mybucket/${aws:username}"}
        for version, resource, expected in (("2012-10-17", "David", True), ("2008-10-17", "David", False), (None, "David", False), ("2008-10-17", "${aws:username}", True)):
            document = {"Statement": statement} | ({"Version": version} if version else {})
            request = iam.Request("s3:GetObject", f"arn:aws:s3:::mybucket/{resource}", USER, CONTEXT)
            with self.subTest(VARIABLES, version=version, resource=resource):
                self.assertEqual("Allow" in iam.effects(document, request), expected)


def allow(action="*", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action="*", resource="*", **more):
    return allow(action, resource, **more) | {"Effect": "Deny"}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def named(*statements):
    """Returns a list of one policy."""
    return [("policy", policy(*statements))]


def by(*principals):
    return {"Principal": {"AWS": list(principals)}}


ROOT = iam.Caller("root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
USER = iam.Caller("user", f"arn:aws:iam::{ACCOUNT}:user/exampleuser", ACCOUNT, unique_id="AIDAEXAMPLE")
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/examplerole/examplerolesessionname"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/examplerole"
ROLE = iam.Caller("role", SESSION_ARN, ACCOUNT, ROLE_ARN, "AROAEXAMPLE")
EC2 = iam.Caller("service", name="ec2.amazonaws.com")
READ, BUCKET, OBJECT = "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:::amzn-s3-demo-bucket/x"
ALL = named(allow())
NOTHING = []
S3 = named(allow("s3:*"))
EC2_ONLY = named(allow("ec2:*"))
FULL_ACCESS = ("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", policy(allow()))


def bucket(*statements):
    return ("bucket", policy(*statements))


# what it shows, caller, policies, kind of policy that denies (None: allowed), whether explicitly, page
DECISIONS = [
    ("everything is denied by default", USER, {}, IDENTITY, False, DENY_ALLOW),
    ("except to the root user", ROOT, {}, None, False, DENY_ALLOW),
    ("an allow in an identity-based policy", USER, {"identity": S3}, None, False, DENY_ALLOW),
    ("a deny overrides an allow", USER, {"identity": named(allow(), deny("s3:GetObject"))}, IDENTITY, True, DENY_ALLOW),
    ("in another policy as well", USER, {"identity": S3 + named(deny("s3:*"))}, IDENTITY, True, DENY_ALLOW),
    ("an SCP without an allow", USER, {"identity": ALL, "scps": [EC2_ONLY]}, SCP, False, SCPS),
    ("an SCP grants nothing", USER, {"scps": [[FULL_ACCESS]]}, IDENTITY, False, SCPS),
    ("FullAWSAccess on every level", USER, {"identity": S3, "scps": [[FULL_ACCESS], [FULL_ACCESS]]}, None, False, SCPS),
    ("an SCP must allow on every level", USER, {"identity": S3, "scps": [[FULL_ACCESS], EC2_ONLY, [FULL_ACCESS]]}, SCP, False, SCPS),
    ("an OU without any SCP allows nothing", USER, {"identity": S3, "scps": [[FULL_ACCESS], [], [FULL_ACCESS]]}, SCP, False, SCPS),
    ("several SCPs of one level add up", USER, {"identity": S3, "scps": [EC2_ONLY + S3]}, None, False, SCPS),
    ("a deny on any level is final", USER, {"identity": S3, "scps": [[FULL_ACCESS], [FULL_ACCESS] + named(deny("s3:*"))]}, SCP, True, SCPS),
    ("SCPs bind the root user of a member", ROOT, {"scps": [[FULL_ACCESS] + named(deny("s3:*"))]}, SCP, True, SCPS),
    ("no SCP outside an organization", USER, {"identity": S3, "scps": None}, None, False, SCPS),
    ("an RCP denies", USER, {"identity": S3, "rcps": [named(allow(), deny("s3:*"))]}, RCP, True, "ORG orgs_manage_policies_rcps.html"),
    # UG access_policies_boundaries.html: ShirleyRodriguez
    ("a boundary grants nothing", USER, {"boundary": S3}, IDENTITY, False, BOUNDARIES),
    ("identity and boundary are intersected", USER, {"identity": ALL, "boundary": EC2_ONLY}, BOUNDARY, False, BOUNDARIES),
    ("both allow", USER, {"identity": ALL, "boundary": S3}, None, False, BOUNDARIES),
    ("a boundary may deny", USER, {"identity": ALL, "boundary": named(allow(), deny("s3:*"))}, BOUNDARY, True, BOUNDARIES),
    ("identity and session policy are intersected", ROLE, {"identity": ALL, "session": EC2_ONLY}, SESSION, False, "UG access_policies.html#policies_session"),
    ("a session policy grants nothing", ROLE, {"session": S3}, IDENTITY, False, "UG access_policies.html#policies_session"),
    ("a session policy may deny", ROLE, {"identity": ALL, "session": named(deny())}, SESSION, True, "UG access_policies.html#policies_session"),
    ("identity, boundary and session allow", ROLE, {"identity": ALL, "boundary": S3, "session": S3}, None, False, BOUNDARIES),
    # Resource-based policies in the same account
    ("a bucket policy is enough", USER, {"resource": bucket(allow("s3:*", **by(USER.arn)))}, None, False, DENY_ALLOW),
    ("a bucket policy that denies", USER, {"identity": ALL, "resource": bucket(deny("s3:*", Principal="*"))}, RESOURCE, True, DENY_ALLOW),
    ("it denies the root user too", ROOT, {"resource": bucket(deny("s3:*", Principal="*"))}, RESOURCE, True, DENY_ALLOW),
    ("a bucket policy for somebody else", USER, {"resource": bucket(allow("s3:*", **by(ROLE_ARN)))}, IDENTITY, False, DENY_ALLOW),
    ("a user ARN is not limited by a boundary", USER, {"boundary": EC2_ONLY, "resource": bucket(allow("s3:*", **by(USER.arn)))}, None, False, DENY_ALLOW),
    ("a role ARN is not limited by identity policies", ROLE, {"resource": bucket(allow("s3:*", **by(ROLE_ARN)))}, None, False, DENY_ALLOW),
    ("a role ARN is limited by a boundary", ROLE, {"boundary": EC2_ONLY, "resource": bucket(allow("s3:*", **by(ROLE_ARN)))}, BOUNDARY, False, DENY_ALLOW),
    ("a role ARN is limited by a session policy", ROLE, {"session": EC2_ONLY, "resource": bucket(allow("s3:*", **by(ROLE_ARN)))}, SESSION, False, DENY_ALLOW),
    ("a session ARN is limited by neither", ROLE, {"boundary": EC2_ONLY, "session": EC2_ONLY, "resource": bucket(allow("s3:*", **by(SESSION_ARN)))}, None, False, DENY_ALLOW),
    ("another session's ARN", ROLE, {"resource": bucket(allow("s3:*", **by(SESSION_ARN + "2")))}, IDENTITY, False, PRINCIPALS),
    ("a wildcard principal is limited by neither", ROLE, {"boundary": EC2_ONLY, "session": EC2_ONLY, "resource": bucket(allow("s3:*", Principal="*"))}, None, False, DENY_ALLOW),
    ("an SCP limits a bucket policy", USER, {"scps": [EC2_ONLY], "resource": bucket(allow("s3:*", **by(USER.arn)))}, SCP, False, DENY_ALLOW),
    ("an account principal only delegates", USER, {"resource": bucket(allow("s3:*", **by(ROOT.arn)))}, IDENTITY, False, PRINCIPALS),
    ("the account by its number", USER, {"identity": S3, "resource": bucket(allow("s3:*", **by(ACCOUNT)))}, None, False, PRINCIPALS),
    ("a deny for the account is for all in it", USER, {"identity": S3, "resource": bucket(deny("s3:*", **by(ACCOUNT)))}, RESOURCE, True, PRINCIPALS),
    ("a unique ID", ROLE, {"resource": bucket(allow("s3:*", **by("AROAEXAMPLE")))}, None, False, PRINCIPALS),
    ("a service principal", EC2, {"resource": bucket(allow("s3:*", Principal={"Service": "ec2.amazonaws.com"}))}, None, False, PRINCIPALS),
    ("another service", EC2, {"resource": bucket(allow("s3:*", Principal={"Service": "ssm.amazonaws.com"}))}, RESOURCE, False, PRINCIPALS),
    ("AWS: * names no service", EC2, {"resource": bucket(allow("s3:*", **by("*")))}, RESOURCE, False, PRINCIPALS),
    # Cross-account
    ("another account's bucket without a policy", USER, {"identity": ALL, "resource_account": OTHER}, RESOURCE, False, CROSS),
    ("a bucket policy alone", USER, {"resource": bucket(allow("s3:*", **by(USER.arn))), "resource_account": OTHER}, IDENTITY, False, CROSS),
    ("both", USER, {"identity": S3, "resource": bucket(allow("s3:*", **by(USER.arn))), "resource_account": OTHER}, None, False, CROSS),
    ("the account, and a policy in it", USER, {"identity": S3, "resource": bucket(allow("s3:*", **by(ACCOUNT))), "resource_account": OTHER}, None, False, CROSS),
    ("a boundary limits across accounts", USER, {"identity": S3, "boundary": EC2_ONLY, "resource": bucket(allow("s3:*", **by(USER.arn))), "resource_account": OTHER}, BOUNDARY, False, CROSS),
    ("a root user needs the other side", ROOT, {"resource_account": OTHER}, RESOURCE, False, CROSS),
    ("a root user that the other side lets in", ROOT, {"resource": bucket(allow("s3:*", **by(ACCOUNT))), "resource_account": OTHER}, None, False, CROSS),
    ("a deny on either side", USER, {"identity": S3 + named(deny("s3:*", "arn:aws:s3:::*demo*")), "resource": bucket(allow("s3:*", **by(USER.arn))), "resource_account": OTHER}, IDENTITY, True, CROSS),
    # NotAction, NotResource, NotPrincipal
    ("NotAction with Allow", USER, {"identity": named({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})}, None, False, "UG reference_policies_elements_notaction.html"),
    ("NotAction that lists the action", USER, {"identity": named({"Effect": "Allow", "NotAction": "s3:get*", "Resource": "*"})}, IDENTITY, False, "UG reference_policies_elements_notaction.html"),
    ("NotAction with Deny and without MFA", USER, {"identity": ALL + named({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}})},
     IDENTITY, True, "UG reference_policies_elements_notaction.html"),
    ("NotResource with Deny", USER, {"identity": ALL + named({"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]})},
     IDENTITY, True, "UG reference_policies_elements_notresource.html"),
    ("NotResource that lists the resource", USER, {"identity": ALL + named({"Effect": "Deny", "Action": "s3:*", "NotResource": BUCKET + "/*"})}, None, False, "UG reference_policies_elements_notresource.html"),
    ("NotPrincipal with user and account", USER, {"identity": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": [USER.arn, ROOT.arn]}))}, None, False, NOT_PRINCIPAL),
    ("NotPrincipal with a user who has a boundary", USER, {"identity": ALL, "boundary": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": [USER.arn, ROOT.arn]}))},
     RESOURCE, True, "UG access_policies_boundaries.html"),
    ("NotPrincipal without the account", USER, {"identity": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": USER.arn}))}, RESOURCE, True, NOT_PRINCIPAL),
    ("NotPrincipal with another user", USER, {"identity": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": [USER.arn + "2", ROOT.arn]}))}, RESOURCE, True, NOT_PRINCIPAL),
    ("NotPrincipal with session, role and account", ROLE, {"identity": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": [SESSION_ARN, ROLE_ARN, ROOT.arn]}))}, None, False, NOT_PRINCIPAL),
    ("NotPrincipal without the role", ROLE, {"identity": ALL, "resource": bucket(deny("s3:*", NotPrincipal={"AWS": [SESSION_ARN, ROOT.arn]}))}, RESOURCE, True, NOT_PRINCIPAL),
]


class Decisions(unittest.TestCase):
    def check(self, decision, kind, explicit):
        self.assertEqual((decision.allowed, decision.kind, decision.explicit), (kind is None, kind, explicit))

    def test_policies_that_apply_together(self):
        for shows, caller, policies, kind, explicit, page in DECISIONS:
            with self.subTest(page, shows=shows):
                request = iam.Request(READ, OBJECT, caller, {})
                self.check(iam.decide(request, iam.Policies(**policies)), kind, explicit)

    def test_carlos(self):
        """The example of UG reference_policies_evaluation-logic-cross-account.html."""
        carlos = iam.Caller("user", "arn:aws:iam::111111111111:user/carlossalazar", "111111111111")
        identity = named(
            allow("s3:ListAllMyBuckets"), allow("s3:*Object*", "arn:aws:s3:::amzn-s3-demo-bucket1/*"),
            deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
        )
        production = ("bucket", policy(allow(["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
                                             "arn:aws:s3:::amzn-s3-demo-bucket1/*", **by(carlos.arn))))
        for action, resource, bucket_policy, kind, explicit in (
            ("s3:PutObject", "arn:aws:s3:::Production-logs/x", None, IDENTITY, True),
            ("s3:PutObject", "arn:aws:s3:::amzn-s3-demo-bucket1/x", production, None, False),
            ("s3:DeleteObject", "arn:aws:s3:::amzn-s3-demo-bucket1/x", production, RESOURCE, False),
        ):
            with self.subTest(CROSS, action=action, resource=resource):
                policies = iam.Policies(identity=identity, resource=bucket_policy, resource_account="222222222222")
                self.check(iam.decide(iam.Request(action, resource, carlos), policies), kind, explicit)

    def test_shirley(self):
        """The example of UG access_policies_boundaries.html."""
        shirley = iam.Caller("user", f"arn:aws:iam::{ACCOUNT}:user/ShirleyRodriguez", ACCOUNT)
        policies = iam.Policies(identity=named(allow("iam:CreateUser")), boundary=named(allow(["s3:*", "cloudwatch:*", "ec2:*"])))
        self.check(iam.decide(iam.Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/x", shirley), policies), BOUNDARY, False)
        self.check(iam.decide(iam.Request("s3:ListAllMyBuckets", "*", shirley), policies), IDENTITY, False)

    def test_keys(self):
        """KMS key-policy-default.html, and Alice and Bob of policy-evaluation.html."""
        key = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        default = ("key", policy(allow("kms:*", **by(ROOT.arn))))
        use = named(allow("kms:Decrypt", key))
        admins = ("key", policy(allow(["kms:Create*", "kms:Describe*", "kms:ScheduleKeyDeletion"], **by(USER.arn, ROLE_ARN))))
        bob = iam.Caller("role", f"arn:aws:sts::{OTHER}:assumed-role/Engineering/bob", OTHER, f"arn:aws:iam::{OTHER}:role/Engineering")
        shared = ("key", policy(allow("kms:*", **by(ROOT.arn)), allow(["kms:Encrypt", "kms:Decrypt"], **by(f"arn:aws:iam::{OTHER}:root"))))
        for shows, caller, action, key_policy, identity, kind in (
            ("Alice has no IAM policy", USER, "kms:Decrypt", default, [], IDENTITY),
            ("the key policy enables IAM policies", USER, "kms:Decrypt", default, use, None),
            ("without that they are ineffective", USER, "kms:Decrypt", admins, use, RESOURCE),
            ("nobody has permission unless the key policy gives it, the root user included", ROOT, "kms:Decrypt", admins, [], RESOURCE),
            ("the root user by the default policy", ROOT, "kms:Decrypt", default, [], None),
            ("an administrator needs no IAM policy", USER, "kms:ScheduleKeyDeletion", admins, [], None),
            ("nor does a role", ROLE, "kms:DescribeKey", admins, [], None),
            ("an administrator may not use the key", ROLE, "kms:Decrypt", admins, [], RESOURCE),
            ("Bob, by both sides", bob, "kms:Decrypt", shared, use, None),
            ("Bob without an IAM policy", bob, "kms:Decrypt", shared, [], IDENTITY),
            ("an action that the key policy did not give", bob, "kms:ScheduleKeyDeletion", shared, ALL, RESOURCE),
            ("Bob without the key policy", bob, "kms:Decrypt", default, use, RESOURCE),
        ):
            with self.subTest(KEYS, shows=shows):
                policies = iam.Policies(identity=identity, resource=key_policy, resource_account=ACCOUNT, resource_must_allow=True)
                self.check(iam.decide(iam.Request(action, key, caller), policies), kind, False)

    def test_roles(self):
        """UG id_roles_compare-resource-policies.html: trust policies must allow; an account principal delegates."""
        assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
        federated = iam.Caller("provider", name="cognito-identity.amazonaws.com")
        for shows, caller, statement, identity, kind in (
            ("the user by name", USER, assume | by(USER.arn), [], None),
            ("the account, without a policy", USER, assume | by(ROOT.arn), [], IDENTITY),
            ("the account, with a policy", USER, assume | by(ROOT.arn), named(allow("sts:AssumeRole", ROLE_ARN)), None),
            ("somebody else", USER, assume | by(ROLE_ARN + "2"), ALL, TRUST),
            ("the service", EC2, assume | {"Principal": {"Service": "ec2.amazonaws.com"}}, [], None),
            ("the provider", federated, assume | {"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, [], None),
            ("another provider", federated, assume | {"Principal": {"Federated": "graph.facebook.com"}}, [], TRUST),
        ):
            with self.subTest(shows):
                policies = iam.Policies(identity=identity, resource=("trust", policy(statement)), resource_must_allow=True, resource_kind=TRUST)
                self.check(iam.decide(iam.Request("sts:AssumeRole", ROLE_ARN, caller), policies), kind, False)

    def test_service_control_policies_of_the_examples(self):
        """https://github.com/aws-samples/service-control-policy-examples, to which ORG orgs_manage_policies_scps_examples.html leads."""
        regions = {"Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "sts:*", "support:*"], "Resource": "*", "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]},
            "ArnNotLike": {"aws:PrincipalARN": "arn:aws:iam::*:role/Privileged"}}}
        root_user = {"Effect": "Deny", "NotAction": ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"], "Resource": "*",
                     "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}
        deletion = deny("kms:ScheduleKeyDeletion", Condition={"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}})
        setting = "servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
        management = deny(["ssm:UpdateServiceSetting", "ssm:ResetServiceSetting"], f"arn:aws:ssm:*:*:{setting}",
                          Condition={"ArnNotLike": {"aws:PrincipalARN": "arn:aws:iam::*:role/Privileged"}})
        privileged = iam.Caller("role", f"arn:aws:sts::{ACCOUNT}:assumed-role/Privileged/x", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/Privileged")
        for statement, caller, action, resource, keys, denied in (
            (regions, USER, "ec2:RunInstances", "*", {"aws:requestedregion": ["us-east-1"]}, True),
            (regions, USER, "ec2:RunInstances", "*", {"aws:requestedregion": ["eu-west-1"]}, False),
            (regions, USER, "iam:CreateRole", "*", {"aws:requestedregion": ["us-east-1"]}, False),
            (regions, privileged, "ec2:RunInstances", "*", {"aws:requestedregion": ["us-east-1"]}, False),
            (root_user, ROOT, "s3:PutObject", "*", {}, True),
            (root_user, ROOT, "s3:DeleteBucketPolicy", "*", {}, False),
            (root_user, USER, "s3:PutObject", "*", {}, False),
            (deletion, USER, "kms:ScheduleKeyDeletion", "*", {"kms:schedulekeydeletionpendingwindowindays": ["7"]}, True),
            (deletion, USER, "kms:ScheduleKeyDeletion", "*", {"kms:schedulekeydeletionpendingwindowindays": ["30"]}, False),
            (management, USER, "ssm:UpdateServiceSetting", f"arn:aws:ssm:us-east-1:{ACCOUNT}:{setting}", {}, True),
            (management, USER, "ssm:UpdateServiceSetting", f"arn:aws:ssm:us-east-1:{ACCOUNT}:servicesetting/ssm/other", {}, False),
            (management, privileged, "ssm:UpdateServiceSetting", f"arn:aws:ssm:us-east-1:{ACCOUNT}:{setting}", {}, False),
        ):
            with self.subTest(statement=statement, caller=caller.arn, action=action, keys=keys):
                context = {"aws:principalarn": [caller.role_arn or caller.arn]} | keys
                policies = iam.Policies(identity=ALL, scps=[[FULL_ACCESS], [FULL_ACCESS, ("arn:scp", policy(statement))]])
                self.check(iam.decide(iam.Request(action, resource, caller, context), policies), SCP if denied else None, denied)

    def test_denials_are_in_the_words_of_aws(self):
        action = "codecommit:ListRepositories"
        for kind, explicit, name, words in (
            (SCP, True, None, "with an explicit deny in a service control policy"),
            (SCP, True, "arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd",
             "with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd"),
            (SCP, False, None, "because no service control policy allows the codecommit:ListRepositories action"),
            (BOUNDARY, False, None, "because no permissions boundary allows the codecommit:ListRepositories action"),
            (BOUNDARY, True, None, "with an explicit deny in a permissions boundary"),
            (SESSION, False, None, "because no session policy allows the codecommit:ListRepositories action"),
            (RESOURCE, False, None, "because no resource-based policy allows the codecommit:ListRepositories action"),
            (RESOURCE, True, "bucket", "with an explicit deny in a resource-based policy"),
            (TRUST, True, None, "with an explicit deny in the role trust policy"),
            (TRUST, False, None, "because no role trust policy allows the codecommit:ListRepositories action"),
            (IDENTITY, False, None, "because no identity-based policy allows the codecommit:ListRepositories action"),
            (IDENTITY, True, "inline", "with an explicit deny in an identity-based policy"),
        ):
            with self.subTest(DENIALS, kind=kind, explicit=explicit):
                self.assertEqual(iam.Decision(False, kind, explicit, name).because(action), words)


if __name__ == "__main__":
    unittest.main()
