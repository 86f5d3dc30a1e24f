"""Tests that S3's answers carry the root elements of AWS. boto3 would not notice: it takes any."""

import unittest

from extension import s3_roots


class Roots(unittest.TestCase):
    def test_renames_the_root_and_nothing_else(self):
        given = '<?xml version="1.0"?>\n<GetBucketVersioningResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></GetBucketVersioningResponse>'
        wanted = '<?xml version="1.0"?>\n<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'
        self.assertEqual(s3_roots._rename(given, "GetBucketVersioningResponse", "VersioningConfiguration"), wanted)
        self.assertEqual(s3_roots._rename(given.encode(), "GetBucketVersioningResponse", "VersioningConfiguration"), wanted.encode())
        empty = '<GetBucketVersioningResponse/>'
        self.assertEqual(s3_roots._rename(empty, "GetBucketVersioningResponse", "VersioningConfiguration"), "<VersioningConfiguration/>")


if __name__ == "__main__":
    unittest.main()
