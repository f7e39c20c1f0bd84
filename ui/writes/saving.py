"""The progress of saving a form."""

from __future__ import annotations

from typing import cast

import streamlit as st

from ui.base import feedback
from ui.base.feedback import saving_html
from ui.base.html import show
from ui.base.write_queue import State, Write
from ui.writes.conflict import Clash


class Saving:
    """The progress of saving one form, kept in the session under the form's name.

    The form keeps what was typed into it while its write is pending and after a refusal.
    """

    def __init__(self, name: str) -> None:
        self._write_key = f"{name}_saving"
        self._decided_key = f"{name}_deciding"

    @property
    def _write(self) -> Write | None:
        return cast("Write | None", st.session_state.get(self._write_key))

    def begin(self, write: Write, decided: Clash | None = None) -> None:
        """Follow this write from now on; `decided` is the clash that it resolves."""
        st.session_state[self._write_key] = write
        st.session_state[self._decided_key] = decided

    def forget(self) -> None:
        """Follow no write."""
        for key in (self._write_key, self._decided_key):
            st.session_state.pop(key, None)

    @property
    def busy(self) -> bool:
        """Whether the database has not answered yet."""
        return self._write is not None and not self._write.done

    @property
    def clash(self) -> Clash | None:
        """The clash to decide, which stays while the decision is being saved."""
        result = self._write.result if self._write else None
        decided: Clash | None = st.session_state.get(self._decided_key)
        return result if isinstance(result, Clash) else decided

    @property
    def saved(self) -> bool:
        """Whether the database has taken it."""
        write = self._write
        return write is not None and write.state is State.DONE and not isinstance(write.result, Clash)

    @property
    def result(self) -> object:
        """What the write returned; None until it is saved."""
        return self._write.result if self._write is not None and self.saved else None

    def finished(self) -> bool:
        """Return whether the form has been saved since the last call, and if so confirm it with a toast."""
        write = self._write
        if write is None or not self.saved:
            return False
        if write.success_message:
            feedback.toast(write.success_message)
        self.forget()
        return True

    def submit(self, label: str, icon: str | None = None) -> bool:
        """Show the form's button, and return whether it was pressed; presses during a write do not count."""
        busy = self.busy
        pressed = st.form_submit_button(label, icon=icon, type="primary", disabled=busy)
        self.mark()
        return pressed and not busy

    def mark(self) -> None:
        """Mark the form as being saved. Call it inside the form; the style sheet then blocks its fields.

        The fields are not disabled, because Streamlit forgets the text of a disabled field.
        """
        if self.busy:
            show(saving_html(True))

    def show(self) -> None:
        """Show why the write was refused."""
        if self._write is not None:
            feedback.show_error(self._write.error)
