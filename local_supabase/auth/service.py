"""The routes of the service, and the assembly of its parts from the stack's settings."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from starlette.routing import BaseRoute, Route

from local_supabase.auth import (
    admin,
    admin_factors,
    grants,
    info,
    links,
    mails,
    mfa,
    refused,
    signup,
    user,
    verify,
)
from local_supabase.auth.api import AuthApi, Buckets, Handler, endpoint
from local_supabase.auth.mailbox import Mailbox
from local_supabase.auth.passwords import PasswordHasher
from local_supabase.auth.settings import LIMITS, AuthSettings, RateLimits
from local_supabase.context import Context

AUTOCONFIRM_VARIABLE = "LOCAL_SUPABASE_AUTH_AUTOCONFIRM"
RATE_LIMIT_VARIABLE = "LOCAL_SUPABASE_AUTH_RATE_LIMIT"

ENDPOINTS: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/health", info.health),
    ("GET", "/settings", info.settings),
    ("GET", "/.well-known/jwks.json", info.jwks),
    ("GET", "/.well-known/openid-configuration", info.openid_configuration),
    ("GET", "/.well-known/oauth-authorization-server", info.openid_configuration),
    ("POST", "/signup", signup.signup),
    ("POST", "/token", grants.token),
    ("GET", "/user", user.get_user),
    ("PUT", "/user", user.update_user),
    ("POST", "/logout", user.logout),
    ("GET", "/reauthenticate", user.reauthenticate),
    ("GET", "/user/identities/authorize", refused.link_identity),
    ("DELETE", "/user/identities/{identity_id}", user.delete_identity),
    ("GET", "/verify", verify.verify_get),
    ("POST", "/verify", verify.verify_post),
    ("POST", "/otp", mails.otp),
    ("POST", "/magiclink", mails.magic_link),
    ("POST", "/recover", mails.recover),
    ("POST", "/resend", mails.resend),
    ("POST", "/invite", admin.invite),
    ("GET", "/admin/users", admin.list_users),
    ("POST", "/admin/users", admin.create_user),
    ("GET", "/admin/users/{user_id}", admin.get_user),
    ("PUT", "/admin/users/{user_id}", admin.update_user),
    ("DELETE", "/admin/users/{user_id}", admin.delete_user),
    ("GET", "/admin/users/{user_id}/factors", admin_factors.list_factors),
    ("PUT", "/admin/users/{user_id}/factors/{factor_id}", admin_factors.update_factor),
    ("DELETE", "/admin/users/{user_id}/factors/{factor_id}", admin_factors.delete_factor),
    ("POST", "/admin/generate_link", links.generate_link),
    ("GET", "/admin/audit", refused.audit),
    ("GET", "/admin/sso/providers", refused.admin_sso),
    ("POST", "/admin/sso/providers", refused.admin_sso),
    ("GET", "/authorize", refused.authorize),
    ("POST", "/sso", refused.single_sign_on),
    ("GET", "/sso/saml/metadata", refused.single_sign_on),
    ("GET", "/oauth/authorize", refused.oauth),
    ("POST", "/oauth/token", refused.oauth),
    ("GET", "/oauth/userinfo", refused.oauth),
    ("POST", "/factors", mfa.enroll),
    ("DELETE", "/factors/{factor_id}", mfa.unenroll),
    ("POST", "/factors/{factor_id}/challenge", mfa.challenge),
    ("POST", "/factors/{factor_id}/verify", mfa.verify),
)


def routes(context: Context) -> list[BaseRoute]:
    """Return the routes, relative to ``/auth/v1``."""
    api = make_api(context)
    for name, limit in api.settings.rate_limits.wider_than_default().items():
        context.log.warning("Auth: the rate limit %s = %d is wider than the default", name, limit)
    context.forgetting.append(api.buckets.clear)
    return build_routes(api)


def make_api(context: Context) -> AuthApi:
    """Return the parts of the service."""
    settings = load_settings(context.settings.project, os.environ)
    return AuthApi(
        context=context,
        settings=settings,
        hasher=PasswordHasher(),
        mailbox=Mailbox(context.settings.data_dir.mailbox),
        buckets=Buckets.of(settings),
    )


def build_routes(api: AuthApi) -> list[BaseRoute]:
    """Return the routes of an assembled service."""
    routes = [Route(path, endpoint(api, handler), methods=[method]) for method, path, handler in ENDPOINTS]
    for route in routes:
        # Starlette would answer HEAD like GET. A mail program that only checks a link would then use it up.
        (route.methods or set()).discard("HEAD")
    return list(routes)


def load_settings(project: Path, environ: Mapping[str, str]) -> AuthSettings:
    """Read the project's ``config.toml``, if there is one; the environment overrides the confirmations.

    The environment also overrides the rate limits.

    Raises:
        ValueError: a variable, the file or a setting in it is invalid; the message names it.
    """
    try:
        config = tomllib.loads((project / "config.toml").read_text())
    except FileNotFoundError:
        # A folder of migrations without a config.toml cannot enable anything, so enable what needs no other
        # service.
        config = {"auth": {"enable_anonymous_sign_ins": True}}
    table = config.get("auth", {})
    if not isinstance(table, dict):
        raise ValueError("auth in config.toml must be a table")
    settings = AuthSettings.from_config(table)
    wanted = environ.get(AUTOCONFIRM_VARIABLE, "").lower()
    if wanted in ("true", "false"):
        settings = replace(settings, autoconfirm=wanted == "true")
    return replace(settings, rate_limits=_limits_of(settings.rate_limits, environ))


def _limits_of(limits: RateLimits, environ: Mapping[str, str]) -> RateLimits:
    """Return the limits with those that the environment names, such as ``..._RATE_LIMIT_TOKEN_REFRESH``."""
    given: dict[str, int] = {}
    for name in LIMITS:
        variable = f"{RATE_LIMIT_VARIABLE}_{name.upper()}"
        text = environ.get(variable, "")
        if text and not (text.isascii() and text.isdigit()):
            raise ValueError(f"{variable} must be a whole number, not negative")
        if text:
            given[name] = int(text[:9])
    return replace(limits, **given)
