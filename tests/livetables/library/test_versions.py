"""Which versions of Streamlit are accepted."""

from importlib.metadata import version

import pytest
from streamlit.runtime.app_session import AppSession

from livetables import rerun
from livetables.errors import UnsupportedStreamlitError
from livetables.library import versions


@pytest.fixture(autouse=True)
def _anew() -> None:
    versions.check.cache_clear()


def test_the_installed_version_is_one_that_the_tests_run_with() -> None:
    assert versions.is_tested(version("streamlit"))
    versions.check()


@pytest.mark.parametrize(
    ("installed", "tested"), [("1.66.1", False), ("1.67.3", True), ("1.68.0rc1", False), ("2", False)]
)
def test_only_some_minor_versions_are_tested(installed: str, tested: bool) -> None:
    assert versions.is_tested(installed) is tested


def test_another_version_that_has_all_that_is_needed_is_used_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(versions, "version", lambda _: "1.68.0")
    versions.check()
    assert "not with 1.68.0" in caplog.text


def test_a_version_that_lacks_something_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(versions, "version", lambda _: "1.40.0")
    monkeypatch.delattr(AppSession, "has_fragment")
    rerun.supported.cache_clear()
    with pytest.raises(
        UnsupportedStreamlitError, match=r"1.40.0 is installed.*pip install 'streamlit>=1.67,<1.68'"
    ):
        versions.check()
