import pytest

from django_partnerstack.sandbox import Sandbox


@pytest.mark.parametrize("wrong", [{"customers": -1}, {"mode": "live"}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sandbox(**wrong)


def test_an_unknown_count_is_an_error_that_lists_the_known_names():
    with pytest.raises(TypeError, match=r"no argument 'offer'. Counts of objects: groups, .*, webhooks"):
        Sandbox(offer=5)


def test_reset_restores_the_initial_state(sandbox, api):
    before = sandbox.objects("partnerships")
    api.customer()
    sandbox.behaviour.duplicates = "200"
    sandbox.faults.add("empty")
    sandbox.reset()
    assert sandbox.objects("partnerships") == before
    assert sandbox.objects("customers") == sandbox.faults.active == []
    assert (sandbox.behaviour.duplicates, sandbox.effects.total()) == ("409", 0)
