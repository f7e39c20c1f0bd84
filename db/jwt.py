"""Reading the claims of a token: as the sign-in does it."""

from livetables.auth.jwt import claims_of

__all__ = ["claims_of"]
