"""Blocks of HTML that are the same for many sessions: built once, and kept while they are in use.

`Snapshot.derived` keeps what is computed from one table for as long as the snapshot lives. Blocks that show
several tables would accumulate there, because one table may change a thousand times while another stays the
same. So this cache keeps only the blocks that were used most recently.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar, cast

T = TypeVar("T")

_MOST_BLOCKS = 64
_blocks: Final[OrderedDict[Hashable, Any]] = OrderedDict()
_lock = threading.RLock()


def shared_html(key: Hashable, build: Callable[[], T]) -> T:
    """Return the block with this key, or the pieces of one. The first caller builds it while the others wait.

    The key names everything that the block depends on; a snapshot in it stands for its rows.
    """
    with _lock:
        if key not in _blocks:
            _blocks[key] = build()
            if len(_blocks) > _MOST_BLOCKS:
                _blocks.popitem(last=False)
        _blocks.move_to_end(key)
        return cast(T, _blocks[key])
