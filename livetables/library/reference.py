"""The reference of the public names, made from their docstrings: `python -m livetables.library.reference`."""

from __future__ import annotations

import inspect
import sys

import livetables

_HEAD = """# The reference of livetables

`import livetables as live`. [The package's README](../packages/streamlit-livetables/README.md) explains
how the names belong together. This page is made from their docstrings by
`python -m livetables.library.reference > docs/livetables-api.md`.
"""


def reference() -> str:
    """Return the page: functions first, then classes, and errors last, each in the order of the alphabet."""
    names = {name: getattr(livetables, name) for name in livetables.__all__}
    kinds = (
        ("Functions", [name for name in names if not inspect.isclass(names[name])]),
        ("Classes", [name for name in names if inspect.isclass(names[name]) and not name.endswith("Error")]),
        ("Errors", [name for name in names if name.endswith("Error")]),
    )
    parts = [_HEAD]
    for title, members in kinds:
        parts.append(f"## {title}\n")
        parts += [_entry(name, names[name]) for name in sorted(members)]
    return "\n".join(parts)


def _entry(name: str, thing: object) -> str:
    if not inspect.isclass(thing):
        return f"### {name}\n\n```python\n{_call(name, thing)}\n```\n\n{_text(thing)}\n"
    entries = [f"### {name}\n\n{_text(thing)}\n"]
    if not issubclass(thing, BaseException | dict):
        entries += [
            f"#### {name}.{member}\n\n```python\n{_call(member, value)}\n```\n\n{_text(value)}\n"
            for member, value in vars(thing).items()
            if inspect.isfunction(value) and not member.startswith("_")
        ]
    return "\n".join(entries)


def _call(name: str, thing: object) -> str:
    assert callable(thing)
    signature = str(inspect.signature(thing)).replace("'", "")
    return f"{name}{signature}"


def _text(thing: object) -> str:
    """Return the docstring. Its sections become lists, and its lines paragraphs as they are."""
    lines = []
    section = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if line in ("Arguments:", "Raises:", "Returns:"):
            lines += [f"**{line}**", ""]
            section = True
        elif section and line.startswith("    ") and not line.startswith("        "):
            name, colon, rest = line.strip().partition(": ")
            lines.append(f"- `{name}`: {rest}" if colon else f"- {name}")
        elif section and line.startswith("        "):
            lines.append(f"  {line.strip()}")
        else:
            section = section and not line
            lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(reference())
