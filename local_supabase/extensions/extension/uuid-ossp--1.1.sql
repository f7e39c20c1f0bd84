-- uuid-ossp's functions in SQL. Reference: RFC 9562.

create function @extschema@.uuid_nil() returns uuid language sql immutable parallel safe as
$$ select '00000000-0000-0000-0000-000000000000'::uuid $$;
create function @extschema@.uuid_ns_dns() returns uuid language sql immutable parallel safe as
$$ select '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
create function @extschema@.uuid_ns_url() returns uuid language sql immutable parallel safe as
$$ select '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
create function @extschema@.uuid_ns_oid() returns uuid language sql immutable parallel safe as
$$ select '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
create function @extschema@.uuid_ns_x500() returns uuid language sql immutable parallel safe as
$$ select '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

create function @extschema@.uuid_generate_v4() returns uuid language sql volatile parallel safe as
$$ select pg_catalog.gen_random_uuid() $$;

-- Version 1: 100 ns steps since 1582, a random clock sequence, and a random node with the multicast bit, as the RFC
-- allows in place of a network address.
create function @extschema@.uuid_generate_v1mc() returns uuid
    language plpgsql volatile parallel safe set search_path = pg_catalog as $$
declare
    ticks constant bigint := (extract(epoch from clock_timestamp()) * 10000000)::bigint + 122192928000000000;
    random bytea := sha256(uuid_send(gen_random_uuid()));
begin
    random := set_byte(random, 0, (get_byte(random, 0) & 63) | 128);
    random := set_byte(random, 2, get_byte(random, 2) | 1);
    return encode(
        substring(int8send(ticks) from 5 for 4) || substring(int8send(ticks) from 3 for 2)
        || substring(int8send(((ticks >> 48) & 4095) | 4096) from 7 for 2) || substring(random from 1 for 8),
        'hex'
    )::uuid;
end $$;

create function @extschema@.uuid_generate_v1() returns uuid language sql volatile parallel safe as
$$ select @extschema@.uuid_generate_v1mc() $$;

create function @extschema@._uuid_of_hash(hash bytea, version int) returns uuid
    language sql immutable strict parallel safe set search_path = pg_catalog as $$
    select encode(
        substring(
            set_byte(set_byte(hash, 6, (get_byte(hash, 6) & 15) | (version << 4)), 8, (get_byte(hash, 8) & 63) | 128)
            from 1 for 16
        ),
        'hex'
    )::uuid
$$;

create function @extschema@.uuid_generate_v3(namespace uuid, name text) returns uuid
    language sql immutable strict parallel safe as $$
    select @extschema@._uuid_of_hash(
        decode(md5(uuid_send(namespace) || convert_to(name, 'UTF8')), 'hex'), 3)
$$;

create function @extschema@.uuid_generate_v5(namespace uuid, name text) returns uuid
    language sql immutable strict parallel safe as $$
    select @extschema@._uuid_of_hash(
        @extschema:pgcrypto@.digest(uuid_send(namespace) || convert_to(name, 'UTF8'), 'sha1'), 5)
$$;
