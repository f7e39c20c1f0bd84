from local_supabase.rest.catalog.views import Origin, base_columns, origins

_SELECT = (
    "({QUERY :commandType 1 :cteList <> :rtable ({RANGETBLENTRY :alias <> :relid 100}) "
    ":targetList ({TARGETENTRY :expr {VAR :varno 1 :varattno 1} :resno 1 :resname id :ressortgroupref 0 "
    ":resorigtbl 100 :resorigcol 1 :resjunk false} "
    "{TARGETENTRY :expr {FUNCEXPR :args ({VAR :varno 1})} :resno 2 :resname \\(odd\\ :resno\\) "
    ":ressortgroupref 0 :resorigtbl 0 :resorigcol 0 :resjunk false} "
    "{TARGETENTRY :expr {VAR :varno 1} :resno 3 :resname name :ressortgroupref 0 "
    ":resorigtbl 100 :resorigcol 7 :resjunk false}) "
    ":havingQual {SUBLINK :subselect {QUERY "
    ":targetList ({TARGETENTRY :resno 9 :resorigtbl 5 :resorigcol 5})}}})"
)


def test_the_origin_of_a_plain_column_is_found() -> None:
    assert list(origins(_SELECT)) == [Origin(1, 100, 1), Origin(3, 100, 7)]


def test_a_view_of_a_view_shows_the_table_below() -> None:
    outer = _SELECT.replace(":resorigtbl 100", ":resorigtbl 200")
    found = base_columns(
        {200: _SELECT.replace(":resorigcol 7", ":resorigcol 1"), 300: outer.replace("col 7", "col 3")}
    )
    assert found[300][100, 1] == [1, 3]


def test_views_that_refer_to_each_other_do_not_hang() -> None:
    one = _SELECT.replace(":resorigtbl 100", ":resorigtbl 2")
    other = _SELECT.replace(":resorigtbl 100", ":resorigtbl 1")
    assert base_columns({1: one, 2: other})


def test_a_truncated_definition_gives_the_columns_before_the_cut() -> None:
    whole = [Origin(1, 100, 1), Origin(3, 100, 7)]
    for end in range(len(_SELECT)):
        found = list(origins(_SELECT[:end]))
        assert found == whole[: len(found)]
