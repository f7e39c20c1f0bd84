"""The types of task in words."""

from __future__ import annotations

from ui.ratings.task_limits import check_task_type
from ui.ratings.task_types import TASK_TYPES, choice, words_for


def test_a_usual_type_is_in_words_with_the_name_that_imports_use() -> None:
    for task_type in TASK_TYPES:
        check_task_type(task_type)
        assert words_for(task_type) != task_type
        assert choice(task_type) == f"{words_for(task_type)} ({task_type})"
    assert choice("text_to_sql") == "Questions as SQL (text_to_sql)"


def test_a_type_of_ones_own_is_its_own_name() -> None:
    assert (words_for("poems"), choice("poems")) == ("poems", "poems")
