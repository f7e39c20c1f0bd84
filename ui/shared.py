"""HTML that is the same for many sessions: built once, while it is in use.

`Snapshot.derived` keeps what comes from one table for as long as the snapshot lives. A block that shows
several tables would pile up there: one table changes a thousand times while another stays. So blocks are kept
here, the most recently used ones only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

_KEPT = 64
_blocks: OrderedDict[Hashable, str] = OrderedDict()
_lock = threading.RLock()


def shared_html(key: Hashable, build: Callable[[], str]) -> str:
    """Return the block with this key, built by whoever asks first while the others wait.

    The key names everything that the block depends on; snapshots in it stand for their rows.
    """
    with _lock:
        if key not in _blocks:
            _blocks[key] = build()
            if len(_blocks) > _KEPT:
                _blocks.popitem(last=False)
        _blocks.move_to_end(key)
        return _blocks[key]
