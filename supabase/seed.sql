-- Demo people, events and talk. ONLY FOR LOCAL STACKS: three accounts share the published password `tavern-demo`.
-- The embedded Supabase and `supabase db reset` run this once after the migrations; never push it to a hosted project.
-- It refuses a database that has accounts already.

do $$
begin
    if exists (select from auth.users) then
        raise exception 'The demo data is for an empty database, and this one has accounts.';
    end if;
end
$$;

-- Accounts as the Auth service writes them: no token column may be null, and every email account has an identity.
-- The hash is bcrypt's of `tavern-demo`; people without one cannot sign in with a password.
insert into auth.users (
    instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
    confirmation_token, recovery_token, email_change_token_new, email_change,
    raw_app_meta_data, raw_user_meta_data, created_at, updated_at
)
select
    '00000000-0000-0000-0000-000000000000', person.id::uuid, 'authenticated', 'authenticated', person.email,
    case when person.signs_in then '$2a$10$cbnCJ.OqkFPt3BQDIdCNpeqSg94FtBmNrAoLaihrehJzXuo1VdReG' else '' end,
    now() - person.joined, '', '', '', '',
    '{"provider": "email", "providers": ["email"]}', jsonb_build_object('display_name', person.name),
    now() - person.joined, now() - person.joined
from (values
    ('a0000000-0000-4000-8000-000000000001', 'ada@tavern.example', 'Ada', true, interval '90 days'),
    ('a0000000-0000-4000-8000-000000000002', 'bo@tavern.example', 'Bo', true, interval '84 days'),
    ('a0000000-0000-4000-8000-000000000003', 'cy@tavern.example', 'Cy', true, interval '60 days'),
    ('a0000000-0000-4000-8000-000000000004', 'mei@tavern.example', 'Mei Tanaka', false, interval '41 days'),
    ('a0000000-0000-4000-8000-000000000005', 'tomas@tavern.example', 'Tomás Rey', false, interval '33 days'),
    ('a0000000-0000-4000-8000-000000000006', 'nadia@tavern.example', 'Nadia Okafor', false, interval '20 days'),
    ('a0000000-0000-4000-8000-000000000007', 'finn@tavern.example', 'Finn', false, interval '9 days')
) as person (id, email, name, signs_in, joined);

insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
select
    id::text, id, jsonb_build_object('sub', id::text, 'email', email, 'email_verified', true, 'phone_verified', false),
    'email', created_at, created_at, created_at
from auth.users;

-- The profiles were made by the trigger.
update public.users as profile
set role = person.role, bio = person.bio, avatar = person.avatar
from (values
    ('Ada', 'admin', '🦉', 'Keeps the lights on and the fire lit. Ask me anything about the house.'),
    ('Bo', 'organizer', '🎲', 'Board games, quiz nights and the monthly mending circle.'),
    ('Cy', 'member', '🎸', 'Here for the music and the soup.'),
    ('Mei Tanaka', 'member', '🍵', 'Tea, stargazing, and far too many houseplants.'),
    ('Tomás Rey', 'member', '🥘', 'I cook for twelve even when we are four.'),
    ('Nadia Okafor', 'member', '📚', 'Reading my way round the world, one country a month.'),
    ('Finn', 'member', '🚲', 'New in town. Will fix your bike for a story.')
) as person (name, role, avatar, bio)
where profile.display_name = person.name;

-- Everything below is said and done by somebody, as the activity feed shows it. The API is not involved, so the claims
-- only name the actor. Past events are given their date after the answers to them.
do $$
declare
    -- The events are in the evening where the demo is looked at: the embedded Supabase says in which zone it runs.
    -- UTC says nothing about that, because machines without a place are set to it.
    house constant text := coalesce(
        (
            select name from pg_catalog.pg_timezone_names
            where name = current_setting('local_supabase.time_zone', true) and name !~ '^(Etc/|posix|right/)|UTC$'
        ),
        'Europe/Berlin'
    );
    today constant date := (now() at time zone house)::date;
    item record;
begin
    for item in
        select e.*, u.id as organizer_id from (values
            (1, 'Bo', 'Quiz night: maps and borders', 'Teams of up to four. Six rounds, one of them by ear. The winners choose the next theme.',
                2, time '19:30', interval '2 hours 30 minutes', house, 'The long table', 24, interval '6 days'),
            (2, 'Tomás Rey', 'Paella for the whole house', 'Two pans, one with fish and one without. Bring something to drink and an appetite.',
                4, time '18:00', interval '3 hours', house, 'Courtyard kitchen', 6, interval '5 days'),
            (3, 'Mei Tanaka', 'Stargazing on the roof', 'Jupiter is up all evening. Warm clothes; there will be tea. We move to the week after if it is cloudy.',
                6, time '20:00', interval '2 hours', house, 'Roof terrace', 12, interval '4 days'),
            (4, 'Bo', 'Mending circle', 'Bring what is torn: trousers, tents, toasters. Needles, solder and patience are here.',
                9, time '11:00', interval '4 hours', house, 'Workshop', null, interval '3 days'),
            (5, 'Nadia Okafor', 'Book club: a novel from Nigeria', 'We talk about the first half. Nobody minds if you only got to page forty.',
                12, time '20:00', interval '90 minutes', 'America/New_York', 'Online, link in the chat', 15, interval '2 days'),
            (6, 'Cy', 'Open stage', 'Three songs or ten minutes each. The piano has been tuned.',
                16, time '20:00', interval '3 hours', house, 'Back room', 40, interval '30 hours'),
            (7, 'Bo', 'Winter walk to the mill', 'Eleven kilometers, mostly flat. Called off: the bridge is closed until further notice.',
                7, time '10:00', interval '5 hours', house, 'Meet at the door', null, interval '8 days'),
            (8, 'Ada', 'House meeting', 'Heating, keys, the new opening hours.',
                10, time '19:00', interval '1 hour', house, 'Front room', null, interval '20 days'),
            (9, 'Cy', 'Soup and songs', 'A pot of soup, a guitar going round.',
                13, time '19:00', interval '3 hours', house, 'Back room', 20, interval '25 days')
        ) as e (number, by, title, description, in_days, at, lasts, time_zone, location, capacity, created)
        join public.users as u on u.display_name = e.by
    loop
        perform set_config('request.jwt.claims', json_build_object('sub', item.organizer_id)::text, true);
        insert into public.events (
            id, title, description, starts_at, ends_at, time_zone, location, capacity, organizer_id, created_at, updated_at
        ) values (
            ('e0000000-0000-4000-8000-00000000000' || item.number)::uuid, item.title, item.description,
            (today + item.in_days + item.at) at time zone house,
            (today + item.in_days + item.at + item.lasts) at time zone house,
            item.time_zone, item.location, item.capacity, item.organizer_id, now() - item.created, now() - item.created
        );
    end loop;

    insert into public.event_cohosts (event_id, user_id, created_at, updated_at)
    select ('e0000000-0000-4000-8000-00000000000' || c.number)::uuid, u.id, now() - interval '4 days', now() - interval '4 days'
    from (values (1, 'Nadia Okafor'), (6, 'Finn')) as c (number, name)
    join public.users as u on u.display_name = c.name;

    for item in
        select r.*, u.id as user_id from (values
            (1, 'Bo', 'going', 140), (1, 'Ada', 'going', 120), (1, 'Nadia Okafor', 'going', 100), (1, 'Finn', 'maybe', 70), (1, 'Mei Tanaka', 'declined', 60),
            (2, 'Tomás Rey', 'going', 110), (2, 'Ada', 'going', 96), (2, 'Bo', 'going', 90), (2, 'Mei Tanaka', 'going', 75), (2, 'Finn', 'going', 50), (2, 'Nadia Okafor', 'maybe', 49),
            (3, 'Mei Tanaka', 'going', 90), (3, 'Nadia Okafor', 'going', 80), (3, 'Cy', 'maybe', 40),
            (4, 'Bo', 'going', 70), (4, 'Finn', 'going', 66), (4, 'Tomás Rey', 'maybe', 30),
            (5, 'Nadia Okafor', 'going', 45), (5, 'Ada', 'maybe', 44), (5, 'Mei Tanaka', 'going', 20),
            (6, 'Cy', 'going', 29), (6, 'Finn', 'going', 27), (6, 'Tomás Rey', 'going', 9), (6, 'Bo', 'maybe', 5),
            (7, 'Bo', 'going', 180), (7, 'Finn', 'going', 150),
            (8, 'Ada', 'going', 460), (8, 'Bo', 'going', 450), (8, 'Cy', 'going', 440), (8, 'Tomás Rey', 'declined', 430),
            (9, 'Cy', 'going', 590), (9, 'Tomás Rey', 'going', 570), (9, 'Mei Tanaka', 'going', 560), (9, 'Ada', 'maybe', 540)
        ) as r (number, name, status, hours_ago)
        join public.users as u on u.display_name = r.name
        order by r.hours_ago desc
    loop
        perform set_config('request.jwt.claims', json_build_object('sub', item.user_id)::text, true);
        insert into public.rsvps (event_id, user_id, status, created_at, updated_at) values (
            ('e0000000-0000-4000-8000-00000000000' || item.number)::uuid, item.user_id, item.status,
            now() - make_interval(hours => item.hours_ago), now() - make_interval(hours => item.hours_ago)
        );
    end loop;

    perform set_config('request.jwt.claims', '{"sub": "a0000000-0000-4000-8000-000000000002"}', true);
    update public.events set cancelled_at = now() - interval '26 hours', cancel_reason = 'The path is under ice.'
    where title = 'Winter walk to the mill';
    perform set_config('request.jwt.claims', '', true);
    update public.events set
        starts_at = ((starts_at at time zone house) - interval '22 days') at time zone house,
        ends_at = ((ends_at at time zone house) - interval '22 days') at time zone house
    where title in ('House meeting', 'Soup and songs');

    for item in
        select m.*, u.id as author_id from (values
            (1, 'Ada', 3110, 'Evening all. The stove in the front room is going, come in and sit down.'),
            (2, 'Cy', 3098, 'On my way, and I have half a pumpkin with me.'),
            (3, 'Tomás Rey', 3090, 'Half a pumpkin is a soup. I will start the onions.'),
            (4, 'Mei Tanaka', 1720, 'Clear sky tonight. Saturn''s rings are thin this year but you can see them from the roof.'),
            (5, 'Nadia Okafor', 1708, 'Saw them! Also a fox on the neighbor''s shed, looking very official.'),
            (6, 'Bo', 1640, 'Quiz night is on. Six rounds, and I promise fewer flags than last time.'),
            (7, 'Ada', 1632, 'You promised that last time.'),
            (8, 'Bo', 1630, 'And there were fewer! Forty-one instead of forty-four.'),
            (9, 'Finn', 1580, 'Hello, I am new here. I moved in above the bakery last week.'),
            (10, 'Cy', 1575, 'Welcome, Finn! The bakery''s seconds end up on this counter around six.'),
            (11, 'Finn', 1571, 'Then I chose the right street. Does anybody need a bike fixed? I have tools and no bikes yet.'),
            (12, 'Mei Tanaka', 1566, 'My back brake says yes please.'),
            (13, 'Tomás Rey', 390, 'Paella on the courtyard stove this week. Six places because of the pan, so be quick.'),
            (14, 'Ada', 384, 'I''m in. Shall I bring the long spoons?'),
            (15, 'Tomás Rey', 381, 'Bring the spoons, the lemons, and anybody who peels garlic.'),
            (16, 'Bo', 340, 'The walk to the mill is off, sorry. They closed the bridge and the other way round is 23 km.'),
            (17, 'Finn', 336, '23 km by bike would be fine…'),
            (18, 'Bo', 331, 'Spring, then. I''ll hold you to it.'),
            (19, 'Nadia Okafor', 205, 'Book club people: the first half, up to the wedding. No spoilers in here please.'),
            (20, 'Mei Tanaka', 198, 'There is a wedding?!'),
            (21, 'Nadia Okafor', 196, '…I have said too much.'),
            (22, 'Cy', 74, 'The piano is tuned. It sounds like a different instrument, come and try it before the open stage.'),
            (23, 'Finn', 61, 'Put me down for three songs. Two of them quiet.'),
            (24, 'Ada', 22, 'Fresh bread on the counter, still warm. First come, first served 🍞'),
            (25, 'Cy', 9, 'Already down the stairs.')
        ) as m (number, name, minutes_ago, body)
        join public.users as u on u.display_name = m.name
        order by m.number
    loop
        perform set_config('request.jwt.claims', json_build_object('sub', item.author_id)::text, true);
        insert into public.tavern_messages (author_id, body, created_at, updated_at) values (
            item.author_id, item.body,
            now() - make_interval(mins => item.minutes_ago), now() - make_interval(mins => item.minutes_ago)
        );
    end loop;

    for item in
        select m.*, s.id as sender_id, r.id as recipient_id from (values
            (1, 'Bo', 'Ada', 1500, true, 'Could I have the key to the workshop for the mending circle?'),
            (2, 'Ada', 'Bo', 1490, true, 'It hangs behind the bar, left of the clock. Lock the solder away after, please.'),
            (3, 'Bo', 'Ada', 1488, true, 'Will do, thank you!'),
            (4, 'Cy', 'Bo', 300, true, 'Is there room for an upright bass at the open stage?'),
            (5, 'Bo', 'Cy', 290, true, 'If it comes through the door, it may stay.'),
            (6, 'Ada', 'Cy', 55, true, 'Your pumpkin soup was the best thing to happen on a Tuesday in months.'),
            (7, 'Cy', 'Ada', 50, false, 'The secret is Tomás and far too much butter.'),
            (8, 'Bo', 'Cy', 12, false, 'Measured the door: 92 cm. Bring the bass.')
        ) as m (number, sender, recipient, minutes_ago, is_read, body)
        join public.users as s on s.display_name = m.sender
        join public.users as r on r.display_name = m.recipient
        order by m.number
    loop
        perform set_config('request.jwt.claims', json_build_object('sub', item.sender_id)::text, true);
        insert into public.private_messages (sender_id, recipient_id, body, read_at, created_at, updated_at) values (
            item.sender_id, item.recipient_id, item.body,
            case when item.is_read then now() - make_interval(mins => item.minutes_ago - 4) end,
            now() - make_interval(mins => item.minutes_ago), now() - make_interval(mins => item.minutes_ago)
        );
    end loop;
    perform set_config('request.jwt.claims', '', true);
end
$$;

-- Rating tasks: a tenant that anybody may join, a campaign under way, and answers that differ. Bo manages it; Ada, Cy and
-- three others rate. Not everything is judged, so that there is something to do.
do $$
declare
    bo constant uuid := 'a0000000-0000-4000-8000-000000000002';
    campaign constant uuid := 'c0000000-0000-4000-8000-000000000001';
    item record;
begin
    perform set_config('request.jwt.claims', json_build_object('sub', bo)::text, true);
    perform public.create_tenant('tavern_lab', 'Tavern Lab', true, 'bo');
    insert into public.rater_profiles (user_id, tenant_id, rater_id, name)
    select id, 'tavern_lab', lower(split_part(display_name, ' ', 1)), display_name
    from public.users where display_name in ('Ada', 'Cy', 'Mei Tanaka', 'Nadia Okafor', 'Finn');

    insert into public.campaigns (
        id, tenant_id, name, guidelines, task_types, judgments_per_task, lease_seconds, gold_share, status, created_by
    ) values (
        campaign, 'tavern_lab', 'House assistant, autumn',
        'Which answer would you rather get at the bar? A correct answer beats a pretty one. '
        'For SQL and tool calls, what does not run is worse than what is slow.',
        '["text_to_sql", "tool_call_qa", "summary", "chat"]', 3, 600, 0.2, 'active', bo
    );
    perform public.create_rating_tasks(campaign, (
        select jsonb_agg(jsonb_build_object(
            'id', 'd0000000-0000-4000-8000-0000000000' || lpad(t.number::text, 2, '0'),
            'task_type', t.kind, 'prompt', t.prompt, 'candidate_a', t.a, 'candidate_b', t.b,
            'name_a', t.name_a, 'name_b', t.name_b, 'priority', t.priority, 'gold_verdict', t.gold, 'gold_reason', t.reason
        ) order by t.number)
        from (values
            (1, 'text_to_sql', 0, 'hearth-7b', 'ember-3b', null, null,
                'How many guests have said yes to each event? Tables: events(id, title), rsvps(event_id, user_id, status).',
                to_jsonb('SELECT e.title, count(r.user_id) AS guests' || E'\n' || 'FROM events e' || E'\n'
                    || 'LEFT JOIN rsvps r ON r.event_id = e.id AND r.status = ''going''' || E'\n' || 'GROUP BY e.id, e.title' || E'\n'
                    || 'ORDER BY guests DESC;'),
                to_jsonb('SELECT title, COUNT(*) FROM events, rsvps WHERE status = ''going'' GROUP BY title'::text)),
            (2, 'text_to_sql', 0, 'ember-3b', 'lantern-13b', null, null,
                'The three people who wrote most in the last week. Tables: users(id, display_name), tavern_messages(author_id, created_at).',
                to_jsonb('SELECT display_name FROM users JOIN tavern_messages ORDER BY count(*) LIMIT 3'::text),
                to_jsonb('SELECT u.display_name, count(*) AS messages' || E'\n' || 'FROM tavern_messages m JOIN users u ON u.id = m.author_id'
                    || E'\n' || 'WHERE m.created_at > now() - interval ''7 days''' || E'\n'
                    || 'GROUP BY u.id, u.display_name ORDER BY messages DESC LIMIT 3;')),
            (3, 'tool_call_qa', 0, 'hearth-7b', 'lantern-13b', null, null,
                'Book me a place at the quiz night.',
                '{"tool": "rsvp", "arguments": {"event": "Quiz night: maps and borders", "status": "going"}}'::jsonb,
                '{"tool": "rsvp", "arguments": {"event": "Quiz night", "status": "yes"}}'::jsonb),
            (4, 'tool_call_qa', 5, 'ember-3b', 'hearth-7b', 'B', 'The arguments of the first are no JSON: a quote is missing.',
                'Who is coming to the open stage?',
                '{"tool": "run_sql", "arguments": "{\"query\": \"select * from rsvps}"}'::jsonb,
                '{"tool": "run_sql", "arguments": "{\"query\": \"select u.display_name from rsvps r join users u on u.id = r.user_id where r.event_id = $1 and r.status = ''going''\"}"}'::jsonb),
            (5, 'summary', 0, 'lantern-13b', 'ember-3b', null, null,
                'Sum up in one sentence: the bridge to the mill is closed until further notice, so the winter walk is off; the way round would be 23 km.',
                to_jsonb('The winter walk to the mill is cancelled because the bridge is closed and the detour is 23 km.'::text),
                to_jsonb('There is a bridge and also a mill and a walk, which is 23 km long and very nice in winter.'::text)),
            (6, 'summary', 0, 'hearth-7b', 'lantern-13b', null, null,
                'Sum up in one sentence: the paella has six places because of the size of the pan. Bring something to drink.',
                to_jsonb('Six people can come to the paella; bring a drink.'::text),
                to_jsonb('Paella for six, as many as the pan feeds: bring drinks.'::text)),
            (7, 'chat', 0, 'hearth-7b', 'ember-3b', null, null,
                'I am new here. Where do I start?',
                to_jsonb('Welcome! The stove in the front room is going: sit down, say hello, and look at Events for what is on this week.'::text),
                to_jsonb('As an assistant I cannot have a start. Please consult the documentation.'::text)),
            (8, 'chat', 5, 'lantern-13b', 'hearth-7b', 'both_bad', 'Neither knows: the house has no opening hours on record, and both make some up.',
                'When do you close tonight?',
                to_jsonb('We close at 23:00 sharp.'::text),
                to_jsonb('The Tavern closes at 2 in the morning on all days.'::text)),
            (9, 'text_to_sql', 0, 'hearth-7b', 'lantern-13b', null, null,
                'All events that are full. Tables: events(id, title, capacity), rsvps(event_id, status).',
                to_jsonb('SELECT title FROM events WHERE capacity <= (SELECT count(*) FROM rsvps WHERE event_id = events.id AND status = ''going'');'::text),
                to_jsonb('SELECT e.title FROM events e JOIN rsvps r ON r.event_id = e.id WHERE r.status = ''going'' GROUP BY e.id, e.title, e.capacity HAVING count(*) >= e.capacity;'::text)),
            (10, 'tool_call_qa', 0, 'lantern-13b', 'ember-3b', null, null,
                'Tell Mei that her brake is fixed.',
                '{"tool": "send_message", "arguments": {"to": "Mei Tanaka", "body": "Your back brake is fixed."}}'::jsonb,
                '{"tool": "send_message", "arguments": {"to": "everybody", "body": "Mei brake fixed"}}'::jsonb),
            (11, 'chat', 0, 'ember-3b', 'lantern-13b', null, null,
                'Suggest something to do with half a pumpkin.',
                to_jsonb('Soup.'::text),
                to_jsonb('Soup: onions first, then the pumpkin, stock, and more butter than you think. It feeds six and nobody complains.'::text)),
            (12, 'summary', 0, 'ember-3b', 'hearth-7b', null, null,
                'Sum up for somebody who missed it: the piano is tuned and sounds like a different instrument; try it before the open stage.',
                to_jsonb('Piano good now.'::text),
                to_jsonb('The piano has been tuned; try it before the open stage.'::text))
        ) as t (number, kind, priority, name_a, name_b, gold, reason, prompt, a, b)
    ));
    -- As they would stand in the queue: each a little later than the one before.
    for item in
        select j.*, profile.user_id,
            now() - make_interval(days => j.days_ago, mins => 400 - 13 * j.number) as at
        from (values
            (1, 'ada', 'A', 3), (1, 'mei', 'A', 2), (1, 'nadia', 'A', 2), (2, 'ada', 'B', 3), (2, 'mei', 'B', 2),
            (2, 'finn', 'tie', 1), (3, 'mei', 'A', 2), (3, 'nadia', 'A', 1), (4, 'mei', 'B', 2), (4, 'nadia', 'B', 1),
            (4, 'finn', 'A', 1), (5, 'ada', 'A', 2), (5, 'mei', 'A', 1), (5, 'nadia', 'A', 1), (6, 'mei', 'tie', 1),
            (6, 'nadia', 'B', 1), (6, 'finn', 'A', 1), (7, 'ada', 'A', 1), (7, 'nadia', 'A', 0), (8, 'mei', 'both_bad', 1),
            (8, 'nadia', 'both_bad', 0), (10, 'mei', 'A', 0), (11, 'nadia', 'B', 0)
        ) as j (number, rater_id, verdict, days_ago)
        join public.rater_profiles as profile on profile.rater_id = j.rater_id and profile.tenant_id = 'tavern_lab'
        order by at
    loop
        insert into public.task_leases (tenant_id, campaign_id, task_id, user_id, rater_id, state, claimed_at, expires_at)
        values (
            'tavern_lab', campaign, ('d0000000-0000-4000-8000-0000000000' || lpad(item.number::text, 2, '0'))::uuid,
            item.user_id, item.rater_id, 'submitted', item.at - interval '40 seconds', item.at
        );
        insert into public.judgments (
            tenant_id, campaign_id, task_id, user_id, rater_id, verdict, seconds, judged_at, sealed_at
        ) values (
            'tavern_lab', campaign, ('d0000000-0000-4000-8000-0000000000' || lpad(item.number::text, 2, '0'))::uuid,
            item.user_id, item.rater_id, item.verdict, 40, item.at, item.at
        );
    end loop;
    perform set_config('request.jwt.claims', '', true);
end
$$;

-- Routing decisions of the three demo people in the last six weeks, at list prices of 2025. No model was asked: the
-- numbers are random, though the same every time, and the rows say `simulated` in their metadata.
do $$
declare
    ada constant uuid := 'a0000000-0000-4000-8000-000000000001';
begin
    perform setseed(0.42);
    insert into public.model_prices (provider, model, input_price, output_price, created_at, updated_at)
    select p.provider, p.model, p.input_price, p.output_price, now() - interval '44 days', now() - interval '44 days'
    from (values
        ('gemini', 'gemini-2.5-flash', 0.30, 2.50), ('gemini', 'gemini-2.5-pro', 1.25, 10.00),
        ('openai', 'gpt-4o-mini', 0.15, 0.60), ('openai', 'gpt-4o', 2.50, 10.00),
        ('anthropic', 'claude-3-5-haiku', 0.80, 4.00), ('anthropic', 'claude-sonnet-4', 3.00, 15.00)
    ) as p (provider, model, input_price, output_price);

    insert into public.routing_metrics (
        user_id, request_id, "timestamp", provider, model, route, auto_route, prompt_length, input_tokens, output_tokens,
        cost, latency_ms, success, error_kind, fallback, fallback_from, metadata, created_at, updated_at
    )
    select
        drawn.user_id, 'demo-' || drawn.number, drawn.at, drawn.provider, drawn.model, drawn.route, drawn.luck < 0.9,
        4 * drawn.input, drawn.input, case when drawn.luck < 0.03 then 0 else drawn.output end,
        round(
            (price.input_price * drawn.input
                + price.output_price * case when drawn.luck < 0.03 then 0 else drawn.output end) / 1000000, 9
        ),
        case when drawn.luck < 0.03 then 30000 else (drawn.wait * (350 + 6 * drawn.output))::integer end,
        drawn.luck >= 0.03,
        case when drawn.luck < 0.015 then 'timeout' when drawn.luck < 0.03 then 'rate_limit' end,
        drawn.luck between 0.03 and 0.09, case when drawn.luck between 0.03 and 0.09 then 'gpt-4o' end,
        '{"simulated": true}', drawn.at, drawn.at
    from (
        select
            n as number,
            ('a0000000-0000-4000-8000-00000000000' || (1 + n % 3))::uuid as user_id,
            -- More of late, and the last ones just now.
            now() - interval '44 days' * power(1 - n / 600.0, 1.6) - interval '90 seconds' as at,
            (array['gemini', 'gemini', 'openai', 'anthropic'])[1 + n % 4] as provider,
            (array['gemini-2.5-flash', 'gemini-2.5-pro', 'gpt-4o-mini', 'claude-sonnet-4'])[1 + n % 4] as model,
            (array['chat', 'code', 'summary'])[1 + (n / 4) % 3] as route,
            (200 + 4000 * random())::integer as input, (30 + 900 * random())::integer as output,
            0.6 + random() as wait, random() as luck
        from generate_series(1, 600) as n
    ) as drawn
    join public.model_prices as price on (price.provider, price.model) = (drawn.provider, drawn.model);

    insert into public.routing_budgets (user_id, period, provider, soft_limit, hard_limit)
    values (ada, 'month', null, 0.50, 5), (ada, 'day', 'gemini', 0.25, 0.50);
    delete from public.change_log where table_name in ('model_prices', 'routing_metrics', 'routing_daily', 'routing_budgets');
end
$$;

-- The feed tells when things are meant to have happened, not when this file ran, and leaves out what was put right above.
-- Nothing is older than the log's retention: it would be pruned sooner or later.
update public.change_log
set changed_at = greatest(
    now() - interval '29 days',
    coalesce((new ->> 'cancelled_at')::timestamptz, (new ->> 'created_at')::timestamptz, changed_at)
)
where op = 'INSERT' or new ->> 'cancelled_at' is not null;
update public.change_log as entry set changed_at = message.created_at
from public.private_messages as message
where entry.table_name = 'private_messages' and entry.row_key ->> 'id' = message.id::text;
delete from public.change_log where op = 'UPDATE' and actor is null;
update private.change_log_state set complete_from = pg_current_xact_id();
