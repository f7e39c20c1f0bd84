import json
import stat
from pathlib import Path

import jwt
import pytest

from local_supabase.errors import DataFolderError, LocalSupabaseError
from local_supabase.keys import Login, keys_of, load_keys
from local_supabase.stack.datadir import DataDir

CLI_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long"
CLI_ANON_KEY = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5"
    "OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0"
)


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    folder = DataDir(tmp_path / "data")
    folder.prepare()
    return folder


def test_the_supabase_clis_secret_gives_its_keys() -> None:
    assert keys_of(CLI_SECRET, {}, "").anon_key == CLI_ANON_KEY


def test_the_keys_are_tokens_of_the_secret(data_dir: DataDir) -> None:
    keys = load_keys(data_dir, {})
    for token, role in ((keys.anon_key, "anon"), (keys.service_key, "service_role")):
        assert jwt.decode(token, keys.jwt_secret, algorithms=["HS256"])["role"] == role


def test_secrets_are_generated_once_and_private(data_dir: DataDir) -> None:
    first = load_keys(data_dir, {})
    assert load_keys(data_dir, {}) == first
    assert stat.S_IMODE(data_dir.secrets.stat().st_mode) == 0o600
    assert len({first.passwords[login] for login in Login}) == len(Login)


def test_secrets_of_a_version_without_a_mailbox_secret_get_one(data_dir: DataDir) -> None:
    first = load_keys(data_dir, {})
    record = json.loads(data_dir.secrets.read_text())
    del record["mailbox_secret"]
    data_dir.secrets.write_text(json.dumps(record))
    later = load_keys(data_dir, {})
    assert (later.jwt_secret, later.passwords) == (first.jwt_secret, first.passwords)
    assert later.mailbox_secret
    assert load_keys(data_dir, {}) == later


def test_secrets_of_a_version_with_fewer_logins_get_their_passwords(data_dir: DataDir) -> None:
    first = load_keys(data_dir, {})
    record = json.loads(data_dir.secrets.read_text())
    del record["passwords"][Login.REALTIME.value]
    data_dir.secrets.write_text(json.dumps(record))
    later = load_keys(data_dir, {})
    assert later.passwords == {**first.passwords, Login.REALTIME: later.passwords[Login.REALTIME]}
    assert later.passwords[Login.REALTIME]
    assert load_keys(data_dir, {}) == later
    del record["passwords"][Login.SUPABASE_ADMIN.value]
    data_dir.secrets.write_text(json.dumps(record))
    with pytest.raises(DataFolderError):
        load_keys(data_dir, {})


def test_the_environment_overrides_the_secret_while_it_is_set(data_dir: DataDir) -> None:
    generated = load_keys(data_dir, {})
    assert load_keys(data_dir, {"SUPABASE_JWT_SECRET": CLI_SECRET}).anon_key == CLI_ANON_KEY
    assert load_keys(data_dir, {}) == generated


def test_a_short_secret_is_refused(data_dir: DataDir) -> None:
    with pytest.raises(LocalSupabaseError, match="at least 32 characters; it has 5"):
        load_keys(data_dir, {"SUPABASE_JWT_SECRET": "short"})


def test_a_damaged_secrets_file_is_named(data_dir: DataDir) -> None:
    data_dir.secrets.write_text("{")
    with pytest.raises(DataFolderError, match=r"secrets\.json is damaged"):
        load_keys(data_dir, {})


def test_keys_do_not_show_in_a_representation(data_dir: DataDir) -> None:
    keys = load_keys(data_dir, {})
    shown = (keys.jwt_secret, keys.anon_key, keys.service_key, keys.mailbox_secret)
    for secret in (*shown, *keys.passwords.values()):
        assert secret not in repr(keys)
