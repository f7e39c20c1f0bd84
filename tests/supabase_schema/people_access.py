"""Who may do what with the tables of people, events, messages, runs and routing."""

from tests.supabase_schema.access import AccessTable, Values

# `owner` is the person of the row: the person of a profile, the organizer, the author, the sender.
# `recipient` has written about the event of `owner`.
# `insert` is in the person's own name, `forge` in another person's. "users.role" names the changed column.
ACCESS = """
    table                        role       select  insert  forge  update  delete
    users                        anon       yes     no      no     no      no
    users                        owner      yes     yes     no     yes     no
    users                        other      yes     yes     no     no      no
    users                        admin      yes     yes     no     no      no
    users.role                   anon       -       -       -      no      -
    users.role                   owner      -       -       -      no      -
    users.role                   other      -       -       -      no      -
    users.role                   admin      -       -       -      yes     -
    events                       anon       yes     no      no     no      no
    events                       owner      yes     yes     no     yes     yes
    events                       cohost     yes     yes     no     yes     yes
    events                       other      yes     yes     no     no      no
    events                       admin      yes     yes     no     yes     yes
    events.organizer_id          owner      -       -       -      no      -
    events.organizer_id          cohost     -       -       -      no      -
    events.organizer_id          admin      -       -       -      no      -
    event_cohosts                anon       yes     no      no     no      no
    event_cohosts                owner      yes     yes     -      no      yes
    event_cohosts                cohost     yes     no      no     no      yes
    event_cohosts                other      yes     no      no     no      no
    event_cohosts                admin      yes     yes     -      no      yes
    rsvps                        anon       yes     no      no     no      no
    rsvps                        owner      yes     yes     no     yes     yes
    rsvps                        cohost     yes     yes     no     no      no
    rsvps                        other      yes     yes     no     no      no
    rsvps                        admin      yes     yes     no     no      no
    tavern_messages              anon       yes     no      no     no      no
    tavern_messages              owner      yes     yes     no     yes     yes
    tavern_messages              other      yes     yes     no     no      no
    tavern_messages              admin      yes     yes     no     no      no
    tavern_messages.hidden_at    anon       -       -       -      no      -
    tavern_messages.hidden_at    owner      -       -       -      no      -
    tavern_messages.hidden_at    other      -       -       -      no      -
    tavern_messages.hidden_at    admin      -       -       -      yes     -
    tavern_messages.author_id    owner      -       -       -      no      -
    tavern_messages.author_id    admin      -       -       -      no      -
    event_messages               anon       yes     no      no     no      no
    event_messages               owner      yes     yes     no     no      no
    event_messages               cohost     yes     yes     no     no      no
    event_messages               recipient  yes     yes     no     yes     yes
    event_messages               other      yes     yes     no     no      no
    event_messages               admin      yes     yes     no     no      no
    event_messages.hidden_at     anon       -       -       -      no      -
    event_messages.hidden_at     owner      -       -       -      yes     -
    event_messages.hidden_at     cohost     -       -       -      yes     -
    event_messages.hidden_at     recipient  -       -       -      no      -
    event_messages.hidden_at     other      -       -       -      no      -
    event_messages.hidden_at     admin      -       -       -      yes     -
    event_messages.event_id      owner      -       -       -      no      -
    event_messages.event_id      recipient  -       -       -      no      -
    event_messages.author_id     owner      -       -       -      no      -
    event_messages.author_id     recipient  -       -       -      no      -
    private_messages             anon       no      no      no     no      no
    private_messages             owner      yes     yes     no     no      yes
    private_messages             recipient  yes     yes     no     no      no
    private_messages             other      no      yes     no     no      no
    private_messages             admin      no      yes     no     no      no
    private_messages.read_at     anon       -       -       -      no      -
    private_messages.read_at     owner      -       -       -      no      -
    private_messages.read_at     recipient  -       -       -      yes     -
    private_messages.read_at     other      -       -       -      no      -
    private_messages.read_at     admin      -       -       -      no      -
    change_log                   anon       no      no      -      no      no
    change_log                   owner      no      no      -      no      no
    change_log                   other      no      no      -      no      no
    change_log                   admin      yes     no      -      no      no
    change_log.private           anon       no      -       -      -       -
    change_log.private           owner      no      -       -      -       -
    change_log.private           recipient  no      -       -      -       -
    change_log.private           admin      no      -       -      -       -
    change_log.agent_runs        anon       no      -       -      -       -
    change_log.agent_runs        owner      no      -       -      -       -
    change_log.agent_runs        admin      no      -       -      -       -
    ended_sessions               anon       no      no      no     no      no
    ended_sessions               owner      yes     no      no     no      no
    ended_sessions               other      no      no      no     no      no
    ended_sessions               admin      no      no      no     no      no
    agent_runs                   anon       no      no      no     no      no
    agent_runs                   owner      yes     yes     no     yes     no
    agent_runs                   other      no      yes     no     no      no
    agent_runs                   admin      yes     yes     no     no      no
    agent_runs.status            anon       -       -       -      no      -
    agent_runs.status            owner      -       -       -      yes     -
    agent_runs.status            other      -       -       -      no      -
    agent_runs.status            admin      -       -       -      yes     -
    agent_runs.user_id           owner      -       -       -      no      -
    agent_runs.user_id           admin      -       -       -      no      -
    agent_run_events             anon       no      no      no     no      no
    agent_run_events             owner      yes     yes     no     no      no
    agent_run_events             other      no      no      no     no      no
    agent_run_events             admin      yes     no      no     no      no
    routing_metrics              anon       no      no      no     no      no
    routing_metrics              owner      yes     yes     no     no      no
    routing_metrics              other      no      yes     no     no      no
    routing_metrics              admin      yes     yes     no     no      no
    routing_daily                anon       no      no      no     no      no
    routing_daily                owner      yes     no      no     no      no
    routing_daily                other      no      no      no     no      no
    routing_daily                admin      yes     no      no     no      no
    routing_budgets              anon       no      no      no     no      no
    routing_budgets              owner      yes     yes     no     yes     yes
    routing_budgets              other      no      yes     no     no      no
    routing_budgets              admin      no      yes     no     no      no
    routing_budgets.user_id      owner      -       -       -      no      -
    model_prices                 anon       no      no      -      no      no
    model_prices                 owner      yes     no      -      no      no
    model_prices                 other      yes     no      -      no      no
    model_prices                 admin      yes     yes     -      yes     yes
    change_log.routing_metrics   anon       no      -       -      -       -
    change_log.routing_metrics   owner      no      -       -      -       -
    change_log.routing_metrics   admin      no      -       -      -       -
    change_log.routing_budgets   admin      no      -       -      -       -
"""


ROWS: dict[str, Values] = {
    "users": {"id": "{owner}"},
    "events": {"id": "{event}"},
    "event_cohosts": {"event_id": "{event}", "user_id": "{cohost}"},
    "rsvps": {"event_id": "{event}", "user_id": "{owner}"},
    "tavern_messages": {"id": "{chat}"},
    "event_messages": {"id": "{said}"},
    "private_messages": {"id": "{private}"},
    "change_log": {"table_name": "events", "row_key->>id": "{event}"},
    "change_log.private": {"table_name": "private_messages", "row_key->>id": "{private}"},
    "change_log.agent_runs": {"table_name": "agent_runs", "row_key->>id": "{run}"},
    "ended_sessions": {"user_id": "{owner}"},
    "agent_runs": {"id": "{run}"},
    "agent_run_events": {"run_id": "{run}"},
    "routing_metrics": {"id": "{metric}"},
    "routing_daily": {"user_id": "{owner}"},
    "routing_budgets": {"id": "{budget}"},
    "model_prices": {"id": "{price}"},
    "change_log.routing_metrics": {"table_name": "routing_metrics", "row_key->>id": "{metric}"},
    "change_log.routing_budgets": {"table_name": "routing_budgets", "row_key->>id": "{budget}"},
}
SETS: dict[str, Values] = {
    "users": {"bio": "New here"},
    "users.role": {"role": "organizer"},
    "events": {"location": "Back room"},
    "events.organizer_id": {"organizer_id": "{other}"},
    "event_cohosts": {"version": 9},
    "rsvps": {"status": "going"},
    "tavern_messages": {"body": "Hello again"},
    "tavern_messages.hidden_at": {"hidden_at": "now"},
    "tavern_messages.author_id": {"author_id": "{other}"},
    "event_messages": {"body": "Hello again"},
    "event_messages.hidden_at": {"hidden_at": "now"},
    "event_messages.event_id": {"event_id": "{other}"},
    "event_messages.author_id": {"author_id": "{other}"},
    "private_messages": {"body": "Not what I said"},
    "private_messages.read_at": {"read_at": "now"},
    "change_log": {"actor": None},
    "ended_sessions": {"created_at": "now"},
    "agent_runs": {"current_step": "Reading"},
    "agent_runs.status": {"status": "cancelled"},
    "agent_runs.user_id": {"user_id": "{other}"},
    "agent_run_events": {"message": "That is not what was said"},
    "routing_metrics": {"cost": 0},
    "routing_daily": {"cost": 0},
    "routing_budgets": {"hard_limit": 30},
    "routing_budgets.user_id": {"user_id": "{other}"},
    "model_prices": {"input_price": 0},
}
# `{name}` is the person in whose name the row is: the one who acts, or another.
INSERTS: dict[str, Values] = {
    "users": {"id": "{name}", "display_name": "Back again"},
    "events": {"title": "Picnic", "starts_at": "now", "ends_at": "tomorrow", "organizer_id": "{name}"},
    "event_cohosts": {"event_id": "{event}", "user_id": "{other}"},
    "rsvps": {"event_id": "{event}", "user_id": "{name}", "status": "going"},
    "tavern_messages": {"author_id": "{name}", "body": "Hi"},
    "event_messages": {"event_id": "{event}", "author_id": "{name}", "body": "Hi"},
    "private_messages": {"sender_id": "{name}", "recipient_id": "{third}", "body": "Hi"},
    "change_log": {"table_name": "events", "row_key": "{}", "op": "DELETE"},
    "ended_sessions": {"session_id": "{fresh}", "user_id": "{name}"},
    "agent_runs": {"user_id": "{name}", "agent_name": "Tester", "agent_id": "t-1"},
    "agent_run_events": {"run_id": "{run}", "user_id": "{name}", "kind": "log", "message": "Hi"},
    "routing_metrics": {"user_id": "{name}", "request_id": "r-2", "provider": "acme", "model": "small"},
    "routing_daily": {
        "user_id": "{name}",
        "day": "2026-01-01",
        "provider": "p",
        "model": "m",
        "route": "r",
        "requests": 1,
        "errors": 0,
        "fallbacks": 0,
        "auto_routed": 0,
        "dropped": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cost": 0,
        "latencies": "{}",
    },
    "routing_budgets": {"user_id": "{name}", "period": "day", "soft_limit": 1, "hard_limit": 2},
    "model_prices": {"provider": "acme", "model": "{fresh}", "input_price": 1, "output_price": 2},
}
TABLE = AccessTable(ACCESS, ROWS, SETS, INSERTS)
