"""A network between us and Asterisk that a test can cut, freeze and mend."""

from __future__ import annotations

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer


class Relay:
    def __init__(self, to_port):
        self._to = ("127.0.0.1", to_port)
        self._flows = Event()
        self._flows.set()
        self._pairs = []
        self.mended = True
        self._server = StreamServer(("127.0.0.1", 0), self._relay)
        self._server.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def cut(self):
        """Drops every connection; new ones are dropped as well until `mend`."""
        self.mended = False
        self.drop()

    def drop(self):
        """Drops every connection; new ones are welcome."""
        for pair in self._pairs:
            for end in pair:
                end.close()
        self._pairs.clear()

    def freeze(self):
        """Nothing passes any more, and nobody is told."""
        self._flows.clear()

    def mend(self):
        self.mended = True
        self._flows.set()

    def close(self):
        self.mend()
        self.cut()
        self._server.stop()

    def _relay(self, near, _address):
        if not self.mended:
            near.close()
            return
        try:
            far = socket.create_connection(self._to)
        except OSError:
            near.close()
            return
        self._pairs.append((near, far))
        gevent.joinall([gevent.spawn(self._pass, near, far), gevent.spawn(self._pass, far, near)], count=1)
        near.close()
        far.close()

    def _pass(self, source, sink):
        try:
            while data := source.recv(65536):
                self._flows.wait()
                sink.sendall(data)
        except OSError:
            return
