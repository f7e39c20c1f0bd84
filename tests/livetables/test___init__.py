"""The names that an app calls."""

import subprocess
import sys

import pytest

import livetables


def test_the_public_names_are_these() -> None:
    assert sorted(livetables.__all__) == [
        "ClashError",
        "Database",
        "FilterError",
        "LiveError",
        "ProjectError",
        "ReadError",
        "Row",
        "SetupError",
        "SignInError",
        "UnsupportedStreamlitError",
        "Write",
        "WriteError",
        "badge",
        "begin",
        "choose",
        "connect",
        "fragment",
        "is_loading",
        "load_older",
        "pending",
        "rows",
        "sign_in",
        "sign_out",
        "status",
        "user",
    ]


@pytest.mark.parametrize("name", livetables.__all__)
def test_each_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(livetables, name).__doc__
    assert name in dir(livetables)


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match="begun"):
        _ = livetables.begun


def test_importing_the_package_imports_neither_streamlit_nor_the_engine() -> None:
    source = "import sys, livetables; sys.exit(any(name in sys.modules for name in ('streamlit', 'httpx')))"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
