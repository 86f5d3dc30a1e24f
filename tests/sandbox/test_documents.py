"""Tests that SSM documents behave as AWS documents them."""

import hashlib
import json
import unittest

import sandbox_server
from botocore.exceptions import ClientError

NAME = "SSM-SessionManagerRunShell"
SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


def session(**inputs):
    return json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})


def code(function, **parameters):
    """Returns the error code of a call, or None."""
    try:
        function(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class Versions(unittest.TestCase):
    def create(self, account):
        client = SANDBOX.client("ssm", account)
        answer = client.create_document(Name=NAME, Content=session(), DocumentType="Session")
        self.assertEqual(answer["DocumentDescription"]["Status"], "Creating")
        return client

    def test_a_new_document_becomes_active_with_its_hash(self):
        client = self.create("600000000001")
        document = client.describe_document(Name=NAME)["Document"]
        self.assertEqual(document["Status"], "Active")
        self.assertEqual(document["Hash"], hashlib.sha256(session().encode()).hexdigest())
        self.assertEqual(
            code(client.create_document, Name=NAME, Content=session(), DocumentType="Session"),
            "DocumentAlreadyExists",
        )

    def test_update_does_not_move_the_default(self):
        client = self.create("600000000002")
        new = session(idleSessionTimeout="30")
        client.update_document(Name=NAME, Content=new, DocumentVersion="$LATEST")
        document = client.describe_document(Name=NAME)["Document"]
        self.assertEqual((document["DefaultVersion"], document["LatestVersion"]), ("1", "2"))
        self.assertEqual(client.get_document(Name=NAME)["Content"], session())
        latest = client.get_document(Name=NAME, DocumentVersion="$LATEST")
        self.assertEqual((latest["Content"], latest["DocumentVersion"]), (new, "2"))
        client.update_document_default_version(Name=NAME, DocumentVersion="2")
        self.assertEqual(client.get_document(Name=NAME)["Content"], new)
        versions = client.list_document_versions(Name=NAME)["DocumentVersions"]
        self.assertEqual(
            [(v["DocumentVersion"], v["IsDefaultVersion"]) for v in versions],
            [("2", True), ("1", False)],
        )

    def test_update_needs_the_latest_version_and_new_content(self):
        client = self.create("600000000003")

        def update(content, **version):
            return code(client.update_document, Name=NAME, Content=content, **version)

        other = session(kmsKeyId="alias/a")
        self.assertEqual(update(session(), DocumentVersion="$LATEST"), "DuplicateDocumentContent")
        self.assertEqual(update(other), "InvalidDocumentVersion")
        self.assertEqual(update(other, DocumentVersion="7"), "InvalidDocumentVersion")
        self.assertIsNone(update(other, DocumentVersion="1"))
        # The content of an old version is not that of the latest one.
        self.assertIsNone(update(session(), DocumentVersion="$LATEST"))

    def test_the_default_is_set_by_number_only(self):
        client = self.create("600000000004")
        function = client.update_document_default_version
        self.assertEqual(
            code(function, Name=NAME, DocumentVersion="$LATEST"), "ValidationException"
        )
        self.assertEqual(code(function, Name=NAME, DocumentVersion="2"), "InvalidDocumentVersion")

    def test_a_missing_document_is_invalid(self):
        client = SANDBOX.client("ssm", "600000000005")
        for function in (
            client.get_document,
            client.describe_document,
            client.delete_document,
            client.list_document_versions,
        ):
            self.assertEqual(code(function, Name=NAME), "InvalidDocument")

    def test_delete_takes_one_version_or_everything(self):
        client = self.create("600000000006")
        client.update_document(
            Name=NAME, Content=session(kmsKeyId="alias/a"), DocumentVersion="$LATEST"
        )
        self.assertEqual(
            code(client.delete_document, Name=NAME, DocumentVersion="1"),
            "InvalidDocumentOperation",
        )
        client.delete_document(Name=NAME, DocumentVersion="2")
        self.assertEqual(client.describe_document(Name=NAME)["Document"]["LatestVersion"], "1")
        client.delete_document(Name=NAME)
        self.assertEqual(code(client.get_document, Name=NAME), "InvalidDocument")


class Content(unittest.TestCase):
    def refusal(self, content):
        client = SANDBOX.client("ssm", "600000000010")
        return code(client.create_document, Name=NAME, Content=content, DocumentType="Session")

    def test_malformed_content_is_refused(self):
        for content in (
            "not json",
            "[]",
            json.dumps({"sessionType": "Standard_Stream", "inputs": {}}),
            json.dumps({"schemaVersion": 1.0, "sessionType": "Standard_Stream", "inputs": {}}),
            json.dumps({"schemaVersion": "2.2", "sessionType": "Standard_Stream", "inputs": {}}),
            json.dumps({"schemaVersion": "1.0", "inputs": {}}),
            json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream"}),
            session(idleSessionTimeout=20),
            session(idleSessionTimeout="61"),
            session(maxSessionDuration="0"),
            session(cloudWatchStreamingEnabled="yes"),
            session(kmsKeyId=None),
            session(shellProfile="ls"),
            session(shellProfile={"mac": "ls"}),
            session(s3Bucket="typo"),
        ):
            with self.subTest(content):
                self.assertEqual(self.refusal(content), "InvalidDocumentContent")

    def test_more_than_64_kilobytes_are_refused(self):
        content = session(shellProfile={"linux": "x" * 65_536})
        self.assertEqual(self.refusal(content), "MaxDocumentSizeExceeded")

    def test_parameters_may_stand_for_values(self):
        client = SANDBOX.client("ssm", "600000000011")
        client.create_document(
            Name="by-parameter",
            Content=session(s3EncryptionEnabled="{{ encrypt }}"),
            DocumentType="Session",
        )


class Listing(unittest.TestCase):
    def test_filters_by_owner_and_type(self):
        client = SANDBOX.client("ssm", "600000000020")
        client.create_document(Name="own", Content=session(), DocumentType="Session")

        def names(*filters):
            found = client.list_documents(
                Filters=[{"Key": key, "Values": [value]} for key, value in filters], MaxResults=50
            )
            return [document["Name"] for document in found["DocumentIdentifiers"]]

        self.assertEqual(names(("Owner", "Self")), ["own"])
        self.assertIn("AWS-UpdateSSMAgent", names(("Owner", "Amazon")))
        self.assertIn("AWS-StartSSHSession", names(("DocumentType", "Session")))
        self.assertNotIn("own", names(("DocumentType", "Command")))

    def test_sharing_is_visible_and_forbids_deletion(self):
        client = SANDBOX.client("ssm", "600000000021")
        client.create_document(Name="shared", Content=session(), DocumentType="Session")
        client.modify_document_permission(
            Name="shared", PermissionType="Share", AccountIdsToAdd=["600000000022"]
        )
        answer = client.describe_document_permission(Name="shared", PermissionType="Share")
        self.assertEqual(answer["AccountIds"], ["600000000022"])
        self.assertEqual(code(client.delete_document, Name="shared"), "InvalidDocumentOperation")
        arn = "arn:aws:ssm:us-east-1:600000000021:document/shared"
        SANDBOX.client("ssm", "600000000022").get_document(Name=arn)
        other = SANDBOX.client("ssm", "600000000023")
        self.assertEqual(code(other.get_document, Name=arn), "InvalidDocument")


if __name__ == "__main__":
    unittest.main()
