import pytest

from django_partnerstack.sandbox import Behaviour


def test_a_wrong_value_is_an_error_that_lists_the_possible_values():
    with pytest.raises(ValueError, match="duplicates must be one of 409, 400, 200, accepted, not '410'"):
        Behaviour().duplicates = "410"


def test_an_unknown_switch_is_an_error_that_lists_the_known_names():
    with pytest.raises(AttributeError, match=r"There is no behaviour 'duplicate'. Known: duplicates, "):
        Behaviour().duplicate = "409"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unique_emails", 1),
        ("read_lag", -1),
        ("read_lag", True),
        ("requests_per_minute", "many"),
        ("customer_paths", "email"),
        ("customer_paths", ["phone"]),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error(name, value):
    with pytest.raises(ValueError, match=name):
        setattr(Behaviour(), name, value)


def test_several_switches_are_set_all_or_none():
    behaviour = Behaviour()
    with pytest.raises(ValueError, match="total"):
        behaviour.change(duplicates="200", total="sometimes")
    assert behaviour == Behaviour()
    behaviour.change(duplicates="200", customer_paths=["email"])
    assert (behaviour.duplicates, behaviour.customer_paths) == ("200", ("email",))


def test_an_offset_may_be_negative_and_is_a_number():
    behaviour = Behaviour()
    behaviour.change(clock_offset=-400)
    assert behaviour.clock_offset == -400
    with pytest.raises(ValueError, match="clock_offset must be a number, not 'late'"):
        behaviour.clock_offset = "late"
