"""What the machine is set to."""

from __future__ import annotations

import logging
import warnings

import tzlocal

_log = logging.getLogger(__name__)


def machine_time_zone() -> str:
    """Return the IANA name of the machine's time zone, `UTC` if it cannot be told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about settings that disagree with each other
            return tzlocal.reload_localzone().key
    except (LookupError, ValueError, OSError) as error:
        _log.info("The time zone of this machine cannot be told: %s", error)
        return "UTC"
