"""The encodings of files from people."""

import pytest

from ui.base.text_files import CODE_PAGES, NotTextError, read

HEAD = "task_type;prompt;candidate_a;candidate_b;name_a;name_b\r\n"
JAPANESE = "chat;お名前は何ですか?;私は花子です;知りません;a;b\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_told_apart_with_and_without_a_mark(encoding: str) -> None:
    found = read((HEAD + JAPANESE).encode(encoding), "DE")
    assert found.text.lstrip("\ufeff") == HEAD + JAPANESE
    assert found.choices == ()


@pytest.mark.parametrize(
    ("page", "territory", "row"),
    [
        ("cp1252", "DE", "chat;Wie heißt das größte Café in Köln?;Ich weiß nicht;Grüße;a;b"),
        ("cp1252", "ES", "chat;¿Cómo se llama el niño?;Ñandú;años;a;b"),
        ("cp1252", "001", "chat;naïve;café;x;a;b"),
        ("cp1250", "PL", "chat;Jak się masz, Łukasz?;Dobrze, dziękuję;źle;a;b"),
        ("cp1251", "RU", "chat;Как тебя зовут?;Меня зовут Анна;Не знаю;a;b"),
        ("cp1251", "US", "chat;Как тебя зовут?;Меня зовут Анна;Не знаю;a;b"),
        ("cp1253", "GR", "chat;Πώς σε λένε;Με λένε Άννα;Δεν ξέρω;a;b"),
        ("cp1254", "TR", "chat;Adın ne, Şule?;Iğdır güzel;bilmiyorum ğ;a;b"),
        ("cp1255", "IL", "chat;מה שמך?;שמי דנה;לא יודע;a;b"),
        ("cp1256", "EG", "chat;ما اسمك؟;اسمي ليلى;لا أعرف;a;b"),
        ("cp932", "JP", JAPANESE),
        ("gbk", "CN", "chat;你叫什么名字?;我叫小明;不知道;a;b"),
        ("big5", "TW", "chat;你叫什麼名字?;我叫小明;不知道;a;b"),
        ("cp949", "KR", "chat;이름이 무엇입니까?;제 이름은 민수입니다;모릅니다;a;b"),
    ],
)
def test_the_code_page_of_the_territory_is_taken_first_and_others_can_be_chosen(
    page: str, territory: str, row: str
) -> None:
    data = (HEAD + row).encode(page)
    found = read(data, territory)
    assert found.text == HEAD + row
    assert set(found.choices) <= set(CODE_PAGES)
    assert len(found.choices) > 1
    other = found.choices[1]
    assert read(data, territory, other).text == data.decode(other)


def test_a_choice_that_cannot_read_the_file_is_not_taken() -> None:
    data = (HEAD + JAPANESE).encode("cp932")
    assert read(data, "JP", "utf-7").text == HEAD + JAPANESE


@pytest.mark.parametrize(
    ("data", "words"), [(b"PK\x03\x04...", "workbook"), (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "no text")]
)
def test_what_is_no_text_is_refused_with_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(NotTextError, match=words):
        read(data, "US")


def test_nothing_is_no_text_but_an_empty_one() -> None:
    assert read(b"", "US").text == ""
