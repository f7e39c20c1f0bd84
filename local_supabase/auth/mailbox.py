"""The local mailbox: every mail that Auth would send is a file in the data folder."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self
from uuid import uuid4

KEPT_MAILS = 500


class MailKind(StrEnum):
    """Why a mail is sent; the values are the verification types of its link."""

    SIGNUP = "signup"
    INVITE = "invite"
    MAGIC_LINK = "magiclink"
    RECOVERY = "recovery"
    EMAIL_CHANGE = "email_change"
    REAUTHENTICATION = "reauthentication"


SUBJECTS: Mapping[MailKind, str] = {
    MailKind.SIGNUP: "Confirm Your Signup",
    MailKind.INVITE: "You have been invited",
    MailKind.MAGIC_LINK: "Your Magic Link",
    MailKind.RECOVERY: "Reset Your Password",
    MailKind.EMAIL_CHANGE: "Confirm Email Change",
    MailKind.REAUTHENTICATION: "Confirm Reauthentication",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, with a code and a link to follow ("" if it has none). ``sent_at`` is RFC 3339."""

    id: str
    kind: MailKind
    to: str
    subject: str
    code: str
    link: str
    sent_at: str

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a mail from the text that ``to_json`` made."""
        record = json.loads(text)
        record["kind"] = MailKind(record["kind"])
        return cls(**record)

    def to_json(self) -> str:
        """Return the mail as the text of its file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


class Mailbox:
    """A folder of mails, one file each, named by time. Only the newest 500 are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, mail: Mail) -> None:
        """Write a mail to the folder."""
        await asyncio.to_thread(self._write, mail)

    async def newest(self, recipient: str | None = None) -> list[Mail]:
        """Return all mails, or those to one address, newest first."""
        mails = await asyncio.to_thread(self._read)
        return [mail for mail in mails if recipient is None or mail.to == recipient.lower()]

    async def clear(self) -> None:
        """Delete every mail."""

        def work() -> None:
            for path in self._paths():
                path.unlink(missing_ok=True)

        await asyncio.to_thread(work)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"), reverse=True)

    def _write(self, mail: Mail) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=self._folder)
        with os.fdopen(handle, "w") as file:
            file.write(mail.to_json())
        stamp = mail.sent_at.translate({ord(":"): "-", ord("Z"): None})
        os.replace(temporary, self._folder / f"{stamp}-{mail.id}.json")
        for path in self._paths()[KEPT_MAILS:]:
            path.unlink(missing_ok=True)

    def _read(self) -> list[Mail]:
        mails: list[Mail] = []
        for path in self._paths():
            try:
                mails.append(Mail.from_json(path.read_text()))
            except (OSError, ValueError, TypeError, KeyError):  # deleted since it was listed, or not a mail
                continue
        return sorted(mails, key=lambda mail: mail.sent_at, reverse=True)


def new_mail_id() -> str:
    """Return a new id for a mail."""
    return uuid4().hex[:12]
