from pathlib import Path

import pytest

from local_supabase.storage.service import load_settings
from local_supabase.storage.settings import DEFAULT_LIMIT, BucketSettings, StorageSettings


def test_a_project_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == StorageSettings(DEFAULT_LIMIT, {})


def test_the_supabase_clis_names_are_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        """
        [storage]
        enabled = true
        file_size_limit = "10MiB"
        [storage.buckets.images]
        public = true
        file_size_limit = "1MiB"
        allowed_mime_types = ["image/png"]
        objects_path = "./images"
        """
    )
    settings = load_settings(tmp_path)
    assert settings.file_size_limit == 10 * 2**20
    assert settings.buckets == {"images": BucketSettings(True, 2**20, ("image/png",))}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('file_size_limit = "much"', "storage.file_size_limit"),
        ("file_size_limit = -1", "storage.file_size_limit"),
        ("buckets = 1", "storage.buckets"),
        ("buckets.a = 1", "storage.buckets.a"),
        ('buckets.a.public = "yes"', "storage.buckets.a.public"),
        ('buckets.a.allowed_mime_types = ["png"]', "storage.buckets.a"),
        ("buckets.a.allowed_mime_types = 1", "storage.buckets.a"),
        ('buckets."a/b".public = true', "storage.buckets.a/b"),
    ],
)
def test_an_invalid_setting_is_named(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "config.toml").write_text(f"[storage]\n{text}\n")
    with pytest.raises(ValueError, match=name):
        load_settings(tmp_path)
