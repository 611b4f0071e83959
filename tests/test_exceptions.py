from __future__ import annotations

import re

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
