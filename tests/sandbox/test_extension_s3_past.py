"""Tests objects that were uploaded in the past."""

import unittest
import urllib.error

import sandbox_server

SANDBOX = None
ACCOUNT = "730000000000"


def setUpModule():
    global SANDBOX
    SANDBOX = sandbox_server.Served()


def tearDownModule():
    SANDBOX.stop()


class Past(unittest.TestCase):
    def move(self, **given):
        SANDBOX.control("POST", f"/_sandbox/object-times?account={ACCOUNT}", {"bucket": "archive", "key": "old.log"} | given)

    def test_an_object_of_before_2023_may_lack_encryption_and_a_later_one_does_not(self):
        s3 = SANDBOX.client("s3", ACCOUNT)
        s3.create_bucket(Bucket="archive")
        s3.put_object(Bucket="archive", Key="old.log", Body=b"x")
        self.assertEqual(s3.head_object(Bucket="archive", Key="old.log")["ServerSideEncryption"], "AES256")
        self.move(time="2022-11-01T12:00:00Z")
        head = s3.head_object(Bucket="archive", Key="old.log")
        self.assertEqual((head["LastModified"].isoformat(), head["ServerSideEncryption"]), ("2022-11-01T12:00:00+00:00", "AES256"))
        self.assertEqual(s3.list_objects_v2(Bucket="archive")["Contents"][0]["LastModified"], head["LastModified"])
        self.move(time="2022-11-01T12:00:00Z", encrypted=False)
        self.assertNotIn("ServerSideEncryption", s3.head_object(Bucket="archive", Key="old.log"))
        for wrong in ({"time": "2023-01-05T00:00:00Z", "encrypted": False}, {"time": "2022-11-01T12:00:00Z", "key": "other"}, {}):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.move(**wrong)
            caught.exception.close()
            self.assertEqual(caught.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
