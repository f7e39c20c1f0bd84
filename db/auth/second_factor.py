"""The second step of a sign-in: a code of the authenticator app, or a recovery code."""

from __future__ import annotations

import re
from typing import Final

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.errors import WrongCodeError, translated
from livetables.auth.second_factor import CodeNeeded

_CODE: Final = re.compile(r"[0-9]{6}")
_WRONG: Final = "That is neither the six digits of your app nor one of your recovery codes."


def enter(accounts: Accounts, clients: Clients, waiting: CodeNeeded, code: str) -> tuple[SignedIn, bool]:
    """Finish a sign-in with six digits of the app, or with a recovery code.

    Returns the sign-in, and whether a recovery code was used up: then the account has no second factor any
    more. Raises `WrongCodeError` for a code that does not count.
    """
    digits = "".join(code.split())
    if _CODE.fullmatch(digits):
        return accounts.enter_code(waiting, digits), False
    with translated():
        answer = clients.rpc("use_recovery_code", {"p_code": code}, waiting.access_token).execute()
    if answer.data is not True:
        raise WrongCodeError(_WRONG)
    return accounts.enter_without_code(waiting), True
