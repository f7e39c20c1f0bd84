"""Signed URLs: a token of this project in the query, for reading one object or uploading one."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import jwt
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.storage import objects
from local_supabase.storage.api import (
    StorageApi,
    as_caller,
    as_owner,
    identity_of,
    json_answer,
    read_body,
)
from local_supabase.storage.download import serve
from local_supabase.storage.errors import (
    StorageError,
    invalid_jwt,
    invalid_request,
    no_such_key,
)
from local_supabase.storage.names import check_bucket_name
from local_supabase.storage.objects import StoredObject
from local_supabase.storage.upload import Destination, bucket_of, place_of, probe, receive

_ALGORITHM = "HS256"
_UPLOAD_SECONDS = 2 * 3600
_LAST_MOMENT = 253402300799  # the end of the year 9999
_MISSING = "Either the object does not exist or you do not have access to it"
NO_IMAGES = "feature not enabled for this tenant"


def sign(api: StorageApi, claims: Mapping[str, object], seconds: int) -> str:
    """Sign claims for some time."""
    now = int(time.time())
    expiry = min(now + seconds, _LAST_MOMENT)
    whole = {**claims, "iat": now, "exp": expiry}
    return jwt.encode(whole, api.context.keys.jwt_secret, algorithm=_ALGORITHM)


def verify(api: StorageApi, request: Request) -> Mapping[str, object]:
    """Give the claims of the token in a request's query, if it is for the request's object."""
    token = request.query_params.get("token")
    if token is None:
        raise invalid_request("querystring must have required property 'token'")
    try:
        claims: dict[str, object] = jwt.decode(
            token, api.context.keys.jwt_secret, algorithms=[_ALGORITHM], options={"require": ["exp"]}
        )
    except jwt.ExpiredSignatureError:
        raise invalid_jwt('"exp" claim timestamp check failed') from None
    except jwt.InvalidSignatureError:
        raise invalid_jwt("signature verification failed") from None
    except (jwt.PyJWTError, ValueError):
        raise invalid_jwt("Invalid Compact JWS") from None
    if claims.get("url") != "/".join(place_of(request)):
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    return claims


async def sign_url(api: StorageApi, request: Request) -> Response:
    """Sign a URL for an object that the caller may read."""
    identity = identity_of(api, request)
    bucket, name = place_of(request)
    body = await read_body(request)
    seconds = body.number("expiresIn", None, 1)
    if body.value("transform"):
        raise no_images()
    async with as_caller(api, request, identity, "storage.object.sign", read_only=True) as connection:
        if await objects.find_object(connection, bucket, name) is None:
            raise no_such_key()
    return json_answer({"signedURL": _url(api, bucket, name, seconds)})


async def sign_urls(api: StorageApi, request: Request) -> Response:
    """Sign URLs for several objects; each entry has a URL or an error."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    body = await read_body(request)
    seconds, paths = body.number("expiresIn", None, 1), body.texts("paths")
    async with as_caller(api, request, identity, "storage.object.sign_many", read_only=True) as connection:
        known = await objects.existing_names(connection, bucket, paths)

    def entry(path: str) -> dict[str, object]:
        there = path in known
        url = _url(api, bucket, path, seconds) if there else None
        return {"error": None if there else _MISSING, "path": path, "signedURL": url}

    return json_answer([entry(path) for path in paths])


def _url(api: StorageApi, bucket: str, name: str, seconds: int) -> str:
    token = sign(api, {"url": f"{bucket}/{name}"}, seconds)
    return f"/object/sign/{bucket}/{name}?token={token}"


async def get_signed(api: StorageApi, request: Request) -> Response:
    """Give the object that a signed URL is for."""
    claims = verify(api, request)
    if "upsert" in claims:
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    bucket, name = place_of(request)

    async def find() -> StoredObject:
        async with as_owner(api) as connection:
            found = await objects.find_object(connection, bucket, name)
        if found is None:
            raise no_such_key()
        return found

    expiry = claims["exp"]
    assert isinstance(expiry, int)
    return await serve(api, request, find, datetime.fromtimestamp(expiry, UTC))


async def sign_upload(api: StorageApi, request: Request) -> Response:
    """Sign a URL for uploading an object that the caller may upload."""
    identity = identity_of(api, request)
    bucket_name, name = place_of(request)
    bucket = await bucket_of(api, bucket_name)
    upsert = request.headers.get("x-upsert") == "true"
    await probe(api, request, Destination(bucket, name, identity.user_id, upsert, identity))
    claims = {"owner": identity.user_id, "url": f"{bucket.id}/{name}", "upsert": upsert}
    token = sign(api, claims, _UPLOAD_SECONDS)
    url = f"/object/upload/sign/{bucket.id}/{name}?token={token}"
    return json_answer({"url": url, "token": token})


async def upload_signed(api: StorageApi, request: Request) -> Response:
    """Upload the object that a signed URL is for: whoever signed it was allowed to."""
    claims = verify(api, request)
    if not isinstance(claims.get("upsert"), bool):
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    bucket_name, name = place_of(request)
    bucket = await bucket_of(api, bucket_name)
    owner = claims.get("owner")
    destination = Destination(
        bucket, name, owner if isinstance(owner, str) else None, claims["upsert"] is True, None
    )
    object_id = await receive(api, request, destination)
    return json_answer({"Id": object_id, "Key": f"{bucket.id}/{name}"})


def no_images() -> StorageError:
    """Refuse to transform images, as a project without that feature does."""
    return StorageError(403, "FeatureNotEnabled", NO_IMAGES)
