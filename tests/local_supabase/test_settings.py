from pathlib import Path

from local_supabase.keys import Login, keys_of
from local_supabase.settings import Settings
from local_supabase.stack.datadir import DataDir

SETTINGS = Settings(5000, 5001, 5002, Path("project"), DataDir(Path("data")))


def test_the_url_has_the_gateways_port() -> None:
    assert SETTINGS.url == "http://127.0.0.1:5000"


def test_the_address_of_the_mailbox_has_its_own_port_and_the_secret() -> None:
    assert SETTINGS.mailbox_url(keys_of("s" * 40, {}, "hidden")) == "http://127.0.0.1:5002/hidden"


def test_a_password_is_escaped_in_the_connection_url() -> None:
    keys = keys_of("s" * 40, {Login.POSTGRES: "a/b@c:d"}, "hidden")
    assert SETTINGS.dsn(keys, Login.POSTGRES) == "postgresql://postgres:a%2Fb%40c%3Ad@127.0.0.1:5001/postgres"
