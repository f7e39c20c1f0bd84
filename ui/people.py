"""How a person is shown: avatar, name, a mark for their role."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from db.models import Role, User
from live.snapshot import Snapshot
from ui.text import as_html, as_label, one_line, shortened

SOMEBODY = "Somebody"
"""The name of a person whose profile is not there (any more)."""

_TINTS = 8


def name_of(user: User | None) -> str:
    """Return the name to show."""
    return one_line(user.display_name) or SOMEBODY if user else SOMEBODY


def label_of(user: User | None) -> str:
    """Return the name for a label of Streamlit's."""
    return as_label(name_of(user))


def is_picture(avatar: str | None) -> bool:
    """Tell whether an avatar is the address of a picture that may be loaded."""
    if not avatar or not avatar.startswith("https://"):
        return False
    try:
        return bool(urlsplit(avatar).hostname)
    except ValueError:
        return False


def avatar_html(user: User | None, size: str = "") -> str:
    """Show a picture, an emoji, or the first letter on a color. `size` is `small`, `large` or empty."""
    css = f"tv-avatar {size}".strip()
    if user is None:
        return f'<span class="{css}" aria-hidden="true">?</span>'
    if user.avatar and is_picture(user.avatar):
        source = as_html(user.avatar)
        return (
            f'<span class="{css}" aria-hidden="true">'
            f'<img src="{source}" alt="" loading="lazy" referrerpolicy="no-referrer"></span>'
        )
    if user.avatar and not user.avatar.startswith(("http:", "https:")):
        return f'<span class="{css} emoji" aria-hidden="true">{as_html(one_line(user.avatar)[:8])}</span>'
    tint = sum(user.id.encode()) % _TINTS
    letter = as_html(name_of(user)[:1].upper())
    return f'<span class="{css} tint{tint}" aria-hidden="true">{letter}</span>'


def role_html(user: User | None) -> str:
    """Show a small mark for who is more than a member."""
    if user is None or user.role is Role.MEMBER:
        return ""
    return f'<span class="tv-role {user.role.value}">{user.role.value}</span>'


def by_name(users: Snapshot[User]) -> list[User]:
    """Return everybody, sorted by name; worked out once for each snapshot."""
    return users.derived("by name", lambda rows: sorted(rows.values(), key=_sort_name))


def _sort_name(user: User) -> tuple[str, str]:
    return user.display_name.casefold(), user.id


def finder(users: Snapshot[User]) -> Callable[[str], User | None]:
    """Return how to look a person up by id."""
    return lambda user_id: users.get((user_id,))


def names_html(people: Iterable[User | None], limit: int) -> str:
    """Show some people as chips, and how many more there are."""
    everybody = list(people)
    chips = [
        f'<span class="tv-chip">{avatar_html(user, "small")}<bdi>{as_html(name_of(user))}</bdi></span>'
        for user in everybody[:limit]
    ]
    if len(everybody) > limit:
        chips.append(f'<span class="tv-chip more">and {len(everybody) - limit} more</span>')
    return "".join(chips)


def matches(user: User, wanted: str) -> bool:
    """Tell whether a person's name or bio has every word that is looked for."""
    text = f"{user.display_name} {user.bio} {user.role.value}".casefold()
    return all(word in text for word in wanted.casefold().split())


def directory_html(people: Iterable[User]) -> str:
    """Show people as cards."""
    return f'<div class="tv-people">{"".join(_person_html(user) for user in people)}</div>'


def _person_html(user: User) -> str:
    bio = f'<p class="tv-bio" dir="auto">{as_html(shortened(user.bio, 140))}</p>' if user.bio else ""
    name = as_html(name_of(user))
    return (
        f'<article class="tv-person" data-row="{as_html(user.id)}" data-owner="{as_html(user.id)}">'
        f'{avatar_html(user)}<div class="tv-main"><h3><bdi>{name}</bdi>{role_html(user)}'
        f'<span class="tv-online">online</span></h3>{bio}</div>'
        '<div class="tv-buttons">'
        f"{_button('profile', 'Profile', f'Profile of {name}')}"
        f"{_button('write', 'Write', f'Write to {name}')}</div></article>"
    )


def _button(action: str, label: str, title: str) -> str:
    return (
        f'<button type="button" class="tv-action {action}" data-action="{action}" aria-label="{title}">'
        f"{label}</button>"
    )
