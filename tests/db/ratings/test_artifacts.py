"""Files of a tenant in Storage: the limits and types of the buckets, and no access to other folders."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import psycopg2
import pytest

from db.auth.accounts import Accounts, SignedIn
from db.clients import Clients
from db.errors import DatabaseError, DuplicateError, GoneError, InvalidValueError, NotAllowedError
from db.ratings import artifacts
from db.ratings.artifacts import Bucket, place_for
from db.settings import Settings
from local_supabase.stack.runtime import StackInfo
from tests.support.people import PASSWORD, sign_up


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a tenant, signed in as in the app."""

    me: SignedIn
    tenant: str


class Tenants:
    """Creates tenants and members, and closes their connections."""

    def __init__(self, stack: StackInfo) -> None:
        self._stack = stack
        self._clients = Clients(Settings(stack.url, stack.anon_key))
        self._accounts = Accounts(self._clients)

    def found(self) -> str:
        tenant = f"t_{uuid.uuid4().hex[:12]}"
        self._run("insert into public.tenants (id, name) values (%s, %s)", tenant, tenant)
        return tenant

    def join(self, tenant: str, role: str = "rater", brand: str | None = None) -> Member:
        person = sign_up(self._stack, role)
        self._run(
            "insert into public.rater_profiles (user_id, tenant_id, rater_id, name, role, brand_id)"
            " values (%s, %s, %s, %s, %s, %s)",
            person.user_id, tenant, f"r_{uuid.uuid4().hex[:8]}", person.name, role, brand,
        )  # fmt: skip
        me = self._accounts.sign_in(person.email, PASSWORD)
        return Member(me, tenant)

    def leave(self, member: Member) -> None:
        self._run("update public.rater_profiles set active = false where user_id = %s", member.me.user_id)

    def _run(self, sql: str, *values: str | None) -> None:
        connection = psycopg2.connect(self._stack.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql, values)
        finally:
            connection.close()

    def close(self) -> None:
        self._clients.close()


@pytest.fixture(scope="module")
def tenants(stack: StackInfo) -> Iterator[Tenants]:
    made = Tenants(stack)
    yield made
    made.close()


@pytest.fixture(scope="module")
def manager(tenants: Tenants) -> Member:
    return tenants.join(tenants.found(), "manager")


def put(member: Member, name: str, content: bytes = b"{}", bucket: Bucket = Bucket.TRAINING_DATA) -> str:
    place = place_for(bucket, member.tenant, "", name)
    artifacts.upload(member.me, place, io.BytesIO(content))
    return place.path


def names(member: Member, bucket: Bucket, tenant: str) -> list[str]:
    return [file.path for file in artifacts.files_of(member.me, bucket, tenant)]


def fetch(url: str) -> httpx.Response:
    return httpx.get(url, timeout=30)


def test_a_file_is_uploaded_with_progress_listed_downloaded_linked_and_deleted(manager: Member) -> None:
    content = bytes(range(256)) * 8192  # 2 MB: several pieces
    sent: list[int] = []
    place = place_for(Bucket.MODEL_ARTIFACTS, manager.tenant, "adapters/amazon", "v1.safetensors")
    artifacts.upload(manager.me, place, io.BytesIO(content), sent.append)
    assert sent == sorted(sent)
    assert len(sent) > 4
    assert sent[-1] == len(content)

    [file] = [
        one
        for one in artifacts.files_of(manager.me, Bucket.MODEL_ARTIFACTS, manager.tenant)
        if one.path == place.path
    ]
    assert (file.name, file.file_name) == ("adapters/amazon/v1.safetensors", "v1.safetensors")
    assert (file.size, file.mime_type) == (len(content), "application/octet-stream")
    assert artifacts.download(manager.me, file) == content
    answer = fetch(artifacts.signed_url(manager.me, file, 60))
    assert answer.content == content
    assert "v1.safetensors" in answer.headers["content-disposition"]
    assert artifacts.public_url(manager.me, file) is None

    artifacts.remove(manager.me, file)
    assert place.path not in names(manager, Bucket.MODEL_ARTIFACTS, manager.tenant)
    artifacts.remove(manager.me, file)  # deleting it again is no error
    with pytest.raises(GoneError):
        artifacts.download(manager.me, file)


def test_all_files_are_listed_however_many_there_are(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    founder = tenants.join(tenants.found(), "manager")
    monkeypatch.setattr(artifacts, "PAGE", 2)
    paths = [put(founder, f"{number}.json") for number in range(5)]
    assert names(founder, Bucket.TRAINING_DATA, founder.tenant) == sorted(paths)


def test_a_file_is_replaced_only_on_request(manager: Member) -> None:
    path = put(manager, "again.json", b"[1]")
    place = place_for(Bucket.TRAINING_DATA, manager.tenant, "", "again.json")
    with pytest.raises(DuplicateError, match="There is a file"):
        artifacts.upload(manager.me, place, io.BytesIO(b"[2]"))
    artifacts.upload(manager.me, place, io.BytesIO(b"[2]"), replace=True)
    [file] = [
        one
        for one in artifacts.files_of(manager.me, Bucket.TRAINING_DATA, manager.tenant)
        if one.path == path
    ]
    assert artifacts.download(manager.me, file) == b"[2]"


def test_an_export_has_a_lasting_public_address(manager: Member) -> None:
    put(manager, "judgments.csv", b"a,b\n", Bucket.EXPORTS)
    [file] = artifacts.files_of(manager.me, Bucket.EXPORTS, manager.tenant)
    url = artifacts.public_url(manager.me, file)
    assert url is not None
    assert fetch(url).text == "a,b\n"


def test_a_file_that_the_bucket_does_not_accept_is_refused_with_the_reason(manager: Member) -> None:
    with pytest.raises(InvalidValueError, match="takes files that end in csv, gz, json"):
        place_for(Bucket.EXPORTS, manager.tenant, "", "page.html")
    place = place_for(Bucket.EXPORTS, manager.tenant, "", "large.csv")
    large = io.BytesIO(b"x" * (Bucket.EXPORTS.rules.limit + 1))
    with pytest.raises(InvalidValueError, match="too large: Exports takes up to 20 MB"):
        artifacts.upload(manager.me, place, large)
    with pytest.raises(InvalidValueError, match="empty"):
        artifacts.upload(manager.me, place, io.BytesIO())


def test_storage_itself_refuses_files_that_are_too_large_or_of_another_type(manager: Member) -> None:
    files = manager.me.clients.storage(manager.me.access_token()).from_(Bucket.EXPORTS)

    def refusal(content: bytes, mime_type: str) -> DatabaseError:
        path = f"{manager.tenant}/direct.csv"
        with pytest.raises(DatabaseError) as refused, artifacts.translated_errors(Bucket.EXPORTS):
            files.upload(path, content, {"content-type": mime_type})
        return refused.value

    assert "too large" in str(refusal(b"x" * (Bucket.EXPORTS.rules.limit + 1), "text/csv"))
    assert "type" in str(refusal(b"<script>", "text/html"))


def test_names_of_any_alphabet_are_kept_and_each_is_a_file_of_its_own(
    tenants: Tenants,
) -> None:
    me = tenants.join(tenants.found(), "manager")
    written = ["1 — копия.csv", "1 — другая.csv", "灯泡.csv", "😀.csv", "data.csv", "José.csv"]
    for name in written:
        put(me, name, name.encode())
    files = artifacts.files_of(me.me, Bucket.TRAINING_DATA, me.tenant)
    assert sorted(file.name for file in files) == sorted(written)
    for file in files:
        assert artifacts.download(me.me, file) == file.name.encode()
        assert re.fullmatch(rf"{me.tenant}/[0-9a-f-]{{36}}\.csv", file.path)


def test_a_file_is_saved_under_the_name_that_people_gave_it(manager: Member) -> None:
    put(manager, "данные 1.csv", b"a,b\n", Bucket.EXPORTS)
    [file] = [
        one
        for one in artifacts.files_of(manager.me, Bucket.EXPORTS, manager.tenant)
        if one.name == "данные 1.csv"
    ]
    public = artifacts.public_url(manager.me, file)
    assert public is not None
    expected = "filename*=UTF-8''" + quote("данные 1.csv")
    assert expected in fetch(public).headers["content-disposition"]
    assert expected in fetch(artifacts.signed_url(manager.me, file, 60)).headers["content-disposition"]


def test_files_from_before_names_were_kept_go_on_working(tenants: Tenants) -> None:
    me = tenants.join(tenants.found(), "manager")
    old = f"{me.tenant}/old/Report.csv"
    storage = me.me.clients.storage(me.me.access_token()).from_(Bucket.TRAINING_DATA)
    storage.upload(old, b"1", {"content-type": "text/csv"})
    [file] = artifacts.files_of(me.me, Bucket.TRAINING_DATA, me.tenant)
    assert (file.path, file.name, file.file_name, file.size) == (old, "old/Report.csv", "Report.csv", 1)
    assert artifacts.download(me.me, file) == b"1"

    place = place_for(Bucket.TRAINING_DATA, me.tenant, "old", "report.csv")
    with pytest.raises(DuplicateError, match=r"There is a file Report\.csv already"):
        artifacts.upload(me.me, place, io.BytesIO(b"22"))
    artifacts.upload(me.me, place, io.BytesIO(b"22"), replace=True)
    [file] = artifacts.files_of(me.me, Bucket.TRAINING_DATA, me.tenant)
    assert (file.path, file.name, file.size) == (old, "old/report.csv", 2)
    artifacts.remove(me.me, file)
    assert artifacts.files_of(me.me, Bucket.TRAINING_DATA, me.tenant) == []


@pytest.mark.parametrize("bucket", list(Bucket))
def test_another_tenants_people_can_neither_see_read_write_nor_delete(
    tenants: Tenants, manager: Member, bucket: Bucket
) -> None:
    put(manager, "theirs.json", b"{}", bucket)
    [file] = [one for one in artifacts.files_of(manager.me, bucket, manager.tenant) if "theirs" in one.name]
    for role in ("rater", "manager"):
        stranger = tenants.join(tenants.found(), role)
        assert names(stranger, bucket, manager.tenant) == []
        assert names(stranger, bucket, "") == []
        if not bucket.rules.public:  # files of a public bucket are readable by their address
            with pytest.raises(GoneError):
                artifacts.download(stranger.me, file)
        with pytest.raises(GoneError):
            artifacts.signed_url(stranger.me, file, 60)
        for name in ("theirs.json", "new.json"):
            place = place_for(bucket, manager.tenant, "", name)
            with pytest.raises(NotAllowedError):
                artifacts.upload(stranger.me, place, io.BytesIO(b"[]"), replace=name == "theirs.json")
        artifacts.remove(stranger.me, file)
        _refused_to_move(stranger, file)
    assert artifacts.download(manager.me, file) == b"{}"


def _refused_to_move(stranger: Member, file: artifacts.Artifact) -> None:
    files = stranger.me.clients.storage(stranger.me.access_token()).from_(file.bucket)
    with pytest.raises(DatabaseError), artifacts.translated_errors(file.bucket):
        files.move(file.path, f"{stranger.tenant}/stolen.json")
    with pytest.raises(DatabaseError), artifacts.translated_errors(file.bucket):
        files.copy(file.path, f"{stranger.tenant}/copied.json")


def test_a_rater_adds_files_and_deletes_only_their_own(tenants: Tenants, manager: Member) -> None:
    rater = tenants.join(manager.tenant)
    put(manager, "kept.json")
    put(rater, "own.json")
    files = {
        file.file_name: file for file in artifacts.files_of(rater.me, Bucket.TRAINING_DATA, rater.tenant)
    }
    assert artifacts.download(rater.me, files["kept.json"]) == b"{}"
    with pytest.raises(NotAllowedError):
        artifacts.remove(rater.me, files["kept.json"])
    artifacts.remove(rater.me, files["own.json"])
    with pytest.raises(NotAllowedError):  # only managers publish files
        put(rater, "published.json", bucket=Bucket.EXPORTS)


def test_outside_of_the_tenants_folder_nothing_is_stored(manager: Member) -> None:
    files = manager.me.clients.storage(manager.me.access_token()).from_(Bucket.TRAINING_DATA)
    for path in ("loose.json", f"{manager.tenant}", "other/x.json", f"{manager.tenant}x/x.json"):
        with pytest.raises(DatabaseError), artifacts.translated_errors(Bucket.TRAINING_DATA):
            files.upload(path, b"{}", {"content-type": "application/json"})


def test_former_members_and_members_for_one_brand_see_no_files(tenants: Tenants, manager: Member) -> None:
    put(manager, "inside.json")
    former, guest = tenants.join(manager.tenant), tenants.join(manager.tenant, brand="acme")
    assert names(former, Bucket.TRAINING_DATA, manager.tenant)
    tenants.leave(former)
    assert names(former, Bucket.TRAINING_DATA, manager.tenant) == []
    assert names(guest, Bucket.TRAINING_DATA, manager.tenant) == []
