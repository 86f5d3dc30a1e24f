"""Owns what every extension module needs: a store that is keyed by account and
Region, a way to add or replace an operation of a moto service, or to say that it
runs long, a way to serve what moto has no part in, and a way to refuse a request as
AWS does.

Imports no extension module, so that each of them may import this one.
"""

import datetime
import json

import forks
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores


_long = set()
_calling = set()
_services = {}


class Store:
    """Keeps one value per (account, region), made on first use.

    AWS shares nothing between accounts and Regions, so no extension module may
    keep state anywhere else.
    """

    def __init__(self, make):
        self._make = make
        self._values = {}
        self._lock = forks.lock()

    def of(self, account, region):
        """Returns the value of one account in one Region."""
        with self._lock:
            key = (account, region)
            if key not in self._values:
                self._values[key] = self._make()
            return self._values[key]

    def everywhere(self):
        """Returns all values by (account, region)."""
        with self._lock:
            return dict(self._values)

    def here(self, response):
        """Returns the value of the account and Region that a request is for."""
        return self.of(response.current_account, response.region)


def operation(response_class, name):
    """Makes the decorated function the implementation of an AWS operation.

    The function is given moto's response object and returns a dict shaped like
    the operation's output in botocore's model; moto serialises it.
    """

    def register(function):
        def method(self):
            return ActionResult(function(self))

        method.__name__ = camelcase_to_underscores(name)
        method.__doc__ = function.__doc__
        setattr(response_class, method.__name__, method)
        return function

    return register


def runs_long(service, operation):
    """Has calls of an operation served beside each other: it waits for what may itself call the service."""
    _long.add((service, operation))


def is_long(service, operation):
    """Returns whether an operation said that it runs long."""
    return (service, operation) in _long


def makes_calls(service):
    """Says that the operations of a service call others of the sandbox and wait for the answers."""
    _calling.add(service)


def calls_back(service):
    """Returns whether a service said that it makes calls."""
    return service in _calling


def service(name, response_class):
    """Has requests to a service answered by a class of our own, whatever moto has of it."""
    _services[name] = response_class


def own_service(name):
    """Returns the class that answers for a service, None if moto does."""
    return _services.get(name)


def parameters(response):
    """Returns the parameters of a JSON-protocol request."""
    return json.loads(response.body or "{}")


class Refused(ServiceException):
    """An AWS error, which moto renders in the protocol of the service it came from.

    Of moto's own class it would look for the error in a service called `core`.
    """


def refuse(code, message=""):
    """Raises an AWS error."""
    raise Refused(code, message)


def now():
    """Returns the time in UTC with its zone: moto reads naive times as local."""
    return datetime.datetime.now(datetime.timezone.utc)


def page(items, request, minimum, maximum, default, invalid="InvalidNextToken"):
    """Cuts one page out of `items`; returns it with the token of the next or None.

    Refuses a MaxResults outside the limits as AWS does, with a
    ValidationException naming the constraint, and a token that no answer gave.
    """
    size = request.get("MaxResults", default)
    if not minimum <= size <= maximum:
        bound = (
            f"less than or equal to {maximum}"
            if size > maximum
            else f"greater than or equal to {minimum}"
        )
        refuse(
            "ValidationException",
            f"1 validation error detected: Value '{size}' at 'maxResults' failed to "
            f"satisfy constraint: Member must have value {bound}",
        )
    start = 0
    token = request.get("NextToken")
    if token:
        prefix, _, number = token.partition(".")
        if prefix != "page" or not number.isdigit() or int(number) > len(items):
            refuse(invalid, "The specified token is not valid.")
        start = int(number)
    end = start + size
    return items[start:end], (f"page.{end}" if end < len(items) else None)
