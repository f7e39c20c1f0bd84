"""A tenant's files: put there, listed, taken, linked to, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from db import artifacts
from db.artifacts import MEGABYTE, Artifact, Bucket, Place
from db.auth import SignedIn
from db.errors import DatabaseError, Duplicate
from live.fragments import live_fragment
from ui import layout, session, writing
from ui.pending import WRITES, State, Write, saving_html
from ui.text import as_html, as_label

_LISTED: Final = "artifacts_listed"
_SIGNED: Final = "artifacts_signed"
_UPLOADS: Final = "artifacts_uploads"
_UPLOAD: Final = "artifacts_upload"
_DELETED: Final = "artifacts_deleted"
_LOOK_EVERY: Final = 0.5
"""Seconds between looks at how far an upload is."""
_LINK_SECONDS: Final = {"an hour": 3600, "a day": 86_400, "a week": 604_800}


@dataclass(frozen=True, slots=True)
class Listing:
    """What was last read, of which bucket and tenant, by whom."""

    user_id: str | None
    bucket: Bucket
    tenant: str
    files: tuple[Artifact, ...]


@dataclass(slots=True)
class Sent:
    """How much of a file has been sent, in bytes: told by one thread, shown by another."""

    size: int = 0

    def tell(self, size: int) -> None:
        """Take note of it."""
        self.size = size


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is on its way, or did not get there. `size` is in bytes."""

    place: Place
    size: int
    sent: Sent
    write: Write


def show(tenant: str, *, manager: bool) -> None:
    """Show the files of a tenant to one of its members."""
    _files(tenant, manager)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="artifacts")
def _files(tenant: str, manager: bool) -> None:
    _settle()
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


def _settle() -> None:
    """Take note of what has become of uploads and deletions: what is there is then read again."""
    upload, deletions = _sent(), _deletions()
    over = [path for path, write in deletions.items() if write.done]
    changed = any(deletions.pop(path).state is State.DONE for path in over)
    if upload is not None and upload.write.state is State.DONE:
        # A new key empties the field, once the file has arrived.
        st.session_state[_UPLOADS] = int(st.session_state.get(_UPLOADS, 0)) + 1
        st.session_state.pop(_UPLOAD)
        changed = True
    if changed:
        _forget()


def _sent() -> Upload | None:
    return cast("Upload | None", st.session_state.get(_UPLOAD))


def _upload(bucket: Bucket, tenant: str) -> None:
    rules, upload = bucket.rules, _sent()
    busy = upload is not None and not upload.write.done
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
        pressed = st.button(
            "Send the file", type="primary", disabled=file is None or busy, key=f"artifact_send_{bucket}"
        )
        if pressed and file is not None and not busy:
            _send(file, bucket, tenant, folder, replace=replace)
        elif upload is not None and upload.place.bucket is bucket and upload.write.error is not None:
            writing.complain(upload.write.error)
            if isinstance(upload.write.error, Duplicate):
                st.caption(
                    "Tick “Replace a file of the same name” to put this one in its place, or rename it."
                )
    if busy:
        _progress()


def _send(file: UploadedFile, bucket: Bucket, tenant: str, folder: str, *, replace: bool) -> None:
    try:
        place = artifacts.place_for(bucket, tenant, folder, file.name)
    except DatabaseError as error:
        st.session_state.pop(_UPLOAD, None)
        writing.complain(error)
        return
    sent = Sent()

    def send(me: SignedIn) -> None:
        artifacts.upload(me, place, file, sent.tell, replace=replace)

    write = writing.ask(send, words=f"{place.file_name} is there.", apart=True)
    st.session_state[_UPLOAD] = Upload(place, file.size, sent, write)
    st.rerun(scope="fragment")


@st.fragment(run_every=_LOOK_EVERY, key="artifacts_progress")
def _progress() -> None:
    """Show how far the upload is; what shows its end is the run that this causes."""
    upload = _sent()
    if upload is None:
        return
    percent = min(100 * upload.sent.size // max(upload.size, 1), 100)
    # All that is known is what has left this machine; the rest is Storage's answer.
    words = f"Uploading {as_label(upload.place.file_name)}: {percent} %" if percent < 100 else "Being stored"
    st.progress(min(percent, 99) / 100, text=words)


# ---------------------------------------------------------------- what is there


def _listing(bucket: Bucket, tenant: str) -> Listing | DatabaseError:
    known = cast("Listing | None", st.session_state.get(_LISTED))
    if known is not None and (
        known.user_id,
        known.bucket,
        known.tenant,
    ) == (session.my_id(), bucket, tenant):
        return known
    found = writing.fetch(lambda me: artifacts.files_of(me, bucket, tenant))
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
    going = _deletions()
    for path in going:
        st.html(saving_html(True, f"Deleting {as_html(path.partition('/')[2])}…"))
    shown = [file for file in listing.files if file.path not in going]
    if not shown:
        layout.empty("🗂️", "No files here yet", "What is uploaded or published appears here.")
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
    write = writing.ask(lambda me: artifacts.signed_url(me, file, seconds), told=False)
    st.session_state[_SIGNED] = (file.bucket, file.path, write)


def _links(file: Artifact) -> None:
    signed = cast("tuple[Bucket, str, Write] | None", st.session_state.get(_SIGNED))
    if signed is not None and signed[:2] == (file.bucket, file.path):
        _signed(signed[2])
    public = writing.fetch(lambda me: artifacts.public_url(me, file))
    if isinstance(public, str):
        st.caption("Public, and lasting:")
        st.code(public, language=None, wrap_lines=True)


def _signed(write: Write) -> None:
    if not write.done:
        st.html(saving_html(True, "Making a link…"))
    elif write.error is not None:
        writing.complain(write.error)
    else:
        st.caption("Whoever has this link may download the file until it ends.")
        st.code(str(write.result), language=None, wrap_lines=True)


@st.dialog("Delete this file?")
def _delete(file: Artifact) -> None:
    st.markdown(
        f"**{as_label(file.name)}** is gone for everybody, and so are its links. This cannot be undone."
    )
    if st.button("Yes, delete it", type="primary"):
        _deletions()[file.path] = writing.ask(
            lambda me: artifacts.remove(me, file), words=f"{file.file_name} is deleted."
        )
        st.rerun()


def _deletions() -> dict[str, Write]:
    return cast("dict[str, Write]", st.session_state.setdefault(_DELETED, {}))
