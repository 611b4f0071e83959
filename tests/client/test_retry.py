import pytest

from django_partnerstack.client.retry import retrying
from django_partnerstack.exceptions import NotFound, NotSent, RateLimited, ReplyLost, ServerError

WHERE = {"method": "GET", "path": "/customers"}


class Attempts:
    """Raises the given errors one by one, then returns "done"."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.count = 0

    def __call__(self):
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def limited(retry_after=None):
    return RateLimited("slow down", retry_after=retry_after, **WHERE)


def test_what_goes_well_is_not_repeated(time):
    attempts = Attempts()
    assert retrying(attempts, time.now + 60, time.pace) == "done"
    assert (attempts.count, time.sleeps) == (1, [])


@pytest.mark.parametrize("error", [ReplyLost("x", **WHERE), NotSent("x", **WHERE), ServerError("x", **WHERE)])
def test_a_passing_failure_is_tried_again(time, error):
    assert retrying(Attempts(error), time.now + 60, time.pace) == "done"
    assert time.sleeps == [0.5]


def test_a_lasting_failure_is_not_tried_again(time):
    attempts = Attempts(NotFound("x", **WHERE))
    with pytest.raises(NotFound):
        retrying(attempts, time.now + 60, time.pace)
    assert attempts.count == 1


def test_waits_double_and_end_after_four_attempts(time):
    attempts = Attempts(*[ReplyLost("x", **WHERE)] * 9)
    with pytest.raises(ReplyLost):
        retrying(attempts, time.now + 60, time.pace)
    assert (attempts.count, time.sleeps) == (4, [0.5, 1, 2])


def test_waits_are_as_long_as_partnerstack_asks(time):
    assert retrying(Attempts(limited(17)), time.now + 60, time.pace) == "done"
    assert time.sleeps == [17]


def test_without_a_hint_a_limit_is_given_longer_to_pass(time):
    assert retrying(Attempts(limited(), limited()), time.now + 60, time.pace) == "done"
    assert time.sleeps == [5, 10]


def test_a_wait_that_ends_too_late_is_not_begun(time):
    with pytest.raises(RateLimited):
        retrying(Attempts(limited(60)), time.now + 60, time.pace)
    assert time.sleeps == []
