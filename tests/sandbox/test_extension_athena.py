"""Shows what the sandbox's Athena answers, and refuses."""

import gzip
import json
import unittest

from sandbox_server import Served

ACCOUNT = "100000000077"
CREATE = (
    "CREATE EXTERNAL TABLE IF NOT EXISTS default.logs (\neventname STRING)\nPARTITIONED BY (account STRING)\n"
    "TBLPROPERTIES ('projection.enabled'='true', 'projection.account.type'='injected', 'projection.region.type'='injected', "
    "'storage.location.template'='s3://athena-logs/AWSLogs/${account}/CloudTrail/${region}/${timestamp}')"
)


def setUpModule():
    global sandbox
    sandbox = Served()


def tearDownModule():
    sandbox.stop()


class Athena(unittest.TestCase):
    def setUp(self):
        self.client = sandbox.client("athena", ACCOUNT)

    def run_query(self, text):
        identifier = self.client.start_query_execution(QueryString=text)["QueryExecutionId"]
        states = [self.client.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"] for _ in range(2)]
        self.assertEqual(states[0]["State"], "QUEUED")
        return identifier, states[1]

    def test_a_query_names_the_files_with_rows(self):
        s3 = sandbox.client("s3", ACCOUNT)
        s3.create_bucket(Bucket="athena-logs")
        for day, name in (("01", "StartSession"), ("02", "Other"), ("03", "StartSession")):
            body = gzip.compress(json.dumps({"Records": [{"eventName": name}] * 2}).encode())
            s3.put_object(Bucket="athena-logs", Key=f"AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/{day}/x.json.gz", Body=body)
        self.assertEqual(self.run_query(CREATE)[1]["State"], "SUCCEEDED")
        query = ("SELECT DISTINCT \"$path\" FROM default.logs WHERE account IN ('111122223333') AND region IN ('us-east-1')"
                 " AND \"timestamp\" <= '2026/11/02' AND eventname IN ('StartSession')")
        identifier, _ = self.run_query(query)
        rows = self.client.get_query_results(QueryExecutionId=identifier)["ResultSet"]["Rows"]
        cells = [row["Data"][0]["VarCharValue"] for row in rows]
        self.assertEqual(cells, ["$path", "s3://athena-logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/01/x.json.gz"])

    def test_an_injected_column_must_be_given(self):
        self.run_query(CREATE)
        _, status = self.run_query("SELECT DISTINCT \"$path\" FROM default.logs WHERE region = 'us-east-1'")
        self.assertEqual(status["State"], "FAILED")
        self.assertIn("CONSTRAINT_VIOLATION", status["StateChangeReason"])

    def test_a_table_that_nobody_made_is_not_found(self):
        _, status = self.run_query("SELECT DISTINCT \"$path\" FROM default.none WHERE account = '1'")
        self.assertIn("TABLE_NOT_FOUND", status["StateChangeReason"])


if __name__ == "__main__":
    unittest.main()
