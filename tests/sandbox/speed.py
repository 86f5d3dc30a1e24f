"""Owns what spares moto work that changes no answer. To be imported before the rest of moto.

Each of these was measured over the tests of one tool: together a third of what the server computed.
"""

import functools

import boto3.session
import moto.backends
from botocore.session import get_session

# Moto lists the folder of its own package for each request.
_modules = frozenset(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: _modules

# Moto makes a session for each partition that it asks about, and each session reads EC2's model and the endpoints anew; it
# asks again for each service of each account.
_session = get_session()


@functools.cache
def _regions(service, partition, allow_non_regional):
    return tuple(_session.get_available_regions(service, partition, allow_non_regional))


@functools.cache
def _partitions():
    return tuple(_session.get_available_partitions())


boto3.session.Session.get_available_regions = (
    lambda _, service_name, partition_name="aws", allow_non_regional=False: list(
        _regions(service_name, partition_name, allow_non_regional)
    )
)
boto3.session.Session.get_available_partitions = lambda _: list(_partitions())

import moto.kms.models  # noqa: E402 - after the patches above.

# A symmetric key signs nothing, but moto finds the primes of an RSA key for it.
_generate = moto.kms.models.generate_private_key
moto.kms.models.generate_private_key = lambda spec: None if spec == "SYMMETRIC_DEFAULT" else _generate(spec)
