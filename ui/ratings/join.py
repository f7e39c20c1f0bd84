"""How a person gets into the rating work: with an invitation, by joining an open tenant, by founding one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import DatabaseError
from db.ratings import tenants
from db.ratings.tenants import Joining
from livetables.fragments import live_fragment
from ui.base import drafts, feedback, layout, session
from ui.base.folding import as_option, sort_key
from ui.base.write_queue import WRITES
from ui.ratings.tables import Membership
from ui.writes.saving import Saving
from ui.writes.submit import fetch, submit_row

NO_LONGER: Final = "You are no longer a rater"
TENANT_MEANS: Final = "A tenant is a group with its own campaigns, raters and files, which only members see."
_OPEN: Final = "rating_open_tenants"
_TRIED: Final = "rating_way_tried"
_NOT_IN_AN_ID: Final = re.compile(r"[^a-z0-9_-]+")


def show_not_a_member(member: Membership) -> None:
    """Say why a person sees no tasks, and offer the three ways in to who belongs to no tenant."""
    if member is Membership.LOADING:
        st.caption("Loading your tasks…")
    elif member is Membership.SUSPENDED:
        layout.empty("🚪", NO_LONGER, "A manager of your tenant can reinstate you.")
    else:
        _offer_ways()


def _offer_ways() -> None:
    layout.empty(
        "⚖️", "You are not a rater yet", f"Join a tenant, or found one to have answers rated. {TENANT_MEANS}"
    )
    _ways()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_join")
def _ways() -> None:
    joining = Saving(f"rating_join_{session.my_id()}")
    if joining.saved:
        # The engine loads the rating tables once the role has arrived; then the page changes.
        st.session_state.pop(_OPEN, None)
        st.query_params.pop("code", None)
        drafts.forget(drafts.NEW_TENANT)
        st.success("Welcome. Your tasks are being loaded.", icon=":material/check:")
        return
    _invited(joining)
    _open_tenants(joining)
    _new_tenant(joining)
    joining.mark()


def _invited(joining: Saving) -> None:
    linked = str(st.query_params.get("code", ""))
    with st.container(border=True):
        st.markdown("**I have an invitation**")
        with st.form("rating_invited", border=False):
            code = st.text_input("Invitation code", value=linked, max_chars=100).strip()
            submitted = st.form_submit_button("Join", type="primary", disabled=joining.busy)
        if submitted and code:
            _submit(joining, "invited", lambda me: tenants.join(me, Joining(invite_code=code)))
        elif submitted:
            st.error("Enter the invitation code.")
        else:
            _show_refusal(joining, "invited")


def _open_tenants(joining: Saving) -> None:
    found = _read_open_tenants()
    if not found:
        return
    names = {
        str(one["id"]): str(one["name"]) for one in sorted(found, key=lambda one: sort_key(str(one["name"])))
    }
    with st.container(border=True):
        st.markdown("**I want to rate: some tenants are open to everybody**")
        with st.form("rating_open", border=False):
            tenant = st.selectbox("Tenant", list(names), format_func=lambda key: as_option(names[key]))
            submitted = st.form_submit_button("Join as a rater", disabled=joining.busy)
        if submitted:
            _submit(joining, "open", lambda me: tenants.join(me, Joining(tenant_id=tenant)))
        else:
            _show_refusal(joining, "open")


def _read_open_tenants() -> list[Record]:
    if _OPEN not in st.session_state:
        found = fetch(tenants.list_open)
        if isinstance(found, DatabaseError):
            feedback.show_error(found)
            return []
        st.session_state[_OPEN] = found
    return cast("list[Record]", st.session_state[_OPEN])


def _new_tenant(joining: Saving) -> None:
    key = drafts.shown(drafts.NEW_TENANT, "rating_found").key
    drafts.keep(drafts.NEW_TENANT, key)
    section = st.expander("I want to have answers rated: found a tenant", icon=":material/domain_add:")
    with section:
        with st.form("rating_found", border=False):
            name = st.text_input(
                "Name", max_chars=100, placeholder="Acme Corporation", key=f"{key}_name"
            ).strip()
            given_id = st.text_input(
                "Id", max_chars=63, placeholder="acme_corp", key=f"{key}_id",
                help="Lower-case letters and digits. Leave it empty to make one of the name.",
            ).strip()  # fmt: skip
            open_signup = st.checkbox("Anybody may join as a rater")
            submitted = st.form_submit_button("Found it", disabled=joining.busy)
        if submitted and name:
            tenant_id = given_id or _NOT_IN_AN_ID.sub("_", name.lower()).strip("_-")
            _submit(joining, "found", lambda me: tenants.create(me, tenant_id, name, open_signup=open_signup))
        elif submitted:
            st.error("Enter a name for the tenant.")
        else:
            _show_refusal(joining, "found")


def _show_refusal(joining: Saving, way: str) -> None:
    """Show a refusal in the section that was used.

    Above the sections it would be out of sight, and it would move the expander, which closes it.
    """
    if st.session_state.get(_TRIED) == way:
        joining.show()


def _submit(joining: Saving, way: str, do: Callable[[SignedIn], Record]) -> None:
    if not joining.busy:
        st.session_state[_TRIED] = way
        joining.begin(submit_row("rater_profiles", do, notify=False))
    st.rerun(scope="fragment")
