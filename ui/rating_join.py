"""The way into the rating work: join a tenant that is open, use an invitation, or found one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, cast

import streamlit as st

from db import rating_tenants as calls
from db.auth import SignedIn
from db.errors import DatabaseError
from db.models import Record
from db.rating_tenants import Joining
from live.fragments import live_fragment
from ui import layout, session, writing
from ui.conflicts import Saving
from ui.pending import WRITES

_OPEN: Final = "rating_open_tenants"
_NOT_AN_ID = re.compile(r"[^a-z0-9_-]+")


def show() -> None:
    """Offer the three ways."""
    layout.empty("⚖️", "You are not a rater yet", "Join a tenant, or have answers rated yourself.")
    _ways()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="rating_join")
def _ways() -> None:
    joining = Saving(f"rating_join_{session.my_id()}")
    if joining.saved:
        # The rating tables are loaded once the role has arrived; then the page changes.
        st.session_state.pop(_OPEN, None)
        st.query_params.pop("code", None)
        st.success("Welcome. The tasks are on their way.", icon=":material/check:")
        return
    joining.show()
    code = str(st.query_params.get("code", ""))
    with st.container(border=True):
        st.markdown("**I have an invitation**")
        with st.form("rating_invited", border=False):
            given = st.text_input("Invitation code", value=code, max_chars=100)
            if st.form_submit_button("Join", type="primary", disabled=joining.busy):
                _join(joining, Joining(invite_code=given.strip()) if given.strip() else None)
    tenants = _open_tenants()
    if tenants:
        with st.container(border=True):
            st.markdown("**I want to rate: some tenants are open to everybody**")
            names = {str(one["id"]): str(one["name"]) for one in tenants}
            with st.form("rating_open", border=False):
                tenant = st.selectbox("Tenant", list(names), format_func=lambda key: names[key])
                if st.form_submit_button("Join as a rater", disabled=joining.busy):
                    _join(joining, Joining(tenant_id=tenant) if tenant else None)
    found = st.expander("I want to have answers rated: found a tenant", icon=":material/domain_add:")
    with found, st.form("rating_found", border=False):
        name = st.text_input("Name", max_chars=100, placeholder="Acme Corporation")
        tenant_id = st.text_input(
            "Id", max_chars=63, placeholder="acme_corp", help="Small letters and digits"
        )
        is_open = st.checkbox("Anybody may join as a rater")
        if st.form_submit_button("Found it", disabled=joining.busy):
            _found(joining, name.strip(), tenant_id.strip(), is_open=is_open)
    joining.mark()


def _open_tenants() -> list[Record]:
    if _OPEN not in st.session_state:
        found = writing.fetch(calls.open_ones)
        if isinstance(found, DatabaseError):
            writing.complain(found)
            return []
        st.session_state[_OPEN] = found
    return cast("list[Record]", st.session_state[_OPEN])


def _join(saving: Saving, way: Joining | None) -> None:
    if way is None:
        st.error("Enter the code that you were given.")
        return
    _become(saving, lambda me: calls.join(me, way))


def _found(saving: Saving, name: str, tenant_id: str, *, is_open: bool) -> None:
    if not name:
        st.error("A tenant has a name.")
        return
    key = tenant_id or _NOT_AN_ID.sub("_", name.lower()).strip("_-")
    _become(saving, lambda me: calls.found(me, key, name, open_signup=is_open))


def _become(saving: Saving, do: Callable[[SignedIn], Record]) -> None:
    if not saving.busy:
        saving.begin(writing.ask(writing.putting("rater_profiles", do), told=False))
    st.rerun(scope="fragment")
