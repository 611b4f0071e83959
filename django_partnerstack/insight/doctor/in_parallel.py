"""Several questions at the same time, none of which can keep the others waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any


class Unanswered(Exception):
    """There was no answer in time."""


def together(questions: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
    """
    Ask each question in a thread of its own, and return the answers by name after ``seconds`` at most.

    The answer to a question that raised an error is the error; without an answer in time, ``Unanswered``.
    """
    answers: dict[str, Any] = {}

    def ask(name: str, question: Callable[[], Any]) -> None:
        try:
            answers[name] = question()
        except Exception as error:
            answers[name] = error

    # The process can end although a thread still waits, for example for the address of a host.
    threads = [Thread(target=ask, args=each, daemon=True) for each in questions.items()]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, until - time.monotonic()))
    return {name: answers.get(name, Unanswered(f"no answer in {seconds:.0f} seconds")) for name in questions}
