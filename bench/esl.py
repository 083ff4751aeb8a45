"""The event socket: our client beside greenswitch on the same captured bytes, and how long it holds the hub.

python -m bench.esl
"""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent import socket
from gevent.event import Event

from switch.freeswitch import esl
from switch.freeswitch.client import Connection

CAPTURES = Path(__file__).parents[1] / "tests" / "switch" / "freeswitch" / "captures"
EVENTS = 6_000  # for the rates
BACKLOG = 50_000  # for the stall
ROUNDS = 3  # the best of so many: whoever else uses the machine slows both


def measure() -> dict[str, object]:
    """Events a second through parsing and dispatch, ours and greenswitch's, and how long no timer could run.

    Both read the same events from a socket that a thread fills, and look at the same three headers of each.
    `stall` is by the clock, whoever else uses the machine; `held` is the processor time of this thread alone.
    """
    frames = captured_events()
    # What was imported until now is not the client's: looking through it for garbage takes 20 ms by itself.
    gc.collect()
    gc.freeze()
    sizes = sum(map(len, frames)) / len(frames)
    # Ours first: what greenswitch leaves behind goes on running.
    backlog_rate, stall, held = min((_run(ours, frames, BACKLOG) for _ in range(ROUNDS)), key=lambda run: run[1])
    runs = [(_run(ours, frames, EVENTS), _run(greenswitch, frames, EVENTS)) for _ in range(ROUNDS)]
    _, their_stall, their_held = _run(greenswitch, frames, BACKLOG)
    own = max(mine[0] for mine, _ in runs)
    other = max(theirs[0] for _, theirs in runs)
    return {
        "event_bytes": round(sizes),
        "events_per_second": round(own),
        "greenswitch_events_per_second": round(other),
        "ratio": round(own / other, 1),
        "backlog_events": BACKLOG,
        "backlog_events_per_second": round(backlog_rate),
        "longest_stall_ms": round(stall * 1000, 1),
        "longest_held_ms": round(held * 1000, 1),
        "greenswitch_stall_ms": round(their_stall * 1000, 1),
        "greenswitch_held_ms": round(their_held * 1000, 1),
    }


def captured_events() -> list[bytes]:
    """The event frames of a whole call, as a FreeSWITCH sent them."""
    framing = esl.Framing()
    framing.feed((CAPTURES / "01-async-full-ivr.raw").read_bytes())
    return [
        b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(message.body), message.body)
        for message in framing
        if message.is_event
    ]


class Count:
    """Counts events as a dispatcher would see them, and says when all have come."""

    def __init__(self, wanted: int) -> None:
        self.left = wanted
        self.done = Event()

    def see(self, name: str, leg: str, application: str) -> None:
        assert name
        assert leg or not application
        self.left -= 1
        if not self.left:
            self.done.set()


def ours(sock: socket.socket, count: Count) -> None:
    connection = Connection(sock)
    connection.on_event = lambda event: count.see(event.name, event["Unique-ID"], event["Application-UUID"])
    connection.start()


def greenswitch(sock: socket.socket, count: Count) -> None:
    from greenswitch.esl import OutboundSession  # noqa: PLC0415  # a development dependency

    logging.disable(logging.CRITICAL)
    session = OutboundSession(None, sock)
    session.event_handlers.clear()
    session.register_handle(
        "*",
        lambda event: count.see(
            event.headers["Event-Name"], event.headers.get("Unique-ID", ""), event.headers.get("Application-UUID", "")
        ),
    )


def _run(
    client: Callable[[socket.socket, Count], None], frames: list[bytes], events: int
) -> tuple[float, float, float]:
    """Events a second, and the longest time in which no timer could run: by the clock, and of the processor."""
    near, far = socket.socketpair()
    count = Count(events)
    gaps = [(0.0, 0.0)]
    watch = gevent.spawn(_watch, gaps)
    feeder = threading.Thread(target=_feed, args=(far.fileno(), frames, events), daemon=True)
    gevent.sleep(0.01)
    started = time.perf_counter()
    client(near, count)
    feeder.start()
    count.done.wait(timeout=300)
    took = time.perf_counter() - started
    watch.kill()
    feeder.join()
    near.close()
    far.close()
    assert not count.left, f"{count.left} events were lost"
    return events / took, max(gap for gap, _ in gaps), max(held for _, held in gaps)


def _watch(gaps: list[tuple[float, float]]) -> None:
    before, used = time.perf_counter(), time.thread_time()
    while True:
        gevent.sleep(0.001)
        now, using = time.perf_counter(), time.thread_time()
        gaps.append((now - before - 0.001, using - used))
        before, used = now, using


def _feed(descriptor: int, frames: list[bytes], events: int) -> None:
    """In a thread of its own, with a socket object that does not know gevent."""
    batch = b"".join(frames)
    rest = events % len(frames)
    for data in [batch] * (events // len(frames)) + [b"".join(frames[:rest])]:
        view = memoryview(data)
        while view:
            select.select([], [descriptor], [])
            try:
                view = view[os.write(descriptor, view[:65536]) :]
            except BlockingIOError:
                continue


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
