"""What programs that show a preview of a link read in the head of a page: Open Graph's tags.

Such programs run no script, so they see only the page that the server sends.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class Preview:
    """The title and the description of one page, as text. `path` is its address, below the app's.

    `image` is the whole address of a picture, empty without one: programs that read it resolve no other.
    """

    title: str
    description: str
    path: str
    image: str = ""

    def head(self, site: str) -> str:
        """Return the HTML for the head of a page of this site."""
        title, description, path = (_attribute(each) for each in (self.title, self.description, self.path))
        image = f'<meta property="og:image" content="{_attribute(self.image)}">' if self.image else ""
        return (
            f'<meta name="description" content="{description}">'
            f'<link rel="canonical" href="./{path}">'
            f'<meta property="og:type" content="website">'
            f'<meta property="og:site_name" content="{_attribute(site)}">'
            f'<meta property="og:title" content="{title}">'
            f'<meta property="og:description" content="{description}">'
            f'{image}<meta name="twitter:card" content="summary">'
        )


Previews = Callable[[Scope], Awaitable[Preview | None]]
"""Returns the preview of the page that a request asks for, None for the page without one."""


def _attribute(text: str) -> str:
    return html.escape(" ".join(text.split()))
