import pytest

from django_partnerstack.client.retry import retry
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


def test_a_success_is_not_repeated(time):
    attempts = Attempts()
    assert retry(attempts, time.now + 60, time.retry_policy) == "done"
    assert (attempts.count, time.sleeps) == (1, [])


@pytest.mark.parametrize("error", [ReplyLost("x", **WHERE), NotSent("x", **WHERE), ServerError("x", **WHERE)])
def test_a_retryable_error_is_retried(time, error):
    assert retry(Attempts(error), time.now + 60, time.retry_policy) == "done"
    assert time.sleeps == [0.5]


def test_an_error_that_is_not_retryable_is_raised_at_once(time):
    attempts = Attempts(NotFound("x", **WHERE))
    with pytest.raises(NotFound):
        retry(attempts, time.now + 60, time.retry_policy)
    assert attempts.count == 1


def test_delays_double_until_the_fourth_attempt(time):
    attempts = Attempts(*[ReplyLost("x", **WHERE)] * 9)
    with pytest.raises(ReplyLost):
        retry(attempts, time.now + 60, time.retry_policy)
    assert (attempts.count, time.sleeps) == (4, [0.5, 1, 2])


def test_a_delay_is_as_long_as_retry_after_asks(time):
    assert retry(Attempts(limited(17)), time.now + 60, time.retry_policy) == "done"
    assert time.sleeps == [17]


def test_delays_are_longer_after_429_without_retry_after(time):
    assert retry(Attempts(limited(), limited()), time.now + 60, time.retry_policy) == "done"
    assert time.sleeps == [5, 10]


def test_a_delay_beyond_the_deadline_is_not_begun(time):
    with pytest.raises(RateLimited):
        retry(Attempts(limited(60)), time.now + 60, time.retry_policy)
    assert time.sleeps == []
