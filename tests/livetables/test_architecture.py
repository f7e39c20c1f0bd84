"""What the engine may know of."""

import ast
from pathlib import Path

import livetables


def _imports(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _modules() -> list[Path]:
    return sorted(Path(livetables.__path__[0]).rglob("*.py"))


def test_streamlit_is_known_to_two_modules_of_the_engine_only() -> None:
    knowing = [module for module in _modules() if "streamlit" in _imports(module)]
    assert {module.name for module in knowing if module.parent.name != "library"} == {
        "fragments.py",
        "rerun.py",
    }
