"""Uploading one of a tenant's files: the form, how far the upload has come, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from db.auth.accounts import SignedIn
from db.errors import DatabaseError, DuplicateError
from db.ratings import artifacts
from db.ratings.artifacts import MEGABYTE, Bucket, Place
from ui.base import feedback, uploads
from ui.base.text import as_label
from ui.base.write_queue import Mode, State, Write
from ui.writes.submit import submit

_FORM_NUMBER: Final = "artifacts_uploads"
_UPLOAD: Final = "artifacts_upload"
_REFRESH_EVERY: Final = 0.5
"""Seconds between two looks at how far an upload has come."""


@dataclass(slots=True)
class SentBytes:
    """How much of a file has been sent; the uploading thread counts, the page reads."""

    size: int = 0

    def update(self, size: int) -> None:
        """Note how many bytes have been sent."""
        self.size = size


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is being uploaded, or could not be. `size` is in bytes."""

    place: Place
    size: int
    sent: SentBytes
    write: Write


def _upload() -> Upload | None:
    return cast("Upload | None", st.session_state.get(_UPLOAD))


def _form_number() -> int:
    return int(st.session_state.get(_FORM_NUMBER, 0))


def settle_upload() -> bool:
    """Empty the form when the upload has ended well; return whether it has, since the last call."""
    upload = _upload()
    if upload is None or upload.write.state is not State.DONE:
        return False
    # A new key empties the field, which may happen only once the file has arrived.
    st.session_state[_FORM_NUMBER] = _form_number() + 1
    st.session_state.pop(_UPLOAD)
    return True


def show_upload(bucket: Bucket, tenant: str) -> None:
    """Show the form, what went wrong with the last upload, and the progress of one under way."""
    rules, upload, number = bucket.rules, _upload(), _form_number()
    busy = upload is not None and not upload.write.done
    with st.expander("Upload a file", icon=":material/upload:"):
        uploads.permit()
        file = st.file_uploader(
            "File", type=sorted(rules.types), key=f"artifact_{bucket}_{number}",
            max_upload_size=rules.limit // MEGABYTE,
        )  # fmt: skip
        folder = st.text_input("Folder", key=f"artifact_folder_{bucket}", placeholder="adapters/amazon")
        replace = st.checkbox("Replace a file of the same name", key=f"artifact_replace_{bucket}_{number}")
        pressed = st.button(
            "Send the file", type="primary", disabled=file is None or busy, key=f"artifact_send_{bucket}"
        )
        if pressed and file is not None and not busy:
            _send(file, bucket, tenant, folder, replace=replace)
        elif upload is not None and upload.place.bucket is bucket:
            _show_error(upload.write.error)
    if busy:
        _progress()


def _show_error(error: DatabaseError | None) -> None:
    feedback.show_error(error)
    if isinstance(error, DuplicateError):
        st.caption("Tick “Replace a file of the same name” to replace it, or rename your file.")


def _send(file: UploadedFile, bucket: Bucket, tenant: str, folder: str, *, replace: bool) -> None:
    try:
        place = artifacts.place_for(bucket, tenant, folder, file.name)
    except DatabaseError as error:
        st.session_state.pop(_UPLOAD, None)
        feedback.show_error(error)
        return
    sent = SentBytes()

    def send(me: SignedIn) -> None:
        artifacts.upload(me, place, file, sent.update, replace=replace)

    write = submit(send, success_message=f"{place.file_name} is uploaded.", mode=Mode.CONCURRENT)
    st.session_state[_UPLOAD] = Upload(place, file.size, sent, write)
    st.rerun(scope="fragment")


@st.fragment(run_every=_REFRESH_EVERY, key="artifacts_progress")
def _progress() -> None:
    """Show how far the upload has come. Its end wakes the fragment around this one."""
    upload = _upload()
    if upload is None:
        return
    percent = min(100 * upload.sent.size // max(upload.size, 1), 100)
    # The bytes are only known to have been sent: until Storage answers, the bar must not be full.
    text = f"Uploading {as_label(upload.place.file_name)}: {percent} %" if percent < 100 else "Being stored"
    st.progress(min(percent, 99) / 100, text=text)
