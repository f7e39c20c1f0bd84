"""What can go wrong in the rating core, in words for people.

RatingError
├── BadDatabaseUrl      DATABASE_URL names nothing that can be used
├── NotThere            no such campaign, task or rater
└── Refused             the rules say no
    ├── NotOpen         the campaign gives no tasks now
    ├── NotYours        the task was not given to this rater
    ├── LeaseLost       the time was over and the place is taken; what was written is kept by the caller
    ├── AlreadyJudged   another verdict of the same rater
    └── TooLate         the judgment is final
"""

from __future__ import annotations


class RatingError(Exception):
    """Anything this package raises on purpose; `str` of it is a sentence."""

    message = "Something went wrong. Please try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class BadDatabaseUrl(RatingError):
    """DATABASE_URL names nothing that can be used."""

    message = (
        "DATABASE_URL has to be one of postgresql://…, mysql+pymysql://…, mariadb+pymysql://… "
        "or sqlite:///file.db."
    )


class NotMigrated(RatingError):
    """A Supabase Postgres without this project's tables, which must not be made without their rules there."""

    message = (
        "This Supabase project has no rating tables yet: apply the files in supabase/migrations to it "
        "(supabase db push). They are not made from here, where they would be open to everybody."
    )


class NoSupabase(RatingError):
    """Asked for what only Supabase has, and there is none."""

    message = "This needs Supabase: set SUPABASE_URL and SUPABASE_KEY."


class NotThere(RatingError):
    """No such campaign, task or rater."""

    message = "This is not there (any more)."


class Refused(RatingError):
    """The rules say no."""


class NotOpen(Refused):
    """The campaign gives no tasks now."""

    message = "This campaign is not open for rating at the moment."


class NotYours(Refused):
    """The task was not given to this rater."""

    message = "This task was not given to you."


class LeaseLost(Refused):
    """The time was over and somebody else has the place."""

    message = (
        "Your time for this task was over, and somebody else has it now. "
        "What you wrote is kept: go on with the next task."
    )


class AlreadyJudged(Refused):
    """The same rater said something else before."""

    message = "You have judged this task already."


class TooLate(Refused):
    """The judgment is final."""

    message = "It is too late to undo this judgment."
