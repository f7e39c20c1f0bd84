"""A tenant's files: put there, listed, taken, linked to, deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from db import artifacts
from db.artifacts import MEGABYTE, Artifact, Bucket, Place
from db.errors import DatabaseError, Duplicate
from ui import layout, session, writing
from ui.text import as_label

_LISTED: Final = "artifacts_listed"
_SIGNED: Final = "artifacts_signed"
_UPLOADS: Final = "artifacts_uploads"
_LINK_SECONDS: Final = {"an hour": 3600, "a day": 86_400, "a week": 604_800}


@dataclass(frozen=True, slots=True)
class Listing:
    """What was last read, of which bucket and tenant, by whom."""

    user_id: str | None
    bucket: Bucket
    tenant: str
    files: tuple[Artifact, ...]


def show(tenant: str, *, manager: bool) -> None:
    """Show the files of a tenant to one of its members."""
    _files(tenant, manager)


@st.fragment(key="artifacts")
def _files(tenant: str, manager: bool) -> None:
    bucket = Bucket(
        st.segmented_control(
            "Bucket", [bucket.value for bucket in Bucket], default=Bucket.MODEL_ARTIFACTS.value,
            required=True, format_func=lambda value: Bucket(value).rules.title, key="bucket",
            label_visibility="collapsed",
        )
        or Bucket.MODEL_ARTIFACTS
    )  # fmt: skip
    st.caption(_about(bucket))
    if manager or bucket is not Bucket.EXPORTS:
        _upload(bucket, tenant)
    listing = _listing(bucket, tenant)
    if isinstance(listing, DatabaseError):
        writing.complain(listing)
        st.button("Try again", key="artifacts_again", on_click=_forget)
        return
    _table(listing)


def _about(bucket: Bucket) -> str:
    rules = bucket.rules
    who = (
        "Whoever knows a file's address may read it." if rules.public else "For members of your tenant only."
    )
    return f"{who} Up to {rules.limit // MEGABYTE} MB a file: {', '.join(sorted(rules.types))}."


# ---------------------------------------------------------------- putting there


def _upload(bucket: Bucket, tenant: str) -> None:
    rules = bucket.rules
    # A new key empties the field once the file has arrived.
    number = int(st.session_state.get(_UPLOADS, 0))
    with st.expander("Upload a file", icon=":material/upload:"):
        file = st.file_uploader(
            "File", type=sorted(rules.types), key=f"artifact_{bucket}_{number}",
            max_upload_size=rules.limit // MEGABYTE,
        )  # fmt: skip
        folder = st.text_input("Folder", key=f"artifact_folder_{bucket}", placeholder="adapters/amazon")
        replace = st.checkbox(
            "Replace a file of the same name", key=f"artifact_replace_{bucket}_{number}", value=False
        )
        if st.button("Upload", type="primary", disabled=file is None, key=f"artifact_send_{bucket}") and file:
            _send(file, bucket, tenant, folder, replace=replace)


def _send(file: UploadedFile, bucket: Bucket, tenant: str, folder: str, *, replace: bool) -> None:
    try:
        place = artifacts.place_for(bucket, tenant, folder, file.name)
    except DatabaseError as error:
        writing.complain(error)
        return
    bar = st.progress(0.0, text=f"Uploading {as_label(place.file_name)}")
    done = writing.attempt(
        lambda me: artifacts.upload(me, place, file, _into(bar.progress, place, file.size), replace=replace)
    )
    if isinstance(done, DatabaseError):
        bar.empty()
        writing.complain(done)
        if isinstance(done, Duplicate):
            st.caption("Tick “Replace a file of the same name” to put this one in its place, or rename it.")
        return
    bar.progress(1.0, text="Uploaded")
    writing.say(f"{place.file_name} is there.")
    st.session_state[_UPLOADS] = int(st.session_state.get(_UPLOADS, 0)) + 1
    _forget()
    st.rerun(scope="fragment")


def _into(progress: Callable[..., object], place: Place, size: int) -> Callable[[int], None]:
    shown = -1

    def tell(sent: int) -> None:
        nonlocal shown
        percent = 100 * sent // max(size, 1)
        if percent != shown:
            shown = percent
            # All that is known is what has left this machine; the rest is Storage's answer.
            text = f"Uploading {as_label(place.file_name)}: {percent} %" if percent < 100 else "Being stored"
            progress(min(percent, 99) / 100, text=text)

    return tell


# ---------------------------------------------------------------- what is there


def _listing(bucket: Bucket, tenant: str) -> Listing | DatabaseError:
    known = cast("Listing | None", st.session_state.get(_LISTED))
    if known is not None and (
        known.user_id,
        known.bucket,
        known.tenant,
    ) == (session.my_id(), bucket, tenant):
        return known
    found = writing.attempt(lambda me: artifacts.files_of(me, bucket, tenant))
    if isinstance(found, DatabaseError):
        return found
    listing = Listing(session.my_id(), bucket, tenant, tuple(found))
    st.session_state[_LISTED] = listing
    return listing


def _forget() -> None:
    st.session_state.pop(_LISTED, None)
    st.session_state.pop(_SIGNED, None)


def _table(listing: Listing) -> None:
    st.button("Look again", icon=":material/refresh:", key="artifacts_refresh", on_click=_forget)
    if not listing.files:
        layout.empty("🗂️", "No files here yet", _about(listing.bucket))
        return
    st.dataframe(
        _frame(listing.files), hide_index=True,
        column_config={
            "Size": st.column_config.NumberColumn(format="bytes"),
            "Changed": st.column_config.DatetimeColumn(format="distance"),
        },
    )  # fmt: skip
    files = {file.path: file for file in listing.files}
    chosen = st.selectbox(
        "File", list(files), index=None, key=f"artifact_chosen_{listing.bucket}",
        format_func=lambda path: files[path].name if path in files else path,
        placeholder="Choose one to download, share or delete it",
    )  # fmt: skip
    if chosen in files:
        _one(files[chosen])


def _frame(files: Sequence[Artifact]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Name": [file.name for file in files],
            "Size": [file.size for file in files],
            "Type": [file.mime_type for file in files],
            "Changed": [file.updated_at for file in files],
        }
    )


def _one(file: Artifact) -> None:
    me = session.signed_in()
    if me is None:
        return
    st.markdown(f"**{as_label(file.name)}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Read when it is asked for, past the session: it needs what it holds now.
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
    url = writing.attempt(lambda me: artifacts.signed_url(me, file, seconds))
    if isinstance(url, DatabaseError):
        writing.complain(url)
        return
    st.session_state[_SIGNED] = (file.bucket, file.path, url)


def _links(file: Artifact) -> None:
    signed = cast("tuple[Bucket, str, str] | None", st.session_state.get(_SIGNED))
    if signed is not None and signed[:2] == (file.bucket, file.path):
        st.caption("Whoever has this link may download the file until it ends.")
        st.code(signed[2], language=None, wrap_lines=True)
    public = writing.attempt(lambda me: artifacts.public_url(me, file))
    if isinstance(public, str):
        st.caption("Public, and lasting:")
        st.code(public, language=None, wrap_lines=True)


@st.dialog("Delete this file?")
def _delete(file: Artifact) -> None:
    st.markdown(
        f"**{as_label(file.name)}** is gone for everybody, and so are its links. This cannot be undone."
    )
    if not st.button("Yes, delete it", type="primary"):
        return
    done = writing.attempt(lambda me: artifacts.remove(me, file))
    if isinstance(done, DatabaseError):
        writing.complain(done)
        return
    _forget()
    st.rerun()
