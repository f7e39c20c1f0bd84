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

-- Accounts as the Auth service writes them: no token column may be null, and every e-mail account has an identity.
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
    today constant timestamptz := date_trunc('day', now(), 'UTC');
    item record;
begin
    for item in
        select e.*, u.id as organizer_id from (values
            (1, 'Bo', 'Quiz night: maps and borders', 'Teams of up to four. Six rounds, one of them by ear. The winners choose the next theme.',
                2, interval '18 hours 30 minutes', interval '2 hours 30 minutes', 'Europe/Berlin', 'The long table', 24, interval '6 days'),
            (2, 'Tomás Rey', 'Paella for the whole house', 'Two pans, one with fish and one without. Bring something to drink and an appetite.',
                4, interval '17 hours', interval '3 hours', 'Europe/Madrid', 'Courtyard kitchen', 6, interval '5 days'),
            (3, 'Mei Tanaka', 'Stargazing on the roof', 'Jupiter is up all evening. Warm clothes; there will be tea. We move to the week after if it is cloudy.',
                6, interval '11 hours', interval '2 hours', 'Asia/Tokyo', 'Roof terrace', 12, interval '4 days'),
            (4, 'Bo', 'Mending circle', 'Bring what is torn: trousers, tents, toasters. Needles, solder and patience are here.',
                9, interval '10 hours', interval '4 hours', 'Europe/London', 'Workshop', null, interval '3 days'),
            (5, 'Nadia Okafor', 'Book club: a novel from Nigeria', 'We talk about the first half. Nobody minds if you only got to page forty.',
                12, interval '23 hours', interval '90 minutes', 'America/New_York', 'Online, link in the chat', 15, interval '2 days'),
            (6, 'Cy', 'Open stage', 'Three songs or ten minutes each. The piano has been tuned.',
                16, interval '19 hours', interval '3 hours', 'Europe/Berlin', 'Back room', 40, interval '30 hours'),
            (7, 'Bo', 'Winter walk to the mill', 'Eleven kilometers, mostly flat. Called off: the bridge is closed until further notice.',
                7, interval '9 hours', interval '5 hours', 'Europe/Berlin', 'Meet at the door', null, interval '8 days'),
            (8, 'Ada', 'House meeting', 'Heating, keys, the new opening hours.',
                10, interval '18 hours', interval '1 hour', 'Europe/Berlin', 'Front room', null, interval '20 days'),
            (9, 'Cy', 'Soup and songs', 'A pot of soup, a guitar going round.',
                13, interval '18 hours', interval '3 hours', 'Europe/Berlin', 'Back room', 20, interval '25 days')
        ) as e (number, by, title, description, in_days, at, lasts, time_zone, location, capacity, created)
        join public.users as u on u.display_name = e.by
    loop
        perform set_config('request.jwt.claims', json_build_object('sub', item.organizer_id)::text, true);
        insert into public.events (
            id, title, description, starts_at, ends_at, time_zone, location, capacity, organizer_id, created_at, updated_at
        ) values (
            ('e0000000-0000-4000-8000-00000000000' || item.number)::uuid, item.title, item.description,
            today + make_interval(days => item.in_days) + item.at,
            today + make_interval(days => item.in_days) + item.at + item.lasts,
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
    update public.events set cancelled_at = now() - interval '26 hours' where title = 'Winter walk to the mill';
    perform set_config('request.jwt.claims', '', true);
    update public.events set starts_at = starts_at - interval '22 days', ends_at = ends_at - interval '22 days'
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
