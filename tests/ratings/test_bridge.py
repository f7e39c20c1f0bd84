"""The bridge to Supabase: settings, sign-up, files."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from livetables.auth.jwt import claims_of
from ratings.bridge import SupabaseBridge, SupabaseSettings, get_supabase, init_supabase, supabase_settings
from ratings.errors import BadDatabaseUrlError, NoSupabaseError
from ratings.events import Event, EventKind
from tests.ratings.supabase_project import Tenant, signed_up


def test_without_settings_the_bridge_is_not_available() -> None:
    bridge = init_supabase(supabase_settings({}))
    assert get_supabase() is bridge
    assert not bridge.is_available()
    with pytest.raises(NoSupabaseError, match="SUPABASE_URL"):
        bridge.sign_in_rater("rater@example.com", "secret")


def test_url_and_key_are_set_together() -> None:
    assert supabase_settings({"SUPABASE_URL": "https://x.supabase.co/", "SUPABASE_KEY": "k"}) == (
        SupabaseSettings("https://x.supabase.co", "k")
    )
    with pytest.raises(BadDatabaseUrlError, match="both"):
        supabase_settings({"SUPABASE_KEY": "k"})


def test_sign_up_metadata_is_in_the_token_and_later_changes_have_no_effect(
    bridge: Callable[[], SupabaseBridge], tenant: Tenant
) -> None:
    rater = signed_up(bridge(), tenant, "rater_001")
    token = rater.access_token()
    assert token is not None
    expected = {"tenant_id": tenant.id, "rater_id": "rater_001", "rating_role": "rater"}
    metadata = claims_of(token)["app_metadata"]
    assert isinstance(metadata, dict)
    assert expected.items() <= metadata.items()
    client = rater.client
    client.auth.update_user({"data": {"tenant_id": "elsewhere", "rater_id": "boss"}})
    client.auth.refresh_session()
    again = claims_of(rater.access_token() or "")
    assert isinstance(again["app_metadata"], dict)
    assert isinstance(again["user_metadata"], dict)
    assert expected.items() <= again["app_metadata"].items()
    assert again["user_metadata"]["tenant_id"] == "elsewhere"
    seen = client.table("tenants").select("id").execute().data
    assert seen == [{"id": tenant.id}]


def test_files_are_uploaded_and_downloaded(bridge: Callable[[], SupabaseBridge], tenant: Tenant) -> None:
    rater = signed_up(bridge(), tenant, "rater_001")
    path = f"{tenant.id}/adapters/v1.safetensors"
    assert rater.upload_model_artifact("model-artifacts", path, b"weights") == path
    assert rater.download_model_artifact("model-artifacts", path) == b"weights"
    assert path in rater.get_signed_url("model-artifacts", path, 60)
    assert rater.get_public_url("exports", f"{tenant.id}/a.csv").endswith(
        f"/public/exports/{tenant.id}/a.csv"
    )


def test_an_event_that_cannot_be_sent_does_not_stop_those_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Event] = []

    def send(_bridge: SupabaseBridge, _http: httpx.Client, event: Event) -> None:
        if event.tenant_id == "broken":
            raise TypeError("Object of type set is not JSON serializable")
        sent.append(event)

    monkeypatch.setattr(SupabaseBridge, "_send", send)
    bridge = SupabaseBridge(SupabaseSettings("http://127.0.0.1:9", "key", "service"))
    broken, good = (Event(EventKind.TASK_CREATED, tenant) for tenant in ("broken", "good"))
    bridge.publish(broken)
    bridge.publish(good)
    bridge.close()
    assert sent == [good]
