-- A picture at an address makes every viewer's browser call that host, which its owner has chosen, and learns who looks
-- when from where. So an avatar is an emoji.
update public.users set avatar = null where avatar ~ '^https://';
alter table public.users
    drop constraint users_avatar_form,
    drop constraint users_avatar_length,
    add constraint users_avatar_form check (avatar = '' or avatar ~ '^[^\u0001-\u007f]{1,16}$');
comment on constraint users_avatar_form on public.users is 'An avatar is an emoji.';
