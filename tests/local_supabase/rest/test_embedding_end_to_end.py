"""Reads of tables with embedded resources."""

import pytest

from tests.local_supabase.rest.conftest import Rest

_EMBEDDED: list[tuple[str, object]] = [
    (
        "/projects?select=id,clients(name)&id=in.(1,5)&order=id",
        [{"id": 1, "clients": {"name": "Microsoft"}}, {"id": 5, "clients": None}],
    ),
    (
        "/clients?select=name,projects(id)&order=id",
        [
            {"name": "Microsoft", "projects": [{"id": 1}, {"id": 2}]},
            {"name": "Apple", "projects": [{"id": 3}, {"id": 4}]},
        ],
    ),
    (
        "/tasks?select=id,people(name)&id=in.(1,8)&order=id",
        [{"id": 1, "people": [{"name": "Angela"}, {"name": "Dwight"}]}, {"id": 8, "people": []}],
    ),
    (
        "/people?select=name,badges(label)&id=lt.3&order=id",
        [{"name": "Angela", "badges": {"label": "gold"}}, {"name": "Michael", "badges": None}],
    ),
    ("/badges?select=label,people(name)&person_id=eq.3", [{"label": "beet", "people": {"name": "Dwight"}}]),
    (
        "/people?select=id,tasks!people_tasks(id)&id=eq.2",
        [{"id": 2, "tasks": [{"id": 5}, {"id": 6}, {"id": 7}]}],
    ),
    (
        "/people?select=name,people_tasks(task_id,tasks(name))&id=eq.3",
        [
            {
                "name": "Dwight",
                "people_tasks": [
                    {"task_id": 1, "tasks": {"name": "Design w7"}},
                    {"task_id": 5, "tasks": {"name": "Design IOS"}},
                ],
            }
        ],
    ),
    (
        "/orders?select=id,addresses!orders_billing_fkey(street)&id=eq.1",
        [{"id": 1, "addresses": {"street": "Main St"}}],
    ),
    (
        "/orders?select=b:addresses!billing_id(street),s:addresses!shipping_id(street)&id=eq.1",
        [{"b": {"street": "Main St"}, "s": {"street": "Side St"}}],
    ),
    ("/orders?select=billing_id(street)&id=eq.1", [{"billing_id": {"street": "Main St"}}]),
    (
        "/orders?select=orders_shipping_fkey(street)&id=eq.1",
        [{"orders_shipping_fkey": {"street": "Side St"}}],
    ),
    ("/addresses?select=orders!orders_billing_fkey(name)&id=eq.1", [{"orders": [{"name": "first"}]}]),
    (
        "/folders?select=name,folders(name)&id=eq.1",
        [{"name": "root", "folders": [{"name": "etc"}, {"name": "home"}]}],
    ),
    (
        "/folders?select=name,children:folders!parent_id(name)&id=eq.3",
        [{"name": "home", "children": [{"name": "ada"}]}],
    ),
    (
        "/folders?select=name,up:parent_id(name,up:parent_id(name))&id=eq.4",
        [{"name": "ada", "up": {"name": "home", "up": {"name": "root"}}}],
    ),
    ("/bookings?select=who,rooms(seats)&id=eq.2", [{"who": "Ben", "rooms": {"seats": 30}}]),
    (
        "/rooms?select=seats,bookings(who)&building=eq.A&order=number",
        [{"seats": 10, "bookings": [{"who": "Ann"}, {"who": "Cid"}]}, {"seats": 20, "bookings": []}],
    ),
    (
        "/projects_view?select=title,clients(name)&id=eq.1",
        [{"title": "Windows 7", "clients": {"name": "Microsoft"}}],
    ),
    (
        "/open_projects?select=title,clients(name),tasks(id)&id=eq.1",
        [{"title": "Windows 7", "clients": {"name": "Microsoft"}, "tasks": [{"id": 1}, {"id": 2}]}],
    ),
    (
        "/clients?select=name,open_projects(title)&id=eq.2",
        [{"name": "Apple", "open_projects": [{"title": "IOS"}, {"title": "OSX"}]}],
    ),
    ("/totals?select=projects,clients(name)&client_id=eq.2", [{"projects": 2, "clients": {"name": "Apple"}}]),
    ("/projects?select=id,secret_ids(id)&id=eq.1", [{"id": 1, "secret_ids": [{"id": 1}]}]),
    (
        "/projects?select=name,customer(name)&id=eq.1",
        [{"name": "Windows 7", "customer": {"name": "Microsoft"}}],
    ),
    ("/clients?select=all_projects(id)&id=eq.2", [{"all_projects": [{"id": 3}, {"id": 4}]}]),
    ("/projects?select=id,clients(*)&id=eq.3", [{"id": 3, "clients": {"id": 2, "name": "Apple"}}]),
    (
        "/projects?select=id,...clients(client:name)&id=in.(1,5)&order=id",
        [{"id": 1, "client": "Microsoft"}, {"id": 5, "client": None}],
    ),
    (
        "/tasks?select=id,...projects(project:name,...clients(client:name))&id=eq.1",
        [{"id": 1, "project": "Windows 7", "client": "Microsoft"}],
    ),
    (
        "/tasks?select=id,projects(name,...clients(client:name))&id=eq.1",
        [{"id": 1, "projects": {"name": "Windows 7", "client": "Microsoft"}}],
    ),
    (
        "/projects?select=id,clients!inner(name)&clients.name=eq.Apple&order=id",
        [{"id": 3, "clients": {"name": "Apple"}}, {"id": 4, "clients": {"name": "Apple"}}],
    ),
    (
        "/projects?select=id,clients(name)&clients.name=eq.Apple&id=in.(1,3)&order=id",
        [{"id": 1, "clients": None}, {"id": 3, "clients": {"name": "Apple"}}],
    ),
    (
        "/people?select=name,tasks!inner(id)&tasks.id=eq.5&order=id",
        [{"name": "Michael", "tasks": [{"id": 5}]}, {"name": "Dwight", "tasks": [{"id": 5}]}],
    ),
    (
        "/tasks?select=id,projects!inner(clients!inner(name))&projects.clients.name=eq.Apple&order=id&limit=1",
        [{"id": 5, "projects": {"clients": {"name": "Apple"}}}],
    ),
    ("/projects?select=id,clients()&clients=is.null", [{"id": 5}]),
    ("/projects?select=id,clients()&clients=not.is.null&order=id&limit=1", [{"id": 1}]),
    ("/people?select=id,badges()&badges=is.null", [{"id": 2}]),
    ("/clients?select=id,projects()&projects=is.null", []),
    ("/projects?select=id,clients()&or=(clients.is.null,id.eq.1)&order=id", [{"id": 1}, {"id": 5}]),
    ("/projects?select=id,c:clients()&c=is.null", [{"id": 5}]),
    (
        "/clients?select=id,projects(id)&projects.order=id.desc&projects.limit=1&order=id",
        [{"id": 1, "projects": [{"id": 2}]}, {"id": 2, "projects": [{"id": 4}]}],
    ),
    (
        "/clients?select=id,projects(id)&projects.offset=1&order=id&limit=1",
        [{"id": 1, "projects": [{"id": 2}]}],
    ),
    (
        "/clients?select=id,projects(id)&projects.or=(id.eq.1,id.eq.3)&order=id",
        [{"id": 1, "projects": [{"id": 1}]}, {"id": 2, "projects": [{"id": 3}]}],
    ),
    ("/clients?select=id,p:projects(id)&p.id=eq.1&id=eq.1", [{"id": 1, "p": [{"id": 1}]}]),
    (
        "/clients?select=projects(tasks(id))&projects.tasks.order=id.desc&projects.tasks.limit=1&projects.limit=1&projects.order=id&id=eq.1",
        [{"projects": [{"tasks": [{"id": 2}]}]}],
    ),
    (
        "/projects?select=id,clients(name)&order=clients(name).desc.nullslast,id.desc&limit=2",
        [{"id": 2, "clients": {"name": "Microsoft"}}, {"id": 1, "clients": {"name": "Microsoft"}}],
    ),
    ("/projects?select=clients()&id=eq.1", [{}]),
    (
        "/projects?select=a:clients(id),b:clients(name)&id=eq.1",
        [{"a": {"id": 1}, "b": {"name": "Microsoft"}}],
    ),
]


@pytest.mark.parametrize(("path", "rows"), _EMBEDDED, ids=[path for path, _ in _EMBEDDED])
def test_embedded_rows(rest: Rest, path: str, rows: object) -> None:
    response = rest.get(path)
    assert response.status_code == 200, response.text
    assert response.json() == rows


_SPREAD: list[tuple[str, object]] = [
    (
        "/clients?select=name,...projects(id,titles:name)&id=eq.2",
        [{"name": "Apple", "id": [3, 4], "titles": ["IOS", "OSX"]}],
    ),
    (
        "/clients?select=*,...projects(titles:name)&projects.order=name.desc&order=id.desc",
        [
            {"id": 2, "name": "Apple", "titles": ["OSX", "IOS"]},
            {"id": 1, "name": "Microsoft", "titles": ["Windows 7", "Windows 10"]},
        ],
    ),
    (
        "/clients?select=name,...projects(*)&id=eq.1",
        [{"name": ["Windows 7", "Windows 10"], "id": [1, 2], "client_id": [1, 1]}],
    ),
    (
        "/people?select=person:name,...tasks(id)&order=id&tasks.id=lt.6",
        [
            {"person": "Angela", "id": [1, 2, 3, 4]},
            {"person": "Michael", "id": [5]},
            {"person": "Dwight", "id": [1, 5]},
        ],
    ),
    ("/tasks?select=id,...people(names:name)&id=eq.8", [{"id": 8, "names": []}]),
    (
        "/tasks?select=id,...people!inner(names:name)&people.name=eq.Dwight&order=id",
        [{"id": 1, "names": ["Dwight"]}, {"id": 5, "names": ["Dwight"]}],
    ),
    ("/tasks?select=id,...people()&people=is.null", [{"id": 8}]),
    (
        "/people?select=name,...tasks(task:name,...projects(project:name))&id=eq.3",
        [{"name": "Dwight", "task": ["Design w7", "Design IOS"], "project": ["Windows 7", "IOS"]}],
    ),
    (
        "/people?select=name,...tasks(task:id,projects(name))&id=eq.3",
        [{"name": "Dwight", "task": [1, 5], "projects": [{"name": "Windows 7"}, {"name": "IOS"}]}],
    ),
    (
        "/clients?select=client:name,...projects(project:name,...tasks(ids:id))&id=eq.2",
        [{"client": "Apple", "project": ["IOS", "OSX"], "ids": [[5, 6], [7, 8]]}],
    ),
    (
        "/tasks?select=id,...projects(project:name,...clients(*))&id=eq.1",
        [{"id": 1, "project": "Windows 7", "name": "Microsoft"}],
    ),
    (
        "/projects?select=id,clients(name,...projects(ids:id))&id=eq.3",
        [{"id": 3, "clients": {"name": "Apple", "ids": [3, 4]}}],
    ),
    (
        "/clients?select=name,...projects(first:name)&projects.limit=1&id=eq.2",
        [{"name": "Apple", "first": ["IOS"]}],
    ),
    ("/clients?select=name,...all_projects(ids:id)&id=eq.2", [{"name": "Apple", "ids": [3, 4]}]),
]


@pytest.mark.parametrize(("path", "rows"), _SPREAD, ids=[path for path, _ in _SPREAD])
def test_the_columns_of_many_rows_spread_as_arrays(rest: Rest, path: str, rows: object) -> None:
    response = rest.get(path)
    assert response.status_code == 200, response.text
    assert response.json() == rows


def test_an_ambiguous_embedding_lists_the_relationships(rest: Rest) -> None:
    response = rest.get("/orders?select=id,addresses(street)")
    assert response.status_code == 300
    assert response.json() == {
        "code": "PGRST201",
        "details": [
            {
                "cardinality": "many-to-one",
                "embedding": "orders with addresses",
                "relationship": f"orders_{way}_fkey using orders({way}_id) and addresses(id)",
            }
            for way in ("billing", "shipping")
        ],
        "hint": (
            "Try changing 'addresses' to one of the following: 'addresses!orders_billing_fkey', "
            "'addresses!orders_shipping_fkey'. Find the desired relationship in the 'details' key."
        ),
        "message": (
            "Could not embed because more than one relationship was found for 'orders' and 'addresses'"
        ),
    }


def test_a_missing_relationship_gets_a_hint(rest: Rest) -> None:
    response = rest.get("/projects?select=id,client(name)")
    assert response.status_code == 400
    assert response.json() == {
        "code": "PGRST200",
        "details": (
            "Searched for a foreign key relationship between 'projects' and 'client' in the schema 'public', "
            "but no matches were found."
        ),
        "hint": "Perhaps you meant 'clients' instead of 'client'.",
        "message": "Could not find a relationship between 'projects' and 'client' in the schema cache",
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/clients?select=name,...projects(id.sum())", 400, "PGRST123"),
        ("/projects?select=id,clients(id),clients(name)", 400, "42712"),
        ("/clients?select=id,projects(name)&order=projects(name)", 400, "PGRST118"),
        ("/projects?select=id&order=clients(name)", 400, "PGRST108"),
        ("/projects?select=id,clients(name)&nope.id=eq.1", 400, "PGRST108"),
        ("/projects?select=id,clients(nope)", 400, "42703"),
        ("/projects?select=id,secrets(id)", 400, "PGRST200"),
        ("/orders?select=id,addresses!nope(street)", 400, "PGRST200"),
    ],
)
def test_what_cannot_be_embedded_is_refused(rest: Rest, path: str, status: int, code: str) -> None:
    response = rest.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("/projects?select=id,clients!inner(name)&clients.name=eq.Apple", 2),
        ("/people?select=id,tasks!inner(id)&tasks.id=eq.5", 2),
        ("/projects?select=id,clients(id)&clients=is.null", 1),
        ("/projects?select=id,clients(id)&or=(clients.is.null,id.eq.1)", 2),
        ("/projects?select=id,clients(id)&clients.name=eq.Apple", 5),
    ],
)
def test_filters_of_embedded_resources_count(rest: Rest, path: str, total: int) -> None:
    response = rest("HEAD", path, Prefer="count=exact")
    assert response.headers["content-range"].split("/")[1] == str(total)


def test_the_alias_of_an_embedded_resource_hides_no_table(rest: Rest) -> None:
    # The name of this table equals the alias that the service gives to an embedded `clients`.
    rest.sql(
        "create table public.clients_1 (id int primary key, client_id int references public.clients (id))"
    )
    try:
        response = rest.post(
            "/clients_1?select=id,clients(name)", {"id": 1, "client_id": 2}, Prefer="return=representation"
        )
        assert response.json() == [{"id": 1, "clients": {"name": "Apple"}}]
    finally:
        rest.sql("drop table public.clients_1")
