"""The fields of a form for signing in."""

from livetables.auth.fields import problems_of_sign_in


def test_every_problem_is_told_at_its_field() -> None:
    assert problems_of_sign_in(" Ada@Tavern.example ", "x") == {}
    assert problems_of_sign_in(" ", "") == {
        "email": "Please enter your email address.",
        "password": "Please enter your password.",
    }
    assert problems_of_sign_in("Zoë@@x", "x")["email"].startswith("Please check")
