"""Who has written how much, as a table and as a file."""

from db.cleaning import WriteCount
from tests.ui.samples import HOSTILE, NOW, snapshot, user
from ui.activity import cleaning
from ui.base.people import finder

ANN = user("Ann", display_name=HOSTILE[:60])
COUNTS = [WriteCount(ANN.id, "tavern_messages", 12_000, 3, NOW), WriteCount("gone", "events", 1, 0, NOW)]
FIND = finder(snapshot([ANN]))


def test_the_table_has_people_tables_and_numbers_and_escapes_names() -> None:
    html = cleaning.counts_html(COUNTS, FIND)
    for words in ("tavern_messages", "12,000", "Somebody", "events"):
        assert words in html
    assert HOSTILE not in html


def test_the_file_has_a_line_for_each_person_and_table() -> None:
    lines = cleaning.as_csv(COUNTS, FIND).splitlines()
    assert lines[0] == "\ufeffuser_id,name,table,written,deleted,last_at"
    assert lines[-1] == f"gone,Somebody,events,1,0,{NOW.isoformat()}"
