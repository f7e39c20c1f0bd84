-- crypt() asks the supervisor (password_hashing.py), because bcrypt is too slow in SQL.

create or replace function @extschema@.crypt(password text, salt text) returns text
    language plpgsql volatile strict security definer set search_path = pg_catalog, pg_temp as $$
declare
    folder constant text := current_setting('data_directory') || '/password_hashing/';
    request constant text := gen_random_uuid()::text;
    waiting_since constant timestamptz := clock_timestamp();
    hash text;
begin
    if salt !~ '^\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{22}' then
        if salt ~ '^(\$1\$|_|[./A-Za-z0-9]{2})' then
            raise exception 'crypt() with DES and MD5 salts is not supported by the embedded Supabase; use gen_salt(''bf'')'
                using errcode = 'feature_not_supported';
        end if;
        raise exception 'invalid salt' using errcode = 'invalid_parameter_value';
    elsif substring(salt from 5 for 2)::int not between 4 and 31 then
        raise exception 'invalid salt' using errcode = 'invalid_parameter_value';
    elsif substring(salt from 5 for 2)::int > 16 then
        raise exception 'crypt() with more than 16 rounds is not supported by the embedded Supabase'
            using errcode = 'feature_not_supported';
    end if;
    -- Without the pipe, copy would write a file there.
    if (pg_stat_file(folder || 'requests', true)).size is null then
        raise exception 'crypt() is not available: the embedded Supabase does not answer'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    execute format(
        'copy (select %L) to %L',
        concat_ws(' ', request, encode(substring(convert_to(password, 'UTF8') from 1 for 72), 'hex'),
            encode(substring(convert_to(salt, 'UTF8') from 1 for 29), 'hex')),
        folder || 'requests'
    );
    loop
        hash := pg_read_file(folder || request, true);
        exit when hash is not null;
        if clock_timestamp() > waiting_since + interval '60 seconds' then
            raise exception 'crypt() got no answer from the embedded Supabase'
                using errcode = 'object_not_in_prerequisite_state';
        end if;
        perform pg_sleep(0.001);
    end loop;
    execute format('copy (select %L) to %L', request, folder || 'requests');
    return hash;
end $$;
-- Older versions left it to whoever created the extension.
alter function @extschema@.crypt(text, text) owner to supabase_admin;
