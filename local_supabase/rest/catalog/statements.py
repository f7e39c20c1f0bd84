"""The queries of the system catalogs. They are constants: nothing that a caller sends reaches them."""

from __future__ import annotations

from typing import Final

TYPES: Final = """
select t.oid, n.nspname as schema, t.typname as name, t.typtype::text as kind, t.typbasetype as base,
       t.typarray as array_oid, t.typrelid as relation, format_type(t.oid, null) as label
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
"""

ENUMS: Final = """
select enumtypid as type, array_agg(enumlabel::text order by enumsortorder) as labels
from pg_catalog.pg_enum group by enumtypid
"""

# Domain representations, which PostgREST applies by itself: implicit casts by a function between a domain and
# json or text.
REPRESENTATIONS: Final = """
select c.castsource as source, c.casttarget as target, n.nspname as schema, p.proname as name
from pg_catalog.pg_cast c
join pg_catalog.pg_type source on source.oid = c.castsource
join pg_catalog.pg_type target on target.oid = c.casttarget
join pg_catalog.pg_proc p on p.oid = c.castfunc
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where c.castcontext = 'i' and c.castmethod = 'f'
  and (source.typtype = 'd' and c.casttarget in ('json'::regtype, 'text'::regtype)
       or target.typtype = 'd' and c.castsource in ('json'::regtype, 'text'::regtype))
"""

RELATIONS: Final = """
select c.oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
       c.relispartition as is_partition, c.reltype as type, d.description,
       c.relkind in ('r', 'p') or (c.relkind in ('v', 'f') and u.events & 8 = 8) as insertable,
       c.relkind in ('r', 'p') or (c.relkind in ('v', 'f') and u.events & 4 = 4) as updatable,
       c.relkind in ('r', 'p') or (c.relkind in ('v', 'f') and u.events & 16 = 16) as deletable
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description d
  on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_catalog.pg_class'::regclass
left join lateral (
  -- Each bit is 1 << CmdType of a statement that the view accepts, by itself or by triggers.
  select pg_catalog.pg_relation_is_updatable(c.oid, true) as events where c.relkind in ('v', 'f')
) u on true
where c.relkind in ('r', 'v', 'm', 'f', 'p', 'c')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and not pg_catalog.pg_is_other_temp_schema(n.oid)
order by n.nspname, c.relname
"""

COLUMNS: Final = """
select a.attrelid as relation, a.attnum as number, a.attname as name, a.atttypid as type,
       not (a.attnotnull or t.typtype = 'd' and t.typnotnull) as nullable, d.description,
       case when a.atttypmod > 4 and t.typname in ('varchar', 'bpchar') then a.atttypmod - 4 end
         as max_length,
       case
         when t.typbasetype <> 0 and ad.adbin is null then pg_catalog.pg_get_expr(t.typdefaultbin, 0)
         when a.attidentity = 'd' then pg_catalog.format('nextval(%L)', s.sequence)
         when a.attgenerated <> '' then null
         else pg_catalog.pg_get_expr(ad.adbin, ad.adrelid)
       end as default_expression
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
left join pg_catalog.pg_description d
  on d.objoid = a.attrelid and d.objsubid = a.attnum and d.classoid = 'pg_catalog.pg_class'::regclass
left join lateral (
  select pg_catalog.format('%I.%I', sn.nspname, sc.relname) as sequence
  from pg_catalog.pg_depend dep
  join pg_catalog.pg_class sc on sc.oid = dep.objid and sc.relkind = 'S'
  join pg_catalog.pg_namespace sn on sn.oid = sc.relnamespace
  where a.attidentity = 'd' and dep.deptype = 'i' and dep.refobjid = a.attrelid and dep.refobjsubid = a.attnum
  limit 1
) s on true
where a.attnum > 0 and not a.attisdropped
  and c.relkind in ('r', 'v', 'm', 'f', 'p', 'c')
  and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and not pg_catalog.pg_is_other_temp_schema(n.oid)
order by a.attrelid, a.attnum
"""

CONSTRAINTS: Final = """
select conname as name, contype::text as kind, conrelid as relation, conkey as columns,
       confrelid as foreign_relation, confkey as foreign_columns
from pg_catalog.pg_constraint
where contype in ('p', 'u', 'f') and (contype <> 'f' or conparentid = 0)
order by conrelid, conname
"""

VIEWS: Final = """
select r.ev_class as relation, r.ev_action::text as definition
from pg_catalog.pg_rewrite r
join pg_catalog.pg_class c on c.oid = r.ev_class
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and r.rulename = '_RETURN'
  and n.nspname not in ('pg_catalog', 'information_schema')
"""

FUNCTIONS: Final = """
select n.nspname as schema, p.proname as name, p.proargnames as names, p.proargmodes::text[] as modes,
       p.proargtypes::oid[] as inputs, p.proallargtypes::oid[] as types, p.pronargdefaults::int as defaults,
       p.prorettype as returns, p.proretset as set_of, p.prorows = 1 as one_row,
       p.provolatile::text as volatility, p.proconfig as settings, d.description
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
left join pg_catalog.pg_description d on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::regclass
where p.prokind = 'f' and n.nspname not in ('pg_catalog', 'information_schema')
order by n.nspname, p.proname, p.oid
"""

# The settings by `alter role ... set` of the roles that the gateway can take, if every role may set them.
ROLE_SETTINGS: Final = """
select r.rolname as role, s.name as name, substr(c.setting, strpos(c.setting, '=') + 1) as value
from pg_catalog.pg_roles r
join pg_catalog.pg_auth_members m on m.roleid = r.oid
join pg_catalog.pg_roles member on member.oid = m.member and member.rolname = 'authenticator'
cross join lateral unnest(r.rolconfig) as c(setting)
join pg_catalog.pg_settings s on s.name = lower(substr(c.setting, 1, strpos(c.setting, '=') - 1))
where s.context = 'user' and s.name <> 'default_transaction_isolation'
"""

SCHEMAS: Final = """
select n.nspname as name, d.description from pg_catalog.pg_namespace n
left join pg_catalog.pg_description d on d.objoid = n.oid and d.classoid = 'pg_catalog.pg_namespace'::regclass
where n.nspname = any($1)
"""
