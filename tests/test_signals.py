"""Receivers of a site: an error in one harms nobody else."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest
from django.dispatch import Signal

from django_partnerstack import signals
from django_partnerstack.signals import name_of

SIGNALS = {name: value for name, value in vars(signals).items() if isinstance(value, Signal)}


class Receiver:
    def __call__(self, **arguments: Any) -> None:
        raise LookupError("not today")


def receive(**arguments: Any) -> None:
    raise LookupError("not today")


@pytest.mark.parametrize("receiver", [receive, partial(receive), Receiver(), Receiver().__call__])
@pytest.mark.parametrize("name", SIGNALS)
def test_an_error_in_a_receiver_is_logged_and_harms_no_other_whatever_the_receiver_is(
    name: str, receiver: Any, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[Any] = []

    def other(**arguments: Any) -> None:
        received.append(arguments)

    signal = SIGNALS[name]
    signal.connect(receiver, weak=False)
    signal.connect(other)
    try:
        answers = dict(signal.send_robust(sender=None))
    finally:
        signal.disconnect(receiver)
        signal.disconnect(other)
    assert isinstance(answers[receiver], LookupError)
    assert len(received) == 1
    errors = [each for each in caplog.records if each.exc_info]
    [record] = [each for each in errors if each.exc_info and each.exc_info[1] is answers[receiver]]
    assert record.getMessage() == f"Error calling {name_of(receiver)} in Signal.send_robust() (not today)"
    assert (record.levelno, record.name) == (logging.ERROR, "django.dispatch")


def test_a_receiver_without_a_name_is_named_by_what_it_shows() -> None:
    assert name_of(receive) == "tests.test_signals.receive"
    assert name_of(Receiver().__call__) == "tests.test_signals.Receiver.__call__"
    assert name_of(partial(receive)).startswith("functools.partial(<function receive")
    assert "Receiver object at" in name_of(Receiver())
    assert "method-wrapper" in name_of(receive.__call__)
