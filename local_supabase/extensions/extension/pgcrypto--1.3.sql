-- pgcrypto's common functions in SQL, for a Postgres without the extension. Functions that SQL cannot implement (PGP,
-- raw ciphers) raise feature_not_supported.
-- References: FIPS 180-4 (SHA-1), RFC 2104 (HMAC), the pgcrypto chapter of the Postgres manual.

create function @extschema@._sha1(message bytea) returns bytea
    language plpgsql immutable strict parallel safe set search_path = pg_catalog as $$
declare
    mask constant bigint := 4294967295;
    size constant bigint := length(message);
    padded bytea;
    position int;
    w bigint[];
    h0 bigint := 1732584193; h1 bigint := 4023233417; h2 bigint := 2562383102; h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; x bigint;
begin
    padded := message || '\x80'::bytea
        || decode(repeat('00', ((119 - size % 64) % 64)::int), 'hex') || int8send(size * 8);
    for chunk in 0 .. length(padded) / 64 - 1 loop
        for i in 0 .. 15 loop
            position := chunk * 64 + i * 4;
            w[i] := (get_byte(padded, position)::bigint << 24) | (get_byte(padded, position + 1) << 16)
                | (get_byte(padded, position + 2) << 8) | get_byte(padded, position + 3);
        end loop;
        for i in 16 .. 79 loop
            x := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
            w[i] := ((x << 1) | (x >> 31)) & mask;
        end loop;
        a := h0; b := h1; c := h2; d := h3; e := h4;
        for i in 0 .. 79 loop
            if i < 20 then f := (b & c) | ((~b) & mask & d); k := 1518500249;
            elsif i < 40 then f := b # c # d; k := 1859775393;
            elsif i < 60 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
            else f := b # c # d; k := 3395469782;
            end if;
            x := ((((a << 5) | (a >> 27)) & mask) + f + e + k + w[i]) & mask;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & mask; b := a; a := x;
        end loop;
        h0 := (h0 + a) & mask; h1 := (h1 + b) & mask; h2 := (h2 + c) & mask; h3 := (h3 + d) & mask;
        h4 := (h4 + e) & mask;
    end loop;
    return substring(int8send(h0) from 5) || substring(int8send(h1) from 5) || substring(int8send(h2) from 5)
        || substring(int8send(h3) from 5) || substring(int8send(h4) from 5);
end $$;

create function @extschema@.digest(data bytea, type text) returns bytea
    language plpgsql immutable strict parallel safe set search_path = pg_catalog as $$
begin
    case lower(type)
        when 'md5' then return decode(md5(data), 'hex');
        when 'sha1' then return @extschema@._sha1(data);
        when 'sha224' then return sha224(data);
        when 'sha256' then return sha256(data);
        when 'sha384' then return sha384(data);
        when 'sha512' then return sha512(data);
        else raise exception 'Cannot use "%": No such hash algorithm', type using errcode = 'invalid_parameter_value';
    end case;
end $$;

create function @extschema@.digest(data text, type text) returns bytea
    language sql immutable strict parallel safe as $$
    select @extschema@.digest(convert_to(data, 'UTF8'), type)
$$;

create function @extschema@.hmac(data bytea, key bytea, type text) returns bytea
    language plpgsql immutable strict parallel safe set search_path = pg_catalog as $$
declare
    block constant int := case when lower(type) in ('sha384', 'sha512') then 128 else 64 end;
    inner_key bytea := case when length(key) > block then @extschema@.digest(key, type) else key end;
    outer_key bytea;
begin
    inner_key := inner_key || decode(repeat('00', block - length(inner_key)), 'hex');
    outer_key := inner_key;
    for i in 0 .. block - 1 loop
        outer_key := set_byte(outer_key, i, get_byte(inner_key, i) # 92);
        inner_key := set_byte(inner_key, i, get_byte(inner_key, i) # 54);
    end loop;
    return @extschema@.digest(outer_key || @extschema@.digest(inner_key || data, type), type);
end $$;

create function @extschema@.hmac(data text, key text, type text) returns bytea
    language sql immutable strict parallel safe as $$
    select @extschema@.hmac(convert_to(data, 'UTF8'), convert_to(key, 'UTF8'), type)
$$;

-- gen_random_uuid() uses the operating system's random numbers. The hash of two of them has 244 random bits in 32 bytes.
create function @extschema@.gen_random_bytes(count int) returns bytea
    language plpgsql volatile strict parallel safe set search_path = pg_catalog as $$
declare
    bytes bytea := '';
begin
    if count < 1 or count > 1024 then
        raise exception 'Length not in range' using errcode = 'external_routine_invocation_exception';
    end if;
    while length(bytes) < count loop
        bytes := bytes || sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    end loop;
    return substring(bytes from 1 for count);
end $$;

create function @extschema@.gen_random_uuid() returns uuid language sql volatile parallel safe as $$
    select pg_catalog.gen_random_uuid()
$$;

-- Bcrypt's variant of base64: another alphabet, no padding.
create function @extschema@.gen_salt(type text, rounds int) returns text
    language plpgsql volatile strict parallel safe set search_path = pg_catalog as $$
begin
    if lower(type) in ('des', 'xdes', 'md5') then
        raise exception 'gen_salt(''%'') is not supported by the embedded Supabase; use gen_salt(''bf'')', type
            using errcode = 'feature_not_supported';
    elsif lower(type) <> 'bf' then
        raise exception 'gen_salt: Unknown salt algorithm' using errcode = 'invalid_parameter_value';
    elsif rounds < 4 or rounds > 31 then
        raise exception 'gen_salt: Incorrect number of rounds' using errcode = 'invalid_parameter_value';
    end if;
    return '$2a$' || lpad(rounds::text, 2, '0') || '$' || translate(
        substring(encode(@extschema@.gen_random_bytes(16), 'base64') from 1 for 22),
        'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
        './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    );
end $$;

create function @extschema@.gen_salt(type text) returns text language sql volatile strict parallel safe as $$
    select @extschema@.gen_salt(type, 6)
$$;

do $refusals$
declare
    signature text;
begin
    foreach signature in array array[
        'encrypt(bytea, bytea, text) returns bytea', 'decrypt(bytea, bytea, text) returns bytea',
        'encrypt_iv(bytea, bytea, bytea, text) returns bytea', 'decrypt_iv(bytea, bytea, bytea, text) returns bytea',
        'pgp_sym_encrypt(text, text) returns bytea', 'pgp_sym_encrypt(text, text, text) returns bytea',
        'pgp_sym_encrypt_bytea(bytea, text) returns bytea', 'pgp_sym_encrypt_bytea(bytea, text, text) returns bytea',
        'pgp_sym_decrypt(bytea, text) returns text', 'pgp_sym_decrypt(bytea, text, text) returns text',
        'pgp_sym_decrypt_bytea(bytea, text) returns bytea', 'pgp_sym_decrypt_bytea(bytea, text, text) returns bytea',
        'pgp_pub_encrypt(text, bytea) returns bytea', 'pgp_pub_encrypt(text, bytea, text) returns bytea',
        'pgp_pub_encrypt_bytea(bytea, bytea) returns bytea', 'pgp_pub_encrypt_bytea(bytea, bytea, text) returns bytea',
        'pgp_pub_decrypt(bytea, bytea) returns text', 'pgp_pub_decrypt(bytea, bytea, text) returns text',
        'pgp_pub_decrypt_bytea(bytea, bytea) returns bytea', 'pgp_pub_decrypt_bytea(bytea, bytea, text) returns bytea',
        'pgp_key_id(bytea) returns text', 'armor(bytea) returns text', 'dearmor(text) returns bytea'
    ] loop
        execute pg_catalog.format(
            'create function @extschema@.%s language plpgsql as %L', signature,
            pg_catalog.format('begin raise exception %L using errcode = ''feature_not_supported''; end',
                pg_catalog.split_part(signature, '(', 1) || '() of pgcrypto is not supported by the embedded Supabase')
        );
    end loop;
end $refusals$;
