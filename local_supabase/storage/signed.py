"""Signed URLs: a token in the query allows reading or uploading one object, as long as its signer may."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import jwt
from starlette.requests import Request
from starlette.responses import Response

from local_supabase.storage import objects, signers
from local_supabase.storage.api import (
    Body,
    StorageApi,
    as_caller,
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
from local_supabase.storage.names import check_bucket_name, check_key
from local_supabase.storage.objects import StoredObject
from local_supabase.storage.upload import Destination, bucket_of, drain, place_of, probe, receive

_ALGORITHM = "HS256"
_UPLOAD_SECONDS = 2 * 3600
# What other object stores allow. Hosted Storage has no bound, so a far longer time is refused, not shortened.
LONGEST_SECONDS = 7 * 24 * 3600
_SIGN = "storage.object.sign"
# What encodeURI of JavaScript leaves as it is, except what would end the path.
_SAFE = "/!$&'()*+,-.:;=@_~"
_MISSING = "Either the object does not exist or you do not have access to it"
NO_IMAGES = "feature not enabled for this tenant"


def sign(api: StorageApi, claims: Mapping[str, object], seconds: int) -> str:
    """Return a token with these claims that expires after so many seconds."""
    now = int(time.time())
    whole = {**claims, "iat": now, "exp": now + seconds}
    return jwt.encode(whole, api.context.keys.jwt_secret, algorithm=_ALGORITHM)


def _signed_place(request: Request) -> tuple[str, str]:
    """Return the bucket and the name in a signed path.

    supabase-js encodes the addresses that it gets once more. No name holds a "%", so the meaning is clear.
    """
    bucket, name = request.path_params["bucket"], request.path_params["name"]
    return check_bucket_name(unquote(bucket)), check_key(unquote(name))


def verify(api: StorageApi, request: Request) -> Mapping[str, object]:
    """Return the claims of a request's token. Raises `StorageError` if it is not for the request's object."""
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
    if claims.get("url") != "/".join(_signed_place(request)):
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    return claims


async def sign_url(api: StorageApi, request: Request) -> Response:
    """Return a signed URL for an object that the caller may read."""
    identity = identity_of(api, request)
    bucket, name = place_of(request)
    body = await read_body(request)
    seconds = _seconds(body)
    if body.value("transform"):
        raise no_images()
    async with as_caller(api, request, identity, _SIGN, read_only=True) as connection:
        if await objects.find_object(connection, bucket, name) is None:
            raise no_such_key()
    sealed = await signers.seal(api, identity)
    return json_answer({"signedURL": _url(api, (bucket, name), sealed, seconds)})


async def sign_urls(api: StorageApi, request: Request) -> Response:
    """Return signed URLs for several objects; each entry has a URL or an error."""
    identity = identity_of(api, request)
    bucket = check_bucket_name(request.path_params["bucket"])
    body = await read_body(request)
    seconds, paths = _seconds(body), body.texts("paths")
    async with as_caller(api, request, identity, "storage.object.sign_many", read_only=True) as connection:
        known = await objects.existing_names(connection, bucket, paths)
    sealed = await signers.seal(api, identity)

    def entry(path: str) -> dict[str, object]:
        exists = path in known
        url = _url(api, (bucket, path), sealed, seconds) if exists else None
        return {"error": None if exists else _MISSING, "path": path, "signedURL": url}

    return json_answer([entry(path) for path in paths])


def _seconds(body: Body) -> int:
    seconds = body.number("expiresIn", None, 1)
    if seconds > LONGEST_SECONDS:
        raise invalid_request(f"body/expiresIn must be <= {LONGEST_SECONDS}")
    return seconds


def _url(api: StorageApi, place: tuple[str, str], sealed: str, seconds: int) -> str:
    url = "/".join(place)
    token = sign(api, {"url": url, "by": sealed}, seconds)
    return f"/object/sign/{quote(url, safe=_SAFE)}?token={token}"


async def get_signed(api: StorageApi, request: Request) -> Response:
    """Return the object of a signed URL, if its signer may still read it."""
    claims = verify(api, request)
    if "upsert" in claims:
        raise StorageError(400, "InvalidSignature", "Invalid signature")
    bucket, name = _signed_place(request)
    signer = await signers.unseal(api, claims.get("by"))

    async def find() -> StoredObject:
        async with as_caller(api, request, signer, _SIGN, read_only=True) as connection:
            found = await objects.find_object(connection, bucket, name)
        if found is None:
            raise no_such_key()
        return found

    expiry = claims["exp"]
    assert isinstance(expiry, int)
    return await serve(api, request, find, datetime.fromtimestamp(expiry, UTC))


async def sign_upload(api: StorageApi, request: Request) -> Response:
    """Return a signed URL for uploading an object that the caller may upload."""
    identity = identity_of(api, request)
    bucket_name, name = place_of(request)
    bucket = await bucket_of(api, bucket_name)
    upsert = request.headers.get("x-upsert") == "true"
    await probe(api, request, Destination(bucket, name, upsert, identity))
    path = f"{bucket.id}/{name}"
    claims = {"by": await signers.seal(api, identity), "url": path, "upsert": upsert}
    token = sign(api, claims, _UPLOAD_SECONDS)
    url = f"/object/upload/sign/{quote(path, safe=_SAFE)}?token={token}"
    return json_answer({"url": url, "token": token})


async def upload_signed(api: StorageApi, request: Request) -> Response:
    """Upload the object of a signed URL, if its signer may still upload it."""
    try:
        claims = verify(api, request)
        if not isinstance(claims.get("upsert"), bool):
            raise StorageError(400, "InvalidSignature", "Invalid signature")
        bucket_name, name = _signed_place(request)
        signer = await signers.unseal(api, claims.get("by"))
        bucket = await bucket_of(api, bucket_name)
        destination = Destination(bucket, name, claims["upsert"] is True, signer)
        await probe(api, request, destination)
    except StorageError:
        await drain(request)
        raise
    return await receive(api, request, destination)


def no_images() -> StorageError:
    """Return the error of a project without image transformations."""
    return StorageError(403, "FeatureNotEnabled", NO_IMAGES)
