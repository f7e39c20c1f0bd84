-- crypt() no longer runs a program: extension/pgcrypto--1.3--1.4.sql.

do $$
begin
    if exists (select from pg_extension where extname = 'pgcrypto' and extversion = '1.3') then
        alter extension pgcrypto update to '1.4';
    end if;
end
$$;
drop table if exists _local_supabase.programs;
