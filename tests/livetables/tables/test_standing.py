"""What a user may read and follow, and when that counts as changed."""

from livetables.tables.spec import PublicTables, TableSpec
from livetables.tables.standing import Standing, differently_read, may_read, standing, unchanged

ADMIN, MEMBER = Standing((), 3), Standing(("user_id=eq.me",), 3)


def spec(name: str, *, visible: bool = True) -> TableSpec[object]:
    def visible_to(_user_id: str, _public: PublicTables) -> bool:
        return visible

    return TableSpec(
        name,
        ("id",),
        dict,
        visible_to=visible_to,
        filters=lambda user_id, _: (f"user_id=eq.{user_id}",),
        permission_version=lambda *_: 7,
    )


def test_a_user_has_a_standing_for_each_table_they_may_read() -> None:
    plain: TableSpec[object] = TableSpec("plain", ("id",), dict)
    specs = [spec("runs"), spec("log", visible=False), plain]
    assert standing(specs, "me", {}) == {"runs": Standing(("user_id=eq.me",), 7), "plain": Standing()}
    assert standing(specs, None, {}) == dict.fromkeys(("runs", "log", "plain"), Standing())
    assert [may_read(one, "me", {}) for one in specs] == [True, False, True]


def test_a_missed_version_counts_as_a_change_and_the_next_one_does_not() -> None:
    assert unchanged({"runs": ADMIN}, {"runs": ADMIN})
    assert unchanged({"runs": ADMIN}, {"runs": Standing((), 4)})
    assert not unchanged({"runs": ADMIN}, {"runs": Standing((), 5)})
    assert not unchanged({"runs": ADMIN}, {"runs": MEMBER})
    assert not unchanged({"runs": ADMIN}, {})
    assert not unchanged({}, {"runs": ADMIN})


def test_only_tables_with_other_rows_are_read_differently() -> None:
    before = {"runs": ADMIN, "log": ADMIN, "messages": MEMBER}
    now = {"runs": MEMBER, "messages": Standing(("user_id=eq.me",), 5)}
    assert differently_read(before, now) == {"runs", "log"}
