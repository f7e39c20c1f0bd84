"""The people of a tenant, for managers: members and their roles, invitations, open sign-up."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.ratings import tenants
from db.ratings.models import (
    RaterProfile,
    RatingRole,
    Tenant,
    TenantInvite,
)
from db.ratings.tenants import InviteDraft
from livetables.fragments import live_fragment
from ui.base import drafts, html, session, times
from ui.base.drafts import Draft
from ui.base.feedback import saving_html
from ui.base.folding import sort_key
from ui.base.text import as_label, plural
from ui.base.write_queue import WRITES, Expected
from ui.ratings import tables
from ui.writes.saving import Saving
from ui.writes.submit import submit_removal, submit_row

_FORM: Final = "rating_invite_form"
_SAVING: Final = Saving(_FORM)
_INVITES_SHOWN: Final = 20
_MEMBERS_SHOWN: Final = 100


def show(me: RaterProfile) -> None:
    """Show the form for an invitation, the invitations, and the members."""
    _invite(me.tenant_id)
    _invitations()
    _members()


# ---------------------------------------------------------------- invitations


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_invite")
def _invite(tenant_id: str) -> None:
    place = drafts.new_invitation(tenant_id)
    if _SAVING.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
        drafts.forget(place)
    number = int(st.session_state.get(_FORM, 0))
    kept = drafts.shown(place, f"{_FORM}_{number}")
    drafts.keep(place, kept.key)
    with (
        st.expander("Invite somebody", icon=":material/person_add:"),
        st.form(f"{_FORM}_{number}", border=False),
    ):
        role, uses, brand = _fields(kept)
        submitted = _SAVING.submit("Make an invitation")
    if not submitted:
        _SAVING.show()
        return
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    brand_id = brand.strip() or None
    draft = InviteDraft(tenant_id, role, uses=uses, brand_id=brand_id)
    # Nothing is shown as expected: the database makes the code, and an invitation is of no use without it.
    write = submit_row(
        "tenant_invites",
        lambda me: tenants.invite(me, key, draft),
        notify=False,
    )
    _SAVING.begin(write)
    st.rerun(scope="fragment")


def _fields(kept: Draft) -> tuple[RatingRole, int, str]:
    roles = [RatingRole.RATER, RatingRole.MANAGER]
    role = st.selectbox(
        "As a", roles, kept.index("_role", [one.value for one in roles]),
        format_func=lambda one: one.value, key=f"{kept.key}_role",
    )  # fmt: skip
    uses = st.number_input("Number of people who may use it", 1, 10_000, 1, key=f"{kept.key}_uses")
    brand = st.text_input(
        "Only for this brand", max_chars=64, key=f"{kept.key}_brand",
        help="For raters. Leave it empty for the whole tenant.",
    )  # fmt: skip
    return role, int(uses), brand


@live_fragment(
    tables=("tenant_invites", "tenants", WRITES),
    varies_by=("user", "role", "time_zone", "language"),
    key="rating_invitations",
)
def _invitations() -> None:
    tenant = tables.my_tenant()
    if tenant is not None:
        _open_signup(tenant)
    now = datetime.now(UTC)
    usable = [invite for invite in tables.invites().values() if invite.usable(now)]
    for invite in sorted(usable, key=lambda one: one.created_at, reverse=True)[:_INVITES_SHOWN]:
        _invitation(invite)


def _open_signup(tenant: Tenant) -> None:
    # A new key with each change, so that the toggle shows a change by others and a refusal.
    key = f"rating_open_{tenant.version}_{tenant.open_signup}"
    pending = tenant.id in session.pending("tenants")
    st.toggle(
        "Anybody may join as a rater, without an invitation", tenant.open_signup, key=key,
        on_change=_set_open_signup, args=(tenant, not tenant.open_signup), disabled=pending,
    )  # fmt: skip
    if pending:
        html.show(saving_html(True))


def _set_open_signup(tenant: Tenant, open_signup: bool) -> None:
    values = {"open_signup": open_signup}
    submit_row(
        "tenants",
        lambda me: tenants.change(me, tenant.id, values, tenant.version),
        Expected("tenants", (tenant.id,), replace(tenant, open_signup=open_signup)),
    )


def _invitation(invite: TenantInvite) -> None:
    with st.container(border=True, key=f"invite_{invite.id}", horizontal=True, vertical_alignment="center"):
        st.code(invite.code, language=None)
        day = times.short_day(invite.expires_at, session.region(), times.today_in(session.zone()))
        brand = f", brand {as_label(invite.brand_id)}" if invite.brand_id else ""
        st.caption(f"{invite.role.value}{brand}, {plural(invite.uses_left, 'use')} left, until {day}")
        st.button(
            "Withdraw", key=f"take_back_{invite.id}", type="tertiary", on_click=_withdraw, args=(invite.id,)
        )


def _withdraw(invite_id: str) -> None:
    submit_removal("tenant_invites", (invite_id,), lambda me: tenants.withdraw_invite(me, invite_id))


# ---------------------------------------------------------------- members


@live_fragment(tables=("rater_profiles", WRITES), varies_by=("user", "role"), key="rating_members")
def _members() -> None:
    me = session.my_id()
    members = sorted(tables.profiles().values(), key=lambda one: (not one.active, sort_key(one.name)))
    for member in members[:_MEMBERS_SHOWN]:
        with st.container(
            border=True, key=f"member_{member.user_id}", horizontal=True, vertical_alignment="center"
        ):
            status = "" if member.active else " · suspended"
            st.markdown(
                f"**{as_label(member.name)}** · {as_label(member.rater_id)} · {member.role.value}{status}"
            )
            if member.user_id in session.pending("rater_profiles"):
                html.show(saving_html(True))
            elif member.user_id != me:
                _member_buttons(member)


def _member_buttons(member: RaterProfile) -> None:
    key = member.user_id
    if not member.active:
        st.button("Reinstate", key=f"reinstate_{key}", on_click=_reinstate, args=(member,), type="tertiary")
        return
    other = RatingRole.RATER if member.role is RatingRole.MANAGER else RatingRole.MANAGER
    if member.brand_id is None:
        st.button(
            f"Make {other.value}", key=f"{other.value}_{key}", on_click=_set_role, args=(member, other),
            type="tertiary",
        )  # fmt: skip
    with st.popover("Suspend", type="tertiary"):
        st.markdown(
            "They can no longer see or rate anything. Their judgments stay, and you can reinstate them."
        )
        st.button(
            "Yes, suspend them", key=f"suspend_{key}", on_click=_suspend, args=(member,), type="primary"
        )


def _set_role(member: RaterProfile, role: RatingRole) -> None:
    _change(replace(member, role=role), lambda me: tenants.set_role(me, member.user_id, role, member.version))


def _suspend(member: RaterProfile) -> None:
    _change(replace(member, active=False), lambda me: tenants.suspend(me, member.user_id, member.version))


def _reinstate(member: RaterProfile) -> None:
    _change(replace(member, active=True), lambda me: tenants.reinstate(me, member.user_id, member.version))


def _change(expected: RaterProfile, do: Callable[[SignedIn], Record]) -> None:
    submit_row("rater_profiles", do, Expected("rater_profiles", (expected.user_id,), expected))
