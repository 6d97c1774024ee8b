"""A receiver of webhooks, of the standard library alone: checks who calls, takes each fact once, prints it.

    MCR_WEBHOOK_SECRET=whsec_… python3 examples/webhook_receiver.py 8099

Behind a proxy that speaks TLS it is what docs/webhooks.md asks for, but for remembering ids across a restart.
"""

import hashlib
import hmac
import json
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OLDEST_S = 300
"""A call whose time is further off is a copy of an earlier one, or a clock is wrong."""
LONGEST = 1_000_000
REMEMBERED = 10_000


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether the call is of who knows the secret, of now, and as it was sent."""
    timestamp = headers.get("Mcr-Webhook-Timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > OLDEST_S:
        return False
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v1={signed}", headers.get("Mcr-Webhook-Signature", ""))


class Seen:
    """The newest ids: each fact is told at least once, so it may come twice."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def has(self, fact_id: str) -> bool:
        return fact_id in self._ids

    def add(self, fact_id: str) -> None:
        self._ids[fact_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)


def make_server(port: int, secret: str, take: Callable[[dict[str, Any]], None]) -> ThreadingHTTPServer:
    """``take`` is called with each fact once; an error in it makes the caller come again."""
    seen = Seen()

    class Receiver(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LONGEST:
                self._answer(413)
                return
            body = self.rfile.read(length)
            if not is_genuine(secret, self.headers, body, time.time()):
                self._answer(401)
                return
            fact = json.loads(body)
            if not seen.has(fact["id"]):
                take(fact)
                seen.add(fact["id"])  # not before: what could not be taken is to come again
            self._answer(204)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            """Says nothing: what was taken is printed."""

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)


def show(fact: dict[str, Any]) -> None:
    """One line a fact."""
    data = fact["data"]
    match fact["event"]:
        case "alarm":
            state = "over" if data["cleared_at"] else "acknowledged" if data["acknowledged_by"] else "open"
            print(f"{fact['at']} {data['severity']} alarm {state}: {data['text']}", flush=True)
        case "asrun":
            print(f"{fact['at']} {data['status']}: {data['title']} ({data['channel_id']})", flush=True)
        case other:
            print(f"{fact['at']} {other}", flush=True)


if __name__ == "__main__":
    make_server(int(sys.argv[1]), os.environ["MCR_WEBHOOK_SECRET"], show).serve_forever()
