"""The settings of Auth, with the names and defaults that the Supabase CLI has for ``config.toml``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Self

from local_supabase.auth.validation import parse_duration

_MAILS_AN_HOUR = 30
_PASSWORD_LENGTH = 8
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_DIGITS = "0123456789"
_SYMBOLS = "!@#$%^&*()_+-=[]{};'\\:\"|<>?,./`~"
_REQUIREMENTS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "letters_digits": (_LOWER + _UPPER, _DIGITS),
    "lower_upper_letters_digits": (_LOWER, _UPPER, _DIGITS),
    "lower_upper_letters_digits_symbols": (_LOWER, _UPPER, _DIGITS, _SYMBOLS),
}


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much Auth allows; 0 allows nothing. The defaults are GoTrue's where it has one.

    Arguments:
        email_sent: emails in an hour; None is no limit.
        anonymous_users: new anonymous users of an address in an hour.
        token_refresh: refreshed sessions of an address in five minutes.
        sign_in_sign_ups: sign-ins, sign-ups and requests for mails of an address in five minutes.
        token_verifications: codes and links that an address tries in five minutes.
        wrong_passwords: wrong passwords for an account in five minutes, from all addresses together, because
            all people of an application that runs on a server come from one address.
        wrong_codes: wrong codes for an account in an hour, likewise.
        wrong_tries: wrong codes after which a mail's code is used up.
        factor_codes: codes of second factors that an account begins to enter, and enters, in two minutes.
    """

    email_sent: int | None = None
    anonymous_users: int = 30
    token_refresh: int = 150
    sign_in_sign_ups: int = 30
    token_verifications: int = 30
    wrong_passwords: int = 10
    wrong_codes: int = 10
    wrong_tries: int = 5
    factor_codes: int = 30

    def wider_than_default(self) -> dict[str, int]:
        """Return the limits that allow more than the defaults."""
        default = RateLimits()
        return {name: getattr(self, name) for name in LIMITS if getattr(self, name) > getattr(default, name)}


LIMITS = tuple(each.name for each in fields(RateLimits) if each.name != "email_sent")


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """The settings of Auth. Times that are numbers are in seconds."""

    site_url: str = "http://127.0.0.1:3000"
    redirect_urls: tuple[str, ...] = ()
    jwt_expiry: int = 3600
    signup: bool = True
    email_signup: bool = True
    anonymous: bool = False
    manual_linking: bool = False
    autoconfirm: bool = True
    double_confirm_changes: bool = True
    secure_password_change: bool = False
    email_interval: timedelta = timedelta(seconds=1)
    otp_length: int = 6
    otp_expiry: int = 3600
    minimum_password_length: int = _PASSWORD_LENGTH
    required_characters: tuple[str, ...] = ()
    rotation: bool = True
    reuse_interval: timedelta = timedelta(seconds=10)
    session_timebox: timedelta = timedelta(0)
    session_inactivity: timedelta = timedelta(0)
    totp_enroll: bool = True
    totp_verify: bool = True
    max_enrolled_factors: int = 10
    challenge_expiry: int = 300
    rate_limits: RateLimits = RateLimits()

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Self:
        """Read the ``[auth]`` table of a ``config.toml``. Raises `ValueError` for an invalid setting."""
        auth = _Table(config, "auth")
        email = auth.table("email")
        sessions = auth.table("sessions")
        limits = auth.table("rate_limit")
        factors = auth.table("mfa")
        totp = factors.table("totp")
        smtp = email.table("smtp").flag("enabled", False)
        fresh = cls()
        return cls(
            site_url=auth.text("site_url", fresh.site_url),
            redirect_urls=auth.texts("additional_redirect_urls"),
            jwt_expiry=auth.number("jwt_expiry", fresh.jwt_expiry),
            signup=auth.flag("enable_signup", fresh.signup),
            email_signup=email.flag("enable_signup", fresh.email_signup),
            anonymous=auth.flag("enable_anonymous_sign_ins", fresh.anonymous),
            manual_linking=auth.flag("enable_manual_linking", fresh.manual_linking),
            autoconfirm=not email.flag("enable_confirmations", not fresh.autoconfirm),
            double_confirm_changes=email.flag("double_confirm_changes", fresh.double_confirm_changes),
            secure_password_change=email.flag("secure_password_change", fresh.secure_password_change),
            email_interval=email.duration("max_frequency", fresh.email_interval),
            otp_length=min(max(email.number("otp_length", fresh.otp_length), 6), 10),
            otp_expiry=email.number("otp_expiry", fresh.otp_expiry),
            minimum_password_length=max(auth.number("minimum_password_length", _PASSWORD_LENGTH), 6),
            required_characters=_required(auth.text("password_requirements", "")),
            rotation=auth.flag("enable_refresh_token_rotation", fresh.rotation),
            reuse_interval=timedelta(seconds=auth.number("refresh_token_reuse_interval", 10)),
            session_timebox=sessions.duration("timebox", fresh.session_timebox),
            session_inactivity=sessions.duration("inactivity_timeout", fresh.session_inactivity),
            totp_enroll=totp.flag("enroll_enabled", fresh.totp_enroll),
            totp_verify=totp.flag("verify_enabled", fresh.totp_verify),
            max_enrolled_factors=factors.number("max_enrolled_factors", fresh.max_enrolled_factors),
            rate_limits=RateLimits(
                # As in the Supabase CLI, mail to the local mailbox is not limited.
                email_sent=limits.number("email_sent", _MAILS_AN_HOUR) if smtp else None,
                **{name: limits.number(name, getattr(fresh.rate_limits, name)) for name in LIMITS},
            ),
        )


def _required(name: str) -> tuple[str, ...]:
    try:
        return _REQUIREMENTS[name]
    except KeyError:
        raise ValueError(f"auth.password_requirements: {name!r} is none of {sorted(_REQUIREMENTS)}") from None


class _Table:
    """A table of a ``config.toml`` whose values are checked as they are read."""

    def __init__(self, values: Mapping[str, object], path: str) -> None:
        self._values = values
        self._path = path

    def _fail(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self._path}.{name} in config.toml must be {wanted}")

    def table(self, name: str) -> "_Table":
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise self._fail(name, "a table")
        return _Table(value, f"{self._path}.{name}")

    def text(self, name: str, default: str) -> str:
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise self._fail(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._fail(name, "a list of texts")
        return tuple(value)

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self._fail(name, "true or false")
        return value

    def number(self, name: str, default: int) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._fail(name, "a whole number, not negative")
        return value

    def duration(self, name: str, default: timedelta) -> timedelta:
        if name not in self._values:
            return default
        try:
            return parse_duration(self.text(name, ""))
        except ValueError:
            raise self._fail(name, 'a duration such as "24h" or "1m30s"') from None
