"""The routes of the service, and its parts put together from the stack's settings."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from starlette.routing import BaseRoute, Route

from local_supabase.auth import admin, grants, info, links, mails, refused, signup, user, verify
from local_supabase.auth.api import AuthApi, Buckets, Handler, endpoint
from local_supabase.auth.mailbox import Mailbox
from local_supabase.auth.passwords import PasswordHasher
from local_supabase.auth.settings import AuthSettings
from local_supabase.context import Context

AUTOCONFIRM_VARIABLE = "LOCAL_SUPABASE_AUTH_AUTOCONFIRM"

ENDPOINTS: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/health", info.health),
    ("GET", "/settings", info.settings),
    ("GET", "/.well-known/jwks.json", info.jwks),
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
    ("GET", "/admin/users/{user_id}/factors", admin.list_factors),
    ("POST", "/admin/generate_link", links.generate_link),
    ("GET", "/admin/audit", admin.audit),
    ("GET", "/admin/sso/providers", refused.admin_sso),
    ("POST", "/admin/sso/providers", refused.admin_sso),
    ("GET", "/authorize", refused.authorize),
    ("POST", "/sso", refused.single_sign_on),
    ("GET", "/sso/saml/metadata", refused.single_sign_on),
    ("POST", "/factors", refused.enroll_factor),
    ("DELETE", "/factors/{factor_id}", refused.use_factor),
    ("POST", "/factors/{factor_id}/challenge", refused.use_factor),
    ("POST", "/factors/{factor_id}/verify", refused.use_factor),
)


def routes(context: Context) -> list[BaseRoute]:
    """Give the routes, relative to ``/auth/v1``."""
    settings = load_settings(context.settings.project, os.environ)
    api = AuthApi(
        context=context,
        settings=settings,
        hasher=PasswordHasher(),
        mailbox=Mailbox(context.settings.data_dir.mailbox),
        buckets=Buckets.of(settings),
    )
    return build_routes(api)


def build_routes(api: AuthApi) -> list[BaseRoute]:
    """Give the routes of a service that was put together."""
    routes = [Route(path, endpoint(api, handler), methods=[method]) for method, path, handler in ENDPOINTS]
    for route in routes:
        # Starlette would answer HEAD like GET, and whoever only looks at the link in a mail would use it up.
        (route.methods or set()).discard("HEAD")
    return list(routes)


def load_settings(project: Path, environ: Mapping[str, str]) -> AuthSettings:
    """Read the project's ``config.toml``, if there is one; on confirmations the environment comes first.

    Raises:
        ValueError: the file or a setting in it makes no sense; the message names it.
    """
    try:
        config = tomllib.loads((project / "config.toml").read_text())
    except FileNotFoundError:
        # A bare folder of migrations cannot ask for what it needs: all that needs no outside service is on.
        config = {"auth": {"enable_anonymous_sign_ins": True}}
    table = config.get("auth", {})
    if not isinstance(table, dict):
        raise ValueError("auth in config.toml must be a table")
    settings = AuthSettings.from_config(table)
    wanted = environ.get(AUTOCONFIRM_VARIABLE, "").lower()
    if wanted in ("true", "false"):
        settings = replace(settings, autoconfirm=wanted == "true")
    return settings
