"""Reading what a person typed into the form."""

from ui.routing.filter_form import split_list


def test_values_of_a_list_are_typed_with_commas() -> None:
    assert split_list('a, b ,"c, d",,') == ["a", "b", "c, d"]
