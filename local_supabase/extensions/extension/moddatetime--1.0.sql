-- moddatetime(column): sets the column to the time of the change.

create function @extschema@.moddatetime() returns trigger language plpgsql as $$
begin
    if tg_nargs <> 1 then
        raise exception 'moddatetime: one argument was expected, the name of the column'
            using errcode = 'invalid_parameter_value';
    end if;
    return jsonb_populate_record(new, jsonb_build_object(tg_argv[0], now()));
end $$;
