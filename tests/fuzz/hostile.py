"""Requests nobody should send, as hypothesis makes them up: whole ones with anything in them, and broken HTTP."""

import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.fuzz.documents import API, BODIES, BODY_OF, BOMB, RULES
from tests.integration.gateway_kit import KEY, TRIGGER

Headers = list[tuple[bytes, bytes]]

EVENT_DOORS = {
    "v2": "/v2/enqueue",
    "change": "/v2/change/enqueue",
    "v1": "/generic/2010-04-15/create_event.json",
    "alertmanager": "/webhooks/alertmanager",
    "mapping": "/webhooks/in/",
}
PROBES = ["/livez", "/readyz", "/metrics", "/", "/favicon.ico", "/docs", "/openapi.json", "*"]
MAPPINGS = ["generic", "datadog", "sentry", "grafana", "cloudwatch_sns", "nix", "../../etc/passwd", ""]
COLLECTIONS = ["alerts", "silences", "maintenance-windows", "dead-letters", "trails", "health", "openapi.json"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]


class Raw:
    """A request as bytes. `is_whole`: well-formed HTTP, which is owed an answer."""

    def __init__(self, data: bytes, *, is_whole: bool = True) -> None:
        self.data = data
        self.is_whole = is_whole

    def __repr__(self) -> str:
        return f"Raw({self.data[:1000]!r}{'…' * (len(self.data) > 1000)}, is_whole={self.is_whole})"


def _header_value(text: str) -> bytes:
    return text.encode("latin-1", "replace")


VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40).map(
    _header_value
)
TOKENS = st.sampled_from(
    [
        b"",
        b"Bearer",
        b"Bearer  ",
        b"Bearer a.b.c",
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
        b"Bearer " + b"x" * 9_000,
        b"Bearer " + b"W1tb" * 1_900 + b".e30.x",
        b"Basic !!!",
        b"Basic Og==",
        b"Token token=" + KEY.encode(),
        b"Bearer " + KEY.encode(),
        b"Digest \xff\xfe",
    ]
)
ODD_HEADERS = st.one_of(
    st.tuples(
        st.sampled_from([b"Content-Type", b"Accept", b"Accept-Encoding", b"User-Agent", b"Cookie", b"Origin"]), VALUES
    ),
    st.tuples(st.just(b"Authorization"), TOKENS),
    st.tuples(
        st.just(b"Content-Type"),
        st.sampled_from(
            [b"text/plain; charset=utf-16", b"multipart/form-data; boundary=x", b"application/json; charset=\xff"]
        ),
    ),
    st.tuples(
        st.sampled_from([b"X-Forwarded-For", b"X-Forwarded-Proto", b"Forwarded", b"Via", b"Range", b"If-Match"]), VALUES
    ),
    st.just((b"Expect", b"100-continue")),
    st.just((b"Upgrade", b"websocket")),
    st.just((b"X" * 300, b"y" * 3_000)),
)


@st.composite
def whole(draw: Any, door: str, token: str) -> Raw:
    """Well-formed HTTP to one door, with anything in it."""
    path = draw(_paths(door))
    method = draw(st.sampled_from(METHODS)) if draw(st.integers(0, 4)) == 0 else _usual_method(door, draw)
    body = draw(BODIES if draw(st.integers(0, 3)) == 0 else _bodies_of(door))
    headers: Headers = draw(st.lists(ODD_HEADERS, max_size=3))
    if draw(st.integers(0, 4)):
        credential = token if door == "api" else KEY
        headers = [
            *(pair for pair in headers if pair[0] != b"Authorization"),
            (b"Authorization", b"Bearer " + credential.encode()),
        ]
    body, coding = draw(_coded(body))
    return Raw(_request(method, path, [*headers, *coding], body))


def _usual_method(door: str, draw: Any) -> str:
    if door == "probes":
        return "GET"
    return draw(st.sampled_from(["GET", "POST", "POST", "DELETE"])) if door == "api" else "POST"


def _bodies_of(door: str) -> Any:
    return BODY_OF.get(door, API | RULES).map(lambda body: json.dumps(body).encode())


def _paths(door: str) -> Any:
    part = st.text(st.characters(codec="utf-8"), max_size=12).map(lambda text: quote(text, safe=""))
    if door == "probes":
        return st.sampled_from(PROBES) | part.map("/{}".format)
    if door == "mapping":
        return st.builds("{}{}".format, st.just(EVENT_DOORS[door]), st.sampled_from(MAPPINGS) | part)
    if door != "api":
        ends = st.sampled_from(["", "", "", "/", "//", "?a=%00", "?\xff", "/%2e%2e/", "#x"])
        return st.builds("{}{}".format, st.just(EVENT_DOORS[door]), ends)
    deeper = st.sampled_from(["", "/preview", "/explain", "/x/replay", "/x/drop"]) | part.map("/{}".format)
    query = st.sampled_from(
        ["", "", "?limit=99999999999999999999", "?cursor=9.%00", "?cursor=999999999999999.z&limit=1"]
    )
    queries = query | st.builds("?status={}&service={}&ended={}&limit=7".format, part, part, part)
    return st.builds("/api/v1/{}{}{}".format, st.sampled_from(COLLECTIONS), deeper, queries)


@st.composite
def _coded(draw: Any, body: bytes) -> tuple[bytes, Headers]:
    """The body packed as announced, packed otherwise, or not at all."""
    match draw(st.integers(0, 19)):
        case 0:
            return gzip.compress(body, 1), [(b"Content-Encoding", b"gzip")]
        case 1:
            return zlib.compress(body), [(b"Content-Encoding", b"deflate")]
        case 2:
            return body, [
                (b"Content-Encoding", draw(st.sampled_from([b"gzip", b"br", b"zstd", b"gzip, gzip", b"\xff"])))
            ]
        case 3:
            return BOMB, [(b"Content-Encoding", b"gzip")]
        case _:
            return body, []


def _request(method: str, path: str, headers: Headers, body: bytes) -> bytes:
    head = [(b"Host", b"gateway"), (b"Content-Length", str(len(body)).encode()), (b"Connection", b"close"), *headers]
    lines = b"".join(b"%s: %s\r\n" % pair for pair in head)
    return f"{method} {path} HTTP/1.1\r\n".encode("latin-1", "replace") + lines + b"\r\n" + body


GOOD = _request("POST", "/v2/enqueue", [], json.dumps(TRIGGER).encode())
NO_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /livez\r\n",
    b"GET /livez HTTP/9.9\r\n\r\n",
    b"GET  /livez  HTTP/1.1\r\n\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    b"POST /v2/enqueue HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    b"GET /livez HTTP/1.1\r\nHost\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n X: folded\r\n\r\n",
    b"GET /livez HTTP/1.1\nHost: x\n\n",
    b"GET /liv\x00ez HTTP/1.1\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    GOOD.replace(b"Connection: close\r\n", b"") * 20,
]


@st.composite
def broken(draw: Any) -> Raw:
    """Bytes that are not quite HTTP."""
    if draw(st.integers(0, 2)) == 0:
        return Raw(draw(st.sampled_from(NO_HTTP)), is_whole=False)
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                del data[at:]
            case 1:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case 2:
                del data[at : at + draw(st.integers(1, 20))]
            case _:
                data[at : at + 2] = draw(st.sampled_from([b"\r\n", b"\n", b"\x00", b": ", b"  ", b"\xff\xff"]))
    return Raw(bytes(data), is_whole=False)
