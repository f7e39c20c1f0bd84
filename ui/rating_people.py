"""The people of a tenant, for managers: who rates, who may come, who is let go."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db import rating_tenants as calls
from db.auth import SignedIn
from db.models import Record
from db.rating_models import RaterProfile, RatingRole, Tenant, TenantInvite
from live.fragments import live_fragment
from ui import rating_session, session, times, writing
from ui.conflicts import Saving
from ui.pending import WRITES, Expected, saving_html
from ui.text import as_label, plural

_FORM: Final = "rating_invite_form"
_SAVING: Final = Saving(_FORM)


def show(me: RaterProfile) -> None:
    """Show who is here, the invitations, and whether the door is open."""
    _invite(me.tenant_id)
    _invitations()
    _members()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_invite")
def _invite(tenant_id: str) -> None:
    if _SAVING.finished():
        st.session_state[_FORM] = int(st.session_state.get(_FORM, 0)) + 1
    number = int(st.session_state.get(_FORM, 0))
    with (
        st.expander("Invite somebody", icon=":material/person_add:"),
        st.form(f"{_FORM}_{number}", border=False),
    ):
        role = st.selectbox("As a", [RatingRole.RATER, RatingRole.MANAGER], format_func=lambda one: one.value)
        uses = st.number_input("Good for so many people", 1, 10_000, 1)
        brand = st.text_input(
            "Only for this brand", max_chars=64, help="Raters only. Empty: the whole tenant."
        )
        made = _SAVING.submit("Make an invitation")
    if not made:
        _SAVING.show()
        return
    key = str(st.session_state.setdefault(f"{_FORM}_id_{number}", str(uuid.uuid4())))
    limit = brand.strip() or None
    invite = writing.putting(
        "tenant_invites", lambda me: calls.invite(me, key, tenant_id, role, uses=int(uses), brand_id=limit)
    )
    # What it is about, its code, is made by the database: there is nothing to show before.
    _SAVING.begin(writing.ask(invite, told=False))
    st.rerun(scope="fragment")


@live_fragment(
    tables=("tenant_invites", "tenants", WRITES),
    varies_by=("user", "role", "time_zone"),
    key="rating_invitations",
)
def _invitations() -> None:
    tenant = rating_session.my_tenant()
    if tenant is not None:
        # Anew with each change, whoever made it, and when it is taken back.
        key = f"rating_open_{tenant.version}_{tenant.open_signup}"
        pending = tenant.id in session.pending("tenants")
        st.toggle(
            "Anybody may join as a rater, without an invitation", tenant.open_signup, key=key,
            on_change=_open_or_close, args=(tenant, not tenant.open_signup), disabled=pending,
        )  # fmt: skip
        if pending:
            st.html(saving_html(True))
    now = datetime.now(UTC)
    usable = [invite for invite in rating_session.invites().values() if invite.usable(now)]
    for invite in sorted(usable, key=lambda one: one.created_at, reverse=True)[:20]:
        _invitation(invite)


def _open_or_close(tenant: Tenant, open_signup: bool) -> None:
    values = {"open_signup": open_signup}
    change = writing.putting("tenants", lambda me: calls.change(me, tenant.id, values, tenant.version))
    writing.ask(change, Expected("tenants", (tenant.id,), replace(tenant, open_signup=open_signup)))


def _invitation(invite: TenantInvite) -> None:
    with st.container(border=True, key=f"invite_{invite.id}", horizontal=True, vertical_alignment="center"):
        st.code(invite.code, language=None)
        day = times.short_day(invite.expires_at, session.zone(), times.today_in(session.zone()))
        brand = f", brand {as_label(invite.brand_id)}" if invite.brand_id else ""
        st.caption(f"{invite.role.value}{brand}, {plural(invite.uses_left, 'use')} left, until {day}")
        st.button(
            "Take back", key=f"take_back_{invite.id}", type="tertiary", on_click=_take_back, args=(invite.id,)
        )


def _take_back(invite_id: str) -> None:
    key = (invite_id,)
    withdraw = writing.removing("tenant_invites", key, lambda me: calls.withdraw_invite(me, invite_id))
    writing.ask(withdraw, Expected("tenant_invites", key, None))


@live_fragment(tables=("rater_profiles", WRITES), varies_by=("user", "role"), key="rating_members")
def _members() -> None:
    me = session.my_id()
    people = sorted(rating_session.profiles().values(), key=lambda one: (not one.active, one.name.lower()))
    for person in people[:100]:
        with st.container(
            border=True, key=f"member_{person.user_id}", horizontal=True, vertical_alignment="center"
        ):
            state = "" if person.active else " · let go"
            st.markdown(
                f"**{as_label(person.name)}** · {as_label(person.rater_id)} · {person.role.value}{state}"
            )
            if person.user_id in session.pending("rater_profiles"):
                st.html(saving_html(True))
            elif person.user_id != me:
                _for_member(person)


def _for_member(person: RaterProfile) -> None:
    key = person.user_id
    if not person.active:
        st.button("Take back", key=f"reinstate_{key}", on_click=_reinstate, args=(person,), type="tertiary")
        return
    other = RatingRole.RATER if person.role is RatingRole.MANAGER else RatingRole.MANAGER
    if person.brand_id is None:
        st.button(
            f"Make {other.value}",
            key=f"{other.value}_{key}",
            on_click=_set_role,
            args=(person, other),
            type="tertiary",
        )
    with st.popover("Let go", type="tertiary"):
        st.markdown("They see and rate nothing any more. Their judgments stay, and you can take them back.")
        st.button("Yes, let them go", key=f"suspend_{key}", on_click=_suspend, args=(person,), type="primary")


def _set_role(person: RaterProfile, role: RatingRole) -> None:
    _change(replace(person, role=role), lambda me: calls.set_role(me, person.user_id, role, person.version))


def _suspend(person: RaterProfile) -> None:
    _change(replace(person, active=False), lambda me: calls.suspend(me, person.user_id, person.version))


def _reinstate(person: RaterProfile) -> None:
    _change(replace(person, active=True), lambda me: calls.reinstate(me, person.user_id, person.version))


def _change(foretold: RaterProfile, do: Callable[[SignedIn], Record]) -> None:
    expected = Expected("rater_profiles", (foretold.user_id,), foretold)
    writing.ask(writing.putting("rater_profiles", do), expected)
