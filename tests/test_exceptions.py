from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from django_partnerstack import connection, exceptions


def drawn() -> dict[str, str]:
    """Each error in the drawing on top of ``exceptions``, and its parent."""
    parents: dict[str, str] = {}
    ancestors: list[str] = []
    for branch, name in re.findall(r"^    ([ │├└─]*)([A-Z]\w+)", exceptions.__doc__ or "", re.MULTILINE):
        depth = len(branch) // 4
        ancestors[depth:] = [name]
        parents[name] = ancestors[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_is_drawn_as_it_is() -> None:
    defined = [*vars(exceptions).values(), connection.ConfigurationError]
    classes = [each for each in defined if isinstance(each, type) and issubclass(each, Exception)]
    assert drawn() == {error.__name__: error.__bases__[0].__name__ for error in classes}


def test_the_module_exports_each_error_and_nothing_else() -> None:
    assert sorted({*exceptions.__all__, "ConfigurationError"}) == sorted(drawn())


def test_an_error_names_method_path_and_status() -> None:
    error = exceptions.NotFound("no such customer", method="GET", path="/customers/1", status=404)
    assert str(error) == "GET /customers/1: 404 no such customer"


def test_an_error_without_an_answer_has_no_headers() -> None:
    assert exceptions.NotSent("refused", method="GET", path="/customers").headers == {}


GIVEN: dict[str, Any] = {
    "message": "no such customer",
    "method": "GET",
    "path": "/customers/1",
    "status": 404,
    "headers": CaseInsensitiveDict({"X-Request-Id": "1"}),
    "retry_after": 2.5,
    "field": "key",
    "raw": {"key": [None]},
    "position": 3,
}


def arguments(kind: type[Exception]) -> set[str]:
    """The names of the arguments of an error class and of those that it inherits from."""
    signatures = (inspect.signature(each.__init__) for each in kind.__mro__ if "__init__" in vars(each))
    return {name for signature in signatures for name in signature.parameters}


@pytest.mark.parametrize("name", sorted(drawn()))
@pytest.mark.parametrize(
    "duplicate",
    [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_an_error_can_be_pickled_and_copied(name: str, duplicate: Callable[[Any], Any]) -> None:
    kind = getattr(exceptions, name, None) or connection.ConfigurationError
    keywords = {each: GIVEN[each] for each in GIVEN.keys() & arguments(kind) - {"message"}}
    error = kind(GIVEN["message"], **keywords)
    other = duplicate(error)
    assert (type(other), str(other), other.args) == (type(error), str(error), error.args)
    assert vars(other) == vars(error)


@pytest.mark.parametrize("status", [408, 425])
def test_a_request_that_was_not_processed_can_be_retried_without_a_look_up(status: int) -> None:
    kind = exceptions.error_for_status(status)
    assert (kind.retryable, kind.in_doubt) == (True, False)
