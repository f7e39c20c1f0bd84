-- pgjwt's functions. Reference: RFC 7515, RFC 7519.

create function @extschema@.url_encode(data bytea) returns text language sql immutable strict parallel safe as $$
    select translate(encode(data, 'base64'), E'+/=\n', '-_')
$$;

create function @extschema@.url_decode(data text) returns bytea language sql immutable strict parallel safe as $$
    select decode(rpad(translate(data, '-_', '+/'), (length(data) + 3) / 4 * 4, '='), 'base64')
$$;

create function @extschema@.algorithm_sign(signables text, secret text, algorithm text) returns text
    language plpgsql immutable strict parallel safe as $$
begin
    if algorithm not in ('HS256', 'HS384', 'HS512') then
        raise exception 'Cannot sign with algorithm %', algorithm using errcode = 'invalid_parameter_value';
    end if;
    return @extschema@.url_encode(
        @extschema:pgcrypto@.hmac(signables, secret, 'sha' || substring(algorithm from 3)));
end $$;

create function @extschema@.sign(payload json, secret text, algorithm text default 'HS256') returns text
    language sql immutable strict parallel safe as $$
    select signables || '.' || @extschema@.algorithm_sign(signables, secret, algorithm)
    from (
        select @extschema@.url_encode(convert_to(format('{"alg":"%s","typ":"JWT"}', algorithm), 'UTF8')) || '.'
            || @extschema@.url_encode(convert_to(payload::text, 'UTF8')) as signables
    ) as parts
$$;

create function @extschema@.try_cast_double(inp text) returns double precision language plpgsql immutable as $$
begin
    return inp::double precision;
exception when others then
    return null;
end $$;

create function @extschema@.verify(
    token text, secret text, algorithm text default 'HS256', out header json, out payload json, out valid boolean
) returns setof record language sql stable strict parallel safe as $$
    select
        convert_from(@extschema@.url_decode(split_part(token, '.', 1)), 'UTF8')::json,
        claims,
        signed and tstzrange(
            to_timestamp(@extschema@.try_cast_double(claims ->> 'nbf')),
            to_timestamp(@extschema@.try_cast_double(claims ->> 'exp'))
        ) @> current_timestamp
    from (
        select
            convert_from(@extschema@.url_decode(split_part(token, '.', 2)), 'UTF8')::json as claims,
            split_part(token, '.', 3) = @extschema@.algorithm_sign(
                split_part(token, '.', 1) || '.' || split_part(token, '.', 2), secret, algorithm) as signed
    ) as parts
$$;
