from datetime import timedelta
from pathlib import Path

import pytest

from local_supabase.auth.service import RATE_LIMIT_VARIABLE, load_settings
from local_supabase.auth.settings import AuthSettings, RateLimits


def test_a_project_without_a_file_has_the_defaults_and_anonymous_sign_ins(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == AuthSettings(anonymous=True)


def test_an_empty_file_has_the_clis_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    assert load_settings(tmp_path, {}) == AuthSettings()


def test_the_supabase_clis_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        """
        [auth]
        site_url = "https://tavern.example"
        additional_redirect_urls = ["app://*"]
        jwt_expiry = 60
        enable_signup = false
        enable_anonymous_sign_ins = true
        minimum_password_length = 10
        password_requirements = "letters_digits"
        refresh_token_reuse_interval = 3
        [auth.email]
        enable_confirmations = true
        double_confirm_changes = false
        max_frequency = "1m"
        otp_length = 8
        [auth.email.smtp]
        enabled = true
        [auth.sessions]
        timebox = "24h"
        [auth.mfa]
        max_enrolled_factors = 3
        [auth.mfa.totp]
        enroll_enabled = false
        [auth.rate_limit]
        email_sent = 2
        wrong_passwords = 3
        """
    )
    settings = load_settings(tmp_path, {})
    assert settings.site_url == "https://tavern.example"
    assert settings.redirect_urls == ("app://*",)
    assert (settings.jwt_expiry, settings.signup, settings.anonymous) == (60, False, True)
    assert settings.minimum_password_length == 10
    assert len(settings.required_characters) == 2
    assert settings.reuse_interval == timedelta(seconds=3)
    assert not settings.autoconfirm
    assert not settings.double_confirm_changes
    assert settings.email_interval == timedelta(minutes=1)
    assert settings.otp_length == 8
    assert settings.session_timebox == timedelta(days=1)
    assert (settings.max_enrolled_factors, settings.totp_enroll, settings.totp_verify) == (3, False, True)
    assert settings.rate_limits == RateLimits(email_sent=2, wrong_passwords=3)


def test_mail_to_the_local_mailbox_is_not_limited(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[auth.rate_limit]\nemail_sent = 2\n")
    assert load_settings(tmp_path, {}).rate_limits == RateLimits()


def test_the_limits_are_gotrues_unless_something_says_otherwise(tmp_path: Path) -> None:
    limits = load_settings(tmp_path, {}).rate_limits
    assert (limits.sign_in_sign_ups, limits.token_verifications) == (30, 30)
    assert (limits.token_refresh, limits.anonymous_users) == (150, 30)
    assert limits.wider_than_default() == {}


def test_the_environment_widens_limits_and_that_is_told(tmp_path: Path) -> None:
    environ = {f"{RATE_LIMIT_VARIABLE}_WRONG_CODES": "7000", f"{RATE_LIMIT_VARIABLE}_TOKEN_REFRESH": "1"}
    limits = load_settings(tmp_path, environ).rate_limits
    assert (limits.wrong_codes, limits.token_refresh) == (7000, 1)
    assert limits.wider_than_default() == {"wrong_codes": 7000}
    with pytest.raises(ValueError, match="RATE_LIMIT_WRONG_CODES"):
        load_settings(tmp_path, {f"{RATE_LIMIT_VARIABLE}_WRONG_CODES": "off"})


def test_the_environment_overrides_confirmations(tmp_path: Path) -> None:
    assert not load_settings(tmp_path, {"LOCAL_SUPABASE_AUTH_AUTOCONFIRM": "false"}).autoconfirm


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jwt_expiry = -1", "auth.jwt_expiry"),
        ("jwt_expiry = true", "auth.jwt_expiry"),
        ('enable_signup = "yes"', "auth.enable_signup"),
        ("email = 1", "auth.email"),
        ("additional_redirect_urls = [1]", "auth.additional_redirect_urls"),
        ('password_requirements = "long"', "auth.password_requirements"),
        ('email.max_frequency = "often"', "auth.email.max_frequency"),
    ],
)
def test_an_invalid_setting_is_named(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "config.toml").write_text(f"[auth]\n{text}\n")
    with pytest.raises(ValueError, match=name):
        load_settings(tmp_path, {})
