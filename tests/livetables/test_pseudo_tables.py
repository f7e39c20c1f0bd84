"""Names that stand among table names: the connection, who is here, and items of one owner."""

from livetables.presence.model import PRESENCE
from livetables.pseudo_tables import PseudoTables


def test_presence_has_the_revision_of_its_feed() -> None:
    assert PseudoTables(lambda: 7).version(PRESENCE, "tab") == 7


def test_an_item_belongs_to_one_user_and_can_be_forgotten() -> None:
    pseudo = PseudoTables(lambda: 0)
    pseudo.set_item("drafts", "ada", 7)
    pseudo.set_item("drafts", "bo", 7)
    assert pseudo.version("drafts", "ada") != pseudo.version("drafts", "bo")
    assert pseudo.version("drafts", "cy") == pseudo.version("drafts", "tab") == 0
    pseudo.set_item("drafts", "ada", 0)
    assert pseudo.version("drafts", "ada") == 0


def test_the_connection_of_all_visitors_is_one_and_their_items_are_not() -> None:
    pseudo = PseudoTables(lambda: 0)
    pseudo.set_item("drafts", "tab", 7)
    assert pseudo.version("drafts", "tab") != pseudo.version("drafts", "other")


def test_whoever_watches_learns_of_an_item_that_comes_and_goes() -> None:
    pseudo = PseudoTables(lambda: 0)
    with pseudo.watch("ada") as ada, pseudo.watch("bo") as bo, pseudo.watch("tab") as visitor:
        pseudo.set_item("drafts", "ada", 1)
        pseudo.set_item("drafts", "ada", 0)
    assert (ada.changed, bo.changed, visitor.changed) == (True, False, False)
    assert not ada.had_items


def test_a_user_has_items_until_each_is_forgotten() -> None:
    pseudo = PseudoTables(lambda: 0)
    pseudo.set_item("drafts", "ada", 1)
    pseudo.set_item("files", "ada", 1)
    pseudo.set_item("drafts", "ada", 0)
    with pseudo.watch("ada") as ada, pseudo.watch("bo") as bo:
        assert (ada.had_items, bo.had_items) == (True, False)
    pseudo.set_item("files", "ada", 0)
    assert not pseudo.has_items("ada")
