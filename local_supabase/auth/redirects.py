"""Where a link in a mail may lead: the project's site, loopback addresses, what the project allows too."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from local_supabase.auth.settings import AuthSettings


def allowed(settings: AuthSettings, url: str) -> bool:
    """Tell whether a URL may be redirected to, as GoTrue's ``IsRedirectURLValid`` judges it."""
    try:
        target, site = urlsplit(url), urlsplit(settings.site_url)
        hostname = target.hostname
    except ValueError:
        return False
    if not url or not target.scheme or any(character in url for character in "\r\n\0\\"):
        return False
    if hostname and hostname == site.hostname:
        return target.scheme in ("http", "https")
    if hostname and hostname.isdigit():  # an IPv4 address as one number
        return False
    if hostname and (address := _address(hostname)) is not None:
        return address.is_loopback
    plain = url.split("#", 1)[0]
    return any(_pattern(allowed_url).fullmatch(plain) for allowed_url in settings.redirect_urls)


def choose(settings: AuthSettings, wanted: str | None, referer: str | None) -> str:
    """Give the first of the wanted URL and the referring page that is allowed, else the project's site."""
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
