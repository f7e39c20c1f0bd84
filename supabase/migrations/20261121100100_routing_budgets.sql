-- What a person wants to spend on models at most, and what models cost.

create table public.routing_budgets (
    id uuid constraint routing_budgets_pkey primary key default gen_random_uuid(),
    user_id uuid not null default auth.uid()
        constraint routing_budgets_user_id_fkey references public.users (id) on delete cascade,
    period text not null,
    provider text,
    soft_limit numeric not null,
    hard_limit numeric not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint routing_budgets_scope_key unique nulls not distinct (user_id, period, provider),
    constraint routing_budgets_period_known check (period in ('day', 'month')),
    constraint routing_budgets_provider_length check (char_length(provider) between 1 and 60 and provider ~ '\S'),
    -- NaN is above everything, so the upper end refuses it too.
    constraint routing_budgets_soft_limit_range check (soft_limit > 0 and soft_limit <= 1000000 and scale(soft_limit) <= 6),
    constraint routing_budgets_hard_limit_range check (hard_limit > 0 and hard_limit <= 1000000 and scale(hard_limit) <= 6),
    constraint routing_budgets_soft_before_hard check (soft_limit <= hard_limit)
);
comment on table public.routing_budgets is
    'What a person wants to spend in a day or a month (UTC): a warning at the soft limit, an alarm at the hard one.';
comment on column public.routing_budgets.provider is 'Null for all providers together.';
comment on constraint routing_budgets_scope_key on public.routing_budgets is 'There is a budget for this already.';
comment on constraint routing_budgets_period_known on public.routing_budgets is 'A budget is for a day or a month.';
comment on constraint routing_budgets_provider_length on public.routing_budgets is 'A provider has 1 to 60 characters.';
comment on constraint routing_budgets_soft_limit_range on public.routing_budgets is
    'A limit is above 0 and up to 1,000,000 dollars.';
comment on constraint routing_budgets_hard_limit_range on public.routing_budgets is
    'A limit is above 0 and up to 1,000,000 dollars.';
comment on constraint routing_budgets_soft_before_hard on public.routing_budgets is
    'The soft limit is not above the hard limit.';

create table public.model_prices (
    id uuid constraint model_prices_pkey primary key default gen_random_uuid(),
    provider text not null,
    model text not null,
    input_price numeric not null,
    output_price numeric not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint model_prices_model_key unique (provider, model),
    constraint model_prices_provider_length check (char_length(provider) between 1 and 60 and provider ~ '\S'),
    constraint model_prices_model_length check (char_length(model) between 1 and 120 and model ~ '\S'),
    constraint model_prices_input_price_range check (input_price between 0 and 1000000 and scale(input_price) <= 9),
    constraint model_prices_output_price_range check (output_price between 0 and 1000000 and scale(output_price) <= 9)
);
comment on table public.model_prices is 'What models cost, for "what if"; US dollars for a million tokens. Kept by admins.';
comment on constraint model_prices_model_key on public.model_prices is 'This model has a price already.';
comment on constraint model_prices_provider_length on public.model_prices is 'A provider has 1 to 60 characters.';
comment on constraint model_prices_model_length on public.model_prices is 'A model has 1 to 120 characters.';
comment on constraint model_prices_input_price_range on public.model_prices is
    'A price is between 0 and 1,000,000 dollars for a million tokens.';
comment on constraint model_prices_output_price_range on public.model_prices is
    'A price is between 0 and 1,000,000 dollars for a million tokens.';

create trigger guard_key before update on public.routing_budgets
    for each row when ((old.id, old.user_id) is distinct from (new.id, new.user_id))
    execute function private.refuse('Whose budget it is cannot be changed.');
create trigger stamp_row before insert or update on public.routing_budgets
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.routing_budgets
    for each row execute function private.log_change('user_id', 'id');

create trigger guard_key before update on public.model_prices
    for each row when (old.id is distinct from new.id)
    execute function private.refuse('The id of a price cannot be changed.');
create trigger stamp_row before insert or update on public.model_prices
    for each row execute function private.stamp_row();
create trigger log_change after insert or update or delete on public.model_prices
    for each row execute function private.log_change('public', 'id');

alter table public.routing_budgets enable row level security;
alter table public.model_prices enable row level security;
revoke all on public.routing_budgets, public.model_prices from public, anon, authenticated, service_role;
-- With SELECT and no policy a visitor sees no row; without it, Realtime would tell them that there was one.
grant select on public.routing_budgets, public.model_prices to anon;
grant select, insert, update, delete on public.routing_budgets, public.model_prices to authenticated, service_role;

create policy "A person may see their budgets" on public.routing_budgets
    for select to authenticated using (user_id = (select auth.uid()));
create policy "A person may add budgets" on public.routing_budgets
    for insert to authenticated with check (user_id = (select auth.uid()));
create policy "A person may change their budgets" on public.routing_budgets
    for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy "A person may remove their budgets" on public.routing_budgets
    for delete to authenticated using (user_id = (select auth.uid()));

create policy "Members may see prices" on public.model_prices
    for select to authenticated using (true);
create policy "Admins may add prices" on public.model_prices
    for insert to authenticated with check ((select private.is_admin()));
create policy "Admins may change prices" on public.model_prices
    for update to authenticated using ((select private.is_admin())) with check ((select private.is_admin()));
create policy "Admins may remove prices" on public.model_prices
    for delete to authenticated using ((select private.is_admin()));

alter publication supabase_realtime add table public.routing_budgets, public.model_prices;
