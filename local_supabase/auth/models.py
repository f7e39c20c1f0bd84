"""Users and identities as values, and their JSON in GoTrue's form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import orjson

Metadata = Mapping[str, object]


def rfc3339(moment: datetime) -> str:
    """Return a time as Go writes it: UTC, "Z", no trailing zeros in the fraction."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def read_metadata(text: object) -> dict[str, object]:
    """Read the text of a jsonb column; anything but an object counts as empty."""
    value = orjson.loads(text) if isinstance(text, str) else None
    return value if isinstance(value, dict) else {}


def merge_metadata(current: Metadata, updates: Metadata) -> dict[str, object]:
    """Return the metadata after an update as GoTrue does it: keys with null are removed, others are set."""
    merged = {**current, **updates}
    return {key: value for key, value in merged.items() if key not in updates or value is not None}


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromisoformat(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Identity:
    """A row of ``auth.identities``; ``provider_id`` is the user's id at the provider."""

    id: str
    provider_id: str
    user_id: str
    provider: str
    data: Metadata
    email: str
    last_sign_in_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row that was selected as JSON."""
        data = record.get("identity_data")
        return cls(
            id=_text(record["id"]),
            provider_id=_text(record["provider_id"]),
            user_id=_text(record["user_id"]),
            provider=_text(record["provider"]),
            data=data if isinstance(data, dict) else {},
            email=_text(record.get("email")),
            last_sign_in_at=_moment(record.get("last_sign_in_at")),
            created_at=_moment(record.get("created_at")),
            updated_at=_moment(record.get("updated_at")),
        )

    def to_json(self) -> dict[str, object]:
        """Return the identity in GoTrue's form: ``id`` is the provider's id, ``identity_id`` the row's."""
        answer: dict[str, object] = {
            "identity_id": self.id,
            "id": self.provider_id,
            "user_id": self.user_id,
            "identity_data": dict(self.data),
            "provider": self.provider,
        }
        for name in ("last_sign_in_at", "created_at", "updated_at"):
            moment = getattr(self, name)
            if moment is not None:
                answer[name] = rfc3339(moment)
        if self.email:
            answer["email"] = self.email
        return answer


@dataclass(frozen=True, slots=True)
class Factor:
    """A row of ``auth.mfa_factors``, without its secret, which only the check of a code reads."""

    id: str
    user_id: str
    friendly_name: str
    factor_type: str
    status: str
    phone: str
    created_at: datetime | None
    updated_at: datetime | None
    last_challenged_at: datetime | None

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row that was selected as JSON."""
        return cls(
            id=_text(record["id"]),
            user_id=_text(record["user_id"]),
            friendly_name=_text(record["friendly_name"]),
            factor_type=_text(record["factor_type"]),
            status=_text(record["status"]),
            phone=_text(record["phone"]),
            created_at=_moment(record["created_at"]),
            updated_at=_moment(record["updated_at"]),
            last_challenged_at=_moment(record["last_challenged_at"]),
        )

    @property
    def is_verified(self) -> bool:
        """Whether a code of the factor was entered once, so that it counts."""
        return self.status == "verified"

    def to_json(self) -> dict[str, object]:
        """Return the factor in GoTrue's form; an unset name is left out."""
        answer: dict[str, object] = {"id": self.id}
        for name in ("created_at", "updated_at"):
            moment = getattr(self, name)
            if moment is not None:
                answer[name] = rfc3339(moment)
        answer["status"] = self.status
        if self.friendly_name:
            answer["friendly_name"] = self.friendly_name
        answer["factor_type"] = self.factor_type
        answer["phone"] = self.phone
        challenged = self.last_challenged_at
        answer["last_challenged_at"] = None if challenged is None else rfc3339(challenged)
        return answer


@dataclass(frozen=True, slots=True)
class User:
    """A row of ``auth.users`` with its identities and second factors. A NULL text is ""."""

    id: str
    aud: str
    role: str
    email: str
    phone: str
    encrypted_password: str
    email_confirmed_at: datetime | None
    invited_at: datetime | None
    phone_confirmed_at: datetime | None
    confirmation_token: str
    confirmation_sent_at: datetime | None
    confirmed_at: datetime | None
    recovery_token: str
    recovery_sent_at: datetime | None
    email_change_token_current: str
    email_change_token_new: str
    email_change: str
    email_change_sent_at: datetime | None
    email_change_confirm_status: int
    reauthentication_token: str
    reauthentication_sent_at: datetime | None
    last_sign_in_at: datetime | None
    app_metadata: Metadata
    user_metadata: Metadata
    created_at: datetime | None
    updated_at: datetime | None
    banned_until: datetime | None
    deleted_at: datetime | None
    is_anonymous: bool
    identities: tuple[Identity, ...]
    factors: tuple[Factor, ...]

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Read a row that ``users`` selected."""
        identities = orjson.loads(_text(record["identities"]))
        status = record["email_change_confirm_status"]
        return cls(
            id=_text(record["id"]),
            aud=_text(record["aud"]) or "authenticated",
            role=_text(record["role"]) or "authenticated",
            email_change_confirm_status=status if isinstance(status, int) else 0,
            app_metadata=read_metadata(record["raw_app_meta_data"]),
            user_metadata=read_metadata(record["raw_user_meta_data"]),
            is_anonymous=bool(record["is_anonymous"]),
            identities=tuple(Identity.from_record(identity) for identity in identities),
            factors=tuple(Factor.from_record(factor) for factor in orjson.loads(_text(record["factors"]))),
            email=_text(record["email"]),
            phone=_text(record["phone"]),
            encrypted_password=_text(record["encrypted_password"]),
            confirmation_token=_text(record["confirmation_token"]),
            recovery_token=_text(record["recovery_token"]),
            email_change_token_current=_text(record["email_change_token_current"]),
            email_change_token_new=_text(record["email_change_token_new"]),
            email_change=_text(record["email_change"]),
            reauthentication_token=_text(record["reauthentication_token"]),
            email_confirmed_at=_moment(record["email_confirmed_at"]),
            invited_at=_moment(record["invited_at"]),
            phone_confirmed_at=_moment(record["phone_confirmed_at"]),
            confirmation_sent_at=_moment(record["confirmation_sent_at"]),
            confirmed_at=_moment(record["confirmed_at"]),
            recovery_sent_at=_moment(record["recovery_sent_at"]),
            email_change_sent_at=_moment(record["email_change_sent_at"]),
            reauthentication_sent_at=_moment(record["reauthentication_sent_at"]),
            last_sign_in_at=_moment(record["last_sign_in_at"]),
            created_at=_moment(record["created_at"]),
            updated_at=_moment(record["updated_at"]),
            banned_until=_moment(record["banned_until"]),
            deleted_at=_moment(record["deleted_at"]),
        )

    @property
    def is_confirmed(self) -> bool:
        """Whether the email address was confirmed."""
        return self.email_confirmed_at is not None

    @property
    def is_banned(self) -> bool:
        """Whether the user may not sign in at present."""
        return self.banned_until is not None and datetime.now(UTC) < self.banned_until

    @property
    def has_second_factor(self) -> bool:
        """Whether the user has a verified factor, so that what matters needs a session of level aal2."""
        return any(factor.is_verified for factor in self.factors)

    def identity_of(self, provider: str) -> Identity | None:
        """Return the user's identity of a provider, None without one."""
        return next((identity for identity in self.identities if identity.provider == provider), None)

    def to_json(self) -> dict[str, object]:
        """Return the user in GoTrue's form: unset times are left out, unset texts are ""."""
        answer: dict[str, object] = {
            "id": self.id,
            "aud": self.aud,
            "role": self.role,
            "email": self.email,
            "phone": self.phone,
        }
        for name in _PUBLIC_MOMENTS:
            moment = getattr(self, name)
            if moment is not None:
                answer[name] = rfc3339(moment)
        if self.email_change:
            answer["new_email"] = self.email_change
        answer["app_metadata"] = dict(self.app_metadata)
        answer["user_metadata"] = dict(self.user_metadata)
        answer["identities"] = [identity.to_json() for identity in self.identities]
        if self.factors:
            answer["factors"] = [factor.to_json() for factor in self.factors]
        answer["is_anonymous"] = self.is_anonymous
        return answer


_PUBLIC_MOMENTS = (
    "email_confirmed_at", "invited_at", "phone_confirmed_at", "confirmation_sent_at", "confirmed_at",
    "recovery_sent_at", "email_change_sent_at", "reauthentication_sent_at", "last_sign_in_at",
    "created_at", "updated_at", "banned_until", "deleted_at",
)  # fmt: skip
