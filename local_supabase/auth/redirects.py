"""Where a link in a mail may lead: the project's site, loopback addresses, what the project allows too."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import urlsplit

from local_supabase.auth.settings import AuthSettings


def allowed(settings: AuthSettings, url: str) -> bool:
    """Tell whether a URL may be redirected to, as GoTrue's ``IsRedirectURLValid`` judges it."""
    # Clients strip or reinterpret these, and then go somewhere else than what was judged.
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
