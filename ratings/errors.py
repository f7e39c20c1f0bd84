"""The errors of the rating core; each message is a sentence for people.

RatingError
├── BadDatabaseUrlError     DATABASE_URL is not a URL of a supported database
├── NotMigratedError        a Supabase project without this project's tables
├── NoSupabaseError         the call needs Supabase, and none is set up
├── NotFoundError           no such campaign, task or rater
└── RefusedError            the rules do not allow it
    ├── NotOpenError        the campaign assigns no tasks now
    ├── NotYoursError       the task was not given to this rater
    ├── LeaseLostError      the lease expired and another rater has the place; the caller keeps the comment
    ├── AlreadyJudgedError  the same rater gave another verdict
    └── TooLateError        the judgment is final
"""

from __future__ import annotations


class RatingError(Exception):
    """The base of all errors that this package raises; `str()` is a sentence."""

    message = "Something went wrong. Please try again."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class BadDatabaseUrlError(RatingError):
    """DATABASE_URL, or another setting, cannot be used."""

    message = (
        "DATABASE_URL has to be one of postgresql://…, mysql+pymysql://…, mariadb+pymysql://… "
        "or sqlite:///file.db."
    )


class NotMigratedError(RatingError):
    """A Supabase Postgres without this project's tables.

    They are not created from here, because the API would offer them without their policies.
    """

    message = (
        "This Supabase project has no rating tables yet: apply the files in supabase/migrations to it "
        "(supabase db push). They are not made from here, where they would be open to everybody."
    )


class NoSupabaseError(RatingError):
    """The call needs Supabase, and none is set up."""

    message = "This needs Supabase: set SUPABASE_URL and SUPABASE_KEY."


class NotFoundError(RatingError):
    """No such campaign, task or rater."""

    message = "This is not there (any more)."


class RefusedError(RatingError):
    """The rules do not allow it."""


class NotOpenError(RefusedError):
    """The campaign assigns no tasks now."""

    message = "This campaign is not open for rating at the moment."


class NotYoursError(RefusedError):
    """The task was not assigned to this rater."""

    message = "This task was not given to you."


class LeaseLostError(RefusedError):
    """The lease expired, and another rater has the place."""

    message = (
        "Your time for this task was over, and somebody else has it now. "
        "What you wrote is kept: go on with the next task."
    )


class AlreadyJudgedError(RefusedError):
    """The same rater gave another verdict before."""

    message = "You have judged this task already."


class TooLateError(RefusedError):
    """The judgment is final."""

    message = "It is too late to undo this judgment."
