"""Loaded by schemathesis: who asks, with what, and what holds for every answer, documented or not."""

import itertools
import json
import os
import struct
import time
import zlib

import requests
import schemathesis
from hypothesis import strategies

BASE = os.environ["REST_URL"]
# nobody, guest, account: the same one for a while; fresh: a new account for each request, which sends what is really its own.
CALLER = os.environ["REST_CALLER"]
# Every secret that was issued or made up here; whoever started us looks for them in the server's log.
SECRETS = open(os.environ["REST_SECRETS"], "a")
# An access token is good for ten minutes.
KEPT_SECONDS = 300
# Shorter ones that are generated, such as "0", are in every answer.
SECRET_CHARS_MIN = 12

numbers = itertools.count()
turns = itertools.count()
kept = {}


def post(path, body, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(BASE + path, json=body, headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()


def secret(text):
    print(text, file=SECRETS, flush=True)
    return text


def guest():
    return secret(post("/v1/guests", {"device_name": "fuzzer"})["device_token"])


def account():
    number = f"{os.getpid()}-{next(numbers)}"
    mail, password = f"canary-{number}@example.org", secret(f"canary password {number}")
    login = {"mail": mail, "password": password, "keep": "token"}
    session = post("/v1/auth/register", login)
    for name in ("access_token", "refresh_token"):
        secret(session[name])
    return {**login, **session}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Two by two grey pixels.
PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\x80\x80" * 2))
    + chunk(b"IEND", b"")
)
schemathesis.openapi.media_type("image/png", strategies.just(PICTURE) | strategies.binary())


def avatar(who):
    headers = {"Authorization": "Bearer " + who["access_token"]}
    answer = requests.put(BASE + "/v1/me/avatar", data=PICTURE, headers=headers, timeout=20)
    answer.raise_for_status()
    return answer.json()["avatar_url"].rsplit("/", 1)[1]


def caller():
    if CALLER == "fresh":
        return account()
    now = time.monotonic()
    if not kept or kept["until"] < now:
        who = {"access_token": guest()} if CALLER == "guest" else account()
        kept.update(who=who, until=now + KEPT_SECONDS)
    return kept["who"]


def own_values(who, case):
    """What the account really has, in place of what was made up."""
    body, path = case.body, case.path_parameters
    if isinstance(body, dict):
        values = {"old": who["password"], "password": who["password"], "refresh_token": who["refresh_token"]}
        for name in body.keys() & values.keys():
            body[name] = values[name]
        if "device_token" in body:
            body["device_token"] = guest()
        if "new" in body:
            body["new"] = secret(f"another canary {next(numbers)}")
    if isinstance(path, dict) and "device_id" in path:
        path["device_id"] = who["device_id"]
    if isinstance(path, dict) and "key" in path:
        path["key"] = avatar(who)


@schemathesis.hook
def before_call(context, case, kwargs):
    if CALLER == "nobody":
        return
    who = caller()
    # Before anything is replaced, which would make the case look sound.
    is_sound = all(component.mode.is_positive for component in case.meta.components.values())
    case.headers = dict(case.headers or {})
    for name in [name for name in case.headers if name.lower() == "authorization"]:
        del case.headers[name]
    case.headers["Authorization"] = "Bearer " + who["access_token"]
    # Every second one of those that ought to be sound, so that what was made up is tried as well.
    if CALLER == "fresh" and is_sound and next(turns) % 2 == 0:
        own_values(who, case)


@schemathesis.check
def security_headers(ctx, response, case):
    for name, value in {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }.items():
        assert response.headers.get(name) == [value], f"{name}: {response.headers.get(name)}"
    policy = response.headers.get("content-security-policy", [""])[0]
    assert policy.startswith("default-src '"), f"content-security-policy: {policy}"


@schemathesis.check
def errors_have_our_shape(ctx, response, case):
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    error = json.loads(response.content)
    assert error.keys() == {"code", "hint", "request_id"}, f"an error of {sorted(error)}"
    assert response.headers["x-request-id"] == [error["request_id"]]


@schemathesis.check
def no_secret_comes_back(ctx, response, case):
    sent = list((case.headers or {}).items()) + list((case.cookies or {}).items())
    if isinstance(case.body, dict):
        sent += case.body.items()
    secrets = {"authorization", "__host-dh_refresh", "password", "old", "new", "code", "refresh_token", "device_token"}
    for name, value in sent:
        # Two access tokens of one device in one second are the same.
        is_same = name.lower() == "authorization" and case.path == "/v1/auth/refresh"
        if name.lower() in secrets and isinstance(value, str) and not is_same:
            value = value.removeprefix("Bearer ")
            if len(value) >= SECRET_CHARS_MIN:
                assert value.encode() not in response.content, f"what was sent as {name} is in the answer"
