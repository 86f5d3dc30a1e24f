"""Owns Athena as far as CloudTrail's log files need it: tables over a bucket, and which files have rows that a query asks for.

moto answers queries with what a test queued before; here the files are read. A table keeps what its partition projection
says, and a query runs in SQLite over the records of the files that its partitions name.

https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
Operations: botocore athena/2017-05-18.
"""

import gzip
import json
import re
import secrets
import sqlite3

import emulate
from moto.athena.responses import AthenaResponse
from moto.s3.models import s3_backends

# table name -> {"template", "injected"}; execution id -> {"looks", "state", "reason", "rows"}
TABLES = emulate.Store(dict)
EXECUTIONS = emulate.Store(dict)

COLUMNS = ("eventname", "eventsource", "eventtime", "errorcode", "requestparameters")
PARTITIONS = ("account", "region", "timestamp")


class Failed(Exception):
    """Why a query fails, in Athena's words."""


def start_query_execution(response):
    """Runs a query at once; who asks for its state sees it queued first."""
    request = emulate.parameters(response)
    execution = {"looks": 0, "state": "SUCCEEDED", "reason": None, "rows": [], "query": request["QueryString"], "work_group": request.get("WorkGroup") or "primary"}
    try:
        execution["rows"] = _run(response, request["QueryString"])
    except Failed as error:
        execution |= {"state": "FAILED", "reason": str(error)}
    identifier = secrets.token_hex(18)
    EXECUTIONS.here(response)[identifier] = execution
    return {"QueryExecutionId": identifier}


def get_query_execution(response):
    """Answers QUEUED once, then how the query ended."""
    identifier = emulate.parameters(response)["QueryExecutionId"]
    execution = _execution(response, identifier)
    execution["looks"] += 1
    status = {"State": execution["state"] if execution["looks"] > 1 else "QUEUED"}
    if execution["looks"] > 1 and execution["reason"]:
        status["StateChangeReason"] = execution["reason"]
    return {"QueryExecution": {"QueryExecutionId": identifier, "Query": execution["query"], "Status": status}}


def get_query_results(response):
    """Answers with at most 1,000 rows a page; the first row of the first page names the columns."""
    request = emulate.parameters(response)
    execution = _execution(response, request["QueryExecutionId"])
    if execution["state"] != "SUCCEEDED" or execution["looks"] < 2:
        emulate.refuse("InvalidRequestException", f"Query has not yet finished. Current state: {execution['state']}")
    rows = [["$path"]] + [[path] for path in execution["rows"]]
    size, start = request.get("MaxResults", 1000), int(request.get("NextToken") or 0)
    answer = {"ResultSet": {"Rows": [{"Data": [{"VarCharValue": cell} for cell in row]} for row in rows[start:start + size]]}}
    if start + size < len(rows):
        answer["NextToken"] = str(start + size)
    return answer


def _execution(response, identifier):
    found = EXECUTIONS.here(response).get(identifier)
    if found is None:
        emulate.refuse("InvalidRequestException", f"QueryExecution {identifier} was not found")
    return found


def _run(response, query):
    tables = TABLES.here(response)
    if match := re.match(r"CREATE EXTERNAL TABLE IF NOT EXISTS (\S+) ", query):
        properties = dict(re.findall(r"'([^']+)'='([^']*)'", query))
        if properties.get("projection.enabled") != "true":
            raise Failed("NOT_SUPPORTED: the sandbox knows tables with partition projection only")
        injected = [name for name in PARTITIONS if properties.get(f"projection.{name}.type") == "injected"]
        tables.setdefault(match[1], {"template": properties["storage.location.template"], "injected": injected})
        return []
    match = re.fullmatch(r'SELECT DISTINCT "\$path" FROM (\S+) WHERE (.+)', query, re.DOTALL)
    if not match:
        raise Failed("SYNTAX_ERROR: the sandbox does not understand this query")
    name, condition = match.groups()
    if name not in tables:
        raise Failed(f"TABLE_NOT_FOUND: line 1:29: Table 'awsdatacatalog.{name}' does not exist")
    table = tables[name]
    for column in table["injected"]:
        if not re.search(rf"\b{column} (IN|=)", condition):
            raise Failed(f"CONSTRAINT_VIOLATION: For the injected projected partition column {column}, the WHERE clause must contain"
                         " only static equality conditions, and at least one such condition must be present.")
    return _select(response, table["template"], condition)


def _select(response, template, condition):
    bucket_name, _, key_template = template.removeprefix("s3://").partition("/")
    place = re.escape(key_template)
    for name, shape in (("account", r"\d{12}"), ("region", r"[a-z0-9-]+"), ("timestamp", r"\d{4}/\d{2}/\d{2}")):
        place = place.replace(re.escape(f"${{{name}}}"), f"(?P<{name}>{shape})", 1)
    bucket = s3_backends[response.current_account][response.partition].buckets.get(bucket_name)
    if bucket is None:
        raise Failed("HIVE_METASTORE_ERROR: the bucket does not exist")
    database = sqlite3.connect(":memory:")
    columns = ", ".join(f'"{name}" TEXT' for name in ("$path", *PARTITIONS, *COLUMNS))
    database.execute(f"CREATE TABLE records ({columns})")
    for key, stored in bucket.keys.items():
        found = re.match(place + "/", key)
        if found:
            rows = [_row(f"s3://{bucket_name}/{key}", found.groupdict(), record) for record in _records(stored.value)]
            database.executemany(f"INSERT INTO records VALUES ({', '.join('?' * (4 + len(COLUMNS)))})", rows)
    try:
        return [path for (path,) in database.execute(f'SELECT DISTINCT "$path" FROM records WHERE {condition}')]
    except sqlite3.Error as error:
        raise Failed(f"SYNTAX_ERROR: {error}") from None


def _records(data):
    """A file that is no log file has no rows; Athena skips what its SerDe cannot read only if configured so: this is kinder."""
    try:
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        return json.loads(text).get("Records", [])
    except (OSError, EOFError, ValueError):
        return []


def _row(path, partitions, record):
    cells = [record.get(name) for name in ("eventName", "eventSource", "eventTime", "errorCode", "requestParameters")]
    texts = [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells]
    return [path, *(partitions[name] for name in PARTITIONS), *texts]


def install():
    for name, function in (
        ("StartQueryExecution", start_query_execution),
        ("GetQueryExecution", get_query_execution),
        ("GetQueryResults", get_query_results),
    ):
        emulate.operation(AthenaResponse, name)(function)
