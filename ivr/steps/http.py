"""http: asks a web service, or tells it something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import BeforeValidator, Field

from config.syntax import Path
from config.values import Duration
from ivr.conversation import Conversation
from ivr.language.expressions import text_of
from ivr.language.house import House
from ivr.language.templates import Value
from ivr.services import WebFailed, WebRequest
from ivr.step import Exit, NewVariable, Shape, Step

_BEGINS = re.compile(r"https?://[^\s/?#@{}\\]+(?=[/?]|$)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
OURS = frozenset(
    {"host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "upgrade"}
    | {"accept-encoding", "idempotency-key", "expect", "te", "trailer"}
)


def _by_name(written: object) -> object:
    """``[status, eta]`` are parts of the answer that keep their names."""
    return {name: name for name in written} if isinstance(written, list) else written


class Http(Step):
    """Asks a web service, and keeps parts of its JSON answer in `into`.

        ask-carrier:
          http:
            url: "https://api.example.com/parcels/{{ order.number }}"
            into: parcel
            returns: [state, eta]
          next: tell-parcel
          failed: agent

    With `body` it tells the service something, as JSON. Anything but a GET carries the header
    `Idempotency-Key`, which is the same whenever the same step of the same call is done again after a
    restart; a service that knows it does nothing twice.

    Whatever is not a success in time goes on by `failed`: another status than 2xx, an answer that is not JSON
    or lacks what `returns` names, more than three redirects, an answer that is too large. Addresses of one's
    own network are asked only where `web.private` in `appliance.yaml` allows them.
    """

    verb = "http"
    exits: ClassVar = {
        "next": Exit(required=True, silent=True, about="it was a success"),
        "failed": Exit(required=True, silent=True, about="it was none, or not in time"),
    }
    broken = "failed"
    instant = True

    url: Value
    """The address; expressions may stand after the host, and are encoded."""
    method: Literal["get", "post", "put", "patch", "delete"] | None = None
    """`get`, or `post` where there is a `body`."""
    query: Mapping[str, Value] = Field(default_factory=dict)
    """What is added to the address behind the `?`, by name."""
    headers: Mapping[str, Value] = Field(default_factory=dict)
    """Headers of one's own. A secret belongs into `web.tokens` of `appliance.yaml`."""
    body: Mapping[str, Value] = Field(default_factory=dict)
    """What is told, by name."""
    into: NewVariable | None = None
    """The variable that keeps what `returns` names: `parcel.state` and so on."""
    returns: Annotated[Mapping[NewVariable, str], BeforeValidator(_by_name)] = Field(default_factory=dict)
    """The parts of the answer that the flow may use: `[state, eta]`, or with their places `{eta: parcel.times.0}`."""
    within: Annotated[Duration, Field(ge=0.1, le=30)] = 5.0
    """The limit of it all, after which the call goes on by `failed`."""

    def sets(self, house: House) -> Mapping[str, Mapping[str, Shape]]:  # noqa: ARG002
        return {} if self.into is None else {"next": {self.into: frozenset(self.returns)}}

    def problems(self, house: House) -> Iterator[tuple[Path, str]]:
        if wrong := self._wrong_url(house):
            yield ("url",), wrong
        for name in self.headers:
            if not _HEADER.fullmatch(name) or name.lower() in OURS:
                yield ("headers", name), f"the header '{name[:60]}' cannot be set here"
        if self.body and self.method == "get":
            yield ("body",), "a get tells nothing; leave 'method' out, or write post"
        if self.into is not None and not self.returns:
            yield ("into",), "'returns' is missing: the parts of the answer that the flow may use"
        if self.returns and self.into is None:
            yield ("returns",), "'into' is missing: the variable that keeps what is returned"
        for name, path in self.returns.items():
            if not _PATH.fullmatch(path):
                yield ("returns", name), f"'{path[:60]}' is no place in an answer; write for example parcel.times.0"

    def _wrong_url(self, house: House) -> str:
        first = self.url.parts[0] if self.url.parts else ""
        begins = _BEGINS.match(first) if isinstance(first, str) else None
        if not begins or (len(self.url.parts) > 1 and begins.end() == len(str(first))) or "#" in self.url.source:
            return "write an address with its host, for example https://api.example.com/orders/{{ order.number }}"
        try:
            host = urlsplit(begins[0]).hostname or ""
            urlsplit(begins[0]).port  # noqa: B018 - whether it is one
        except ValueError:
            return f"'{begins[0]}' has no port that could be asked"
        return house.unreachable(host)

    def run(self, call: Conversation) -> str:
        request = self._request(call)
        templates = (self.url, *self.query.values(), *self.headers.values(), *self.body.values())
        sensitive = call.shields(*templates)
        host = urlsplit(request.url).hostname
        try:
            if request.method == "GET":
                answer = call.services.web.ask(request)
            else:
                answer = call.once(
                    f"{request.method} {host}",
                    lambda key: call.services.web.ask(request.under(key)),
                    again=True,
                    sensitive=sensitive,
                )
        except WebFailed as failure:
            call.note("HttpFailed", host=host, reason=str(failure))
            return "failed"
        if self.into is not None:
            call.set(self.into, dict(answer or {}), sensitive=sensitive)
        return "next"

    def _request(self, call: Conversation) -> WebRequest:
        url = call.filled(self.url, lambda text: quote(text, safe=""))
        asked = "&".join(f"{quote(name, safe='')}={quote(_text(call, to), safe='')}" for name, to in self.query.items())
        body = {name: call.value(written) for name, written in self.body.items()}
        return WebRequest(
            method=(self.method or ("post" if self.body else "get")).upper(),
            url=f"{url}{'&' if '?' in url else '?'}{asked}" if asked else url,
            headers={name: _text(call, written) for name, written in self.headers.items()},
            body=json.dumps(body, ensure_ascii=False, default=str).encode("utf-8", "replace") if body else b"",
            wanted=dict(self.returns),
            within=self.within,
        )


def _text(call: Conversation, written: Value) -> str:
    return text_of(call.value(written))
