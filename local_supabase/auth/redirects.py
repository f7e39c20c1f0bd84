"""Where a link in a mail may redirect to: the project's site, loopback addresses, and the URLs it allows."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from local_supabase.auth.settings import AuthSettings

# Browsers and mail programs take at least so long an address.
_MAX_URL = 2000


def allowed(settings: AuthSettings, url: str) -> bool:
    """Return whether a URL may be redirected to, by the rules of GoTrue's ``IsRedirectURLValid``."""
    # Clients strip or reinterpret these characters, and would then go to another URL than the one checked.
    if not url or any(character <= " " or character in "\x7f\\" for character in url):
        return False
    try:
        target, site = urlsplit(url), urlsplit(settings.site_url)
        hostname, port, site_port = target.hostname, target.port, site.port
    except ValueError:
        return False
    if not target.scheme:
        return False
    is_site = hostname and (target.scheme, hostname) == (site.scheme, site.hostname)
    if is_site and (port == site_port or hostname == "localhost"):
        return True
    if hostname and hostname.isdigit():  # an IPv4 address written as one number
        return False
    if hostname and (address := _address(hostname)) is not None:
        return address.is_loopback
    plain = url.split("#", 1)[0]
    # Several wildcards of one address are tried with each other.
    if len(plain) > _MAX_URL:
        return False
    return any(_pattern(allowed_url).fullmatch(plain) for allowed_url in settings.redirect_urls)


def choose(settings: AuthSettings, wanted: str | None, referer: str | None) -> str:
    """Return the wanted URL if it is allowed, else the referring page if it is, else the project's site."""
    for url in (wanted, referer):
        if url and allowed(settings, url):
            return url
    return settings.site_url


def _address(hostname: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(hostname)
    except ValueError:
        return None


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a glob: ``*`` stops at ``.`` and ``/``, ``**`` does not, ``?`` is one other character."""
    wildcards = {"**": ".*", "*": "[^./]*", "?": "[^./]"}
    parts = re.findall(r"\*\*|\*|\?|[^*?]+", glob)
    return re.compile("".join(wildcards.get(part, re.escape(part)) for part in parts))
