"""A tenant's files: listed, uploaded, downloaded, linked to, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import pandas as pd
import streamlit as st

from db.errors import DatabaseError
from db.ratings import artifacts
from db.ratings.artifacts import MEGABYTE, Artifact, Bucket
from livetables.fragments import live_fragment
from ui.base import feedback, html, layout, session
from ui.base.feedback import saving_html
from ui.base.folding import as_option, sort_key
from ui.base.kept_reads import kept_reads
from ui.base.text import as_label, one_line
from ui.base.write_queue import WRITES, State, Write
from ui.ratings.artifact_upload import settle_upload, show_upload
from ui.writes.submit import fetch, submit

_LISTED: Final = "artifacts_listed"
_SIGNED: Final = "artifacts_signed"
_DELETED: Final = "artifacts_deleted"
_LINK_SECONDS: Final = {"an hour": 3600, "a day": 86_400, "a week": 604_800}


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that were last read, of which bucket and tenant, and by whom."""

    user_id: str | None
    bucket: Bucket
    tenant: str
    files: tuple[Artifact, ...]


def show(tenant: str, *, manager: bool) -> None:
    """Show the files of a tenant to one of its members."""
    _files(tenant, manager)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="artifacts")
def _files(tenant: str, manager: bool) -> None:
    _settle()
    bucket = _choose_bucket()
    st.caption(_about(bucket))
    if manager or bucket is not Bucket.EXPORTS:
        show_upload(bucket, tenant)
    listing = _listing(bucket, tenant)
    if isinstance(listing, DatabaseError):
        feedback.show_error(listing)
        st.button("Try again", key="artifacts_again", on_click=_forget)
        return
    _table(listing)


def _choose_bucket() -> Bucket:
    chosen = st.segmented_control(
        "Bucket", [bucket.value for bucket in Bucket], default=Bucket.MODEL_ARTIFACTS.value,
        required=True, format_func=lambda value: Bucket(value).rules.title, key="bucket",
        label_visibility="collapsed",
    )  # fmt: skip
    return Bucket(chosen or Bucket.MODEL_ARTIFACTS)


def _about(bucket: Bucket) -> str:
    rules = bucket.rules
    readers = (
        "Anybody who knows a file's address can read it."
        if rules.public
        else "For members of your tenant only."
    )
    return f"{readers} Up to {rules.limit // MEGABYTE} MB a file: {', '.join(sorted(rules.types))}."


# ---------------------------------------------------------------- all files


def _settle() -> None:
    """Forget the listing when an upload or a deletion has ended well, so that it is read again."""
    deletions = _deletions()
    ended = [deletions.pop(path) for path in [path for path, write in deletions.items() if write.done]]
    uploaded = settle_upload()
    if uploaded or any(write.state is State.DONE for write in ended):
        _forget()


def _listing(bucket: Bucket, tenant: str) -> Listing | DatabaseError:
    me, known = session.my_id(), cast("Listing | None", kept_reads().get(_LISTED))
    if known is not None and (known.user_id, known.bucket, known.tenant) == (me, bucket, tenant):
        return known
    found = fetch(lambda me: artifacts.files_of(me, bucket, tenant))
    if isinstance(found, DatabaseError):
        return found
    listing = kept_reads()[_LISTED] = Listing(me, bucket, tenant, by_name(found))
    return listing


def by_name(files: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Sort files by name, as people look for them."""
    return tuple(sorted(files, key=lambda file: (sort_key(file.name), file.path)))


def _forget() -> None:
    kept_reads().pop(_LISTED, None)
    st.session_state.pop(_SIGNED, None)


def _table(listing: Listing) -> None:
    st.button("Refresh", icon=":material/refresh:", key="artifacts_refresh", on_click=_forget)
    deletions = _deletions()
    for file in listing.files:
        if file.path in deletions:
            html.show(saving_html(True, f"Deleting {one_line(file.name)}…"))
    shown = [file for file in listing.files if file.path not in deletions]
    if not shown:
        layout.empty("🗂️", "No files here yet", "Uploaded and published files appear here.")
        return
    st.dataframe(
        _frame(shown), hide_index=True,
        column_config={
            "Size": st.column_config.NumberColumn(format="bytes"),
            "Changed": st.column_config.DatetimeColumn(format="distance"),
        },
    )  # fmt: skip
    files = {file.path: file for file in shown}
    chosen = st.selectbox(
        "File", list(files), index=None, key=f"artifact_chosen_{listing.bucket}",
        format_func=lambda path: as_option(one_line(files[path].name)) if path in files else "",
        placeholder="Choose one to download, share or delete it",
    )  # fmt: skip
    if chosen in files:
        _one(files[chosen])


def _frame(files: Sequence[Artifact]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": [one_line(file.name) for file in files],
            "Size": [file.size for file in files],
            "Type": [file.mime_type for file in files],
            "Changed": [file.updated_at for file in files],
        }
    )


# ---------------------------------------------------------------- one file


def _one(file: Artifact) -> None:
    me = session.signed_in()
    if me is None:
        return
    st.markdown(f"**{as_label(file.name)}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Streamlit reads the file on demand and outside the session, so the function holds all that it needs.
        st.download_button(
            "Download", lambda: artifacts.download(me, file), file.file_name, file.mime_type or None,
            icon=":material/download:", on_click="ignore", key="artifact_download",
        )  # fmt: skip
        label = cast(
            "Literal['an hour', 'a day', 'a week']",
            st.selectbox("Link for", list(_LINK_SECONDS), key="artifact_link_for", width=140),
        )
        if st.button("Make a link", icon=":material/link:", key="artifact_link"):
            _sign(file, _LINK_SECONDS[label])
        if st.button("Delete", icon=":material/delete:", key="artifact_delete"):
            _delete(file)
    _links(file)


def _sign(file: Artifact, seconds: int) -> None:
    write = submit(lambda me: artifacts.signed_url(me, file, seconds), notify=False)
    st.session_state[_SIGNED] = (file.bucket, file.path, write)


def _links(file: Artifact) -> None:
    signed = cast("tuple[Bucket, str, Write] | None", st.session_state.get(_SIGNED))
    if signed is not None and signed[:2] == (file.bucket, file.path):
        _signed_link(signed[2])
    public = fetch(lambda me: artifacts.public_url(me, file))
    if isinstance(public, str):
        st.caption("Public, without an end:")
        st.code(public, language=None, wrap_lines=True)


def _signed_link(write: Write) -> None:
    if not write.done:
        html.show(saving_html(True, "Making a link…"))
    elif write.error is not None:
        feedback.show_error(write.error)
    else:
        st.caption("Anybody who has this link can download the file until the link expires.")
        st.code(str(write.result), language=None, wrap_lines=True)


@st.dialog("Delete this file?")
def _delete(file: Artifact) -> None:
    st.markdown(f"**{as_label(file.name)}** and its links stop working for everybody. You cannot undo this.")
    if st.button("Yes, delete it", type="primary"):
        _deletions()[file.path] = submit(
            lambda me: artifacts.remove(me, file), success_message=f"{file.file_name} is deleted."
        )
        st.rerun()


def _deletions() -> dict[str, Write]:
    return cast("dict[str, Write]", st.session_state.setdefault(_DELETED, {}))
