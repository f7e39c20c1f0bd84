from local_supabase.rest.http.timezones import is_timezone


def test_only_known_time_zones_are_accepted() -> None:
    assert is_timezone("Europe/Berlin")
    assert is_timezone("UTC")
    assert not is_timezone("Mars/Base")
    assert not is_timezone("europe/berlin'; select 1")
