"""A tab's page, put together from the messages of the server as the browser does it."""

from __future__ import annotations

from dataclasses import dataclass

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

Path = tuple[int, ...]


@dataclass(slots=True)
class _Node:
    content: str
    block: bool
    fragment: str
    run: int


def page_of(messages: list[ForwardMsg]) -> dict[Path, str]:
    """Return the contents of all blocks and elements, by place.

    Raises `LookupError` for an element without its block.
    """
    nodes: dict[Path, _Node] = {}
    run, fragments = 0, frozenset[str]()
    for message in messages:
        if message.HasField("new_session"):
            run, fragments = run + 1, frozenset(message.metadata.run.fragment_ids)
        elif message.HasField("delta"):
            _show(nodes, message, run)
        elif message.HasField("script_finished"):
            nodes = {path: node for path, node in nodes.items() if not _is_stale(node, run, fragments)}
    return {path: node.content for path, node in sorted(nodes.items())}


def _show(nodes: dict[Path, _Node], message: ForwardMsg, run: int) -> None:
    path, block = tuple(message.metadata.delta_path), message.delta.HasField("add_block")
    if len(path) > 2 and not nodes[path[:-1]].block:
        raise LookupError(f"{path} stands in no block")
    if not block:
        for inner in [one for one in nodes if len(one) > len(path) and one[: len(path)] == path]:
            del nodes[inner]
    content = message.delta.SerializeToString(deterministic=True).hex()
    nodes[path] = _Node(content, block, message.delta.fragment_id, run)


def _is_stale(node: _Node, run: int, fragments: frozenset[str]) -> bool:
    return node.run != run and (not fragments or node.fragment in fragments)
