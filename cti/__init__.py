"""Control of a running appliance, over a local socket: one JSON object a line, a reply for each.

A request is ``{"do": "status", ...arguments}``; a reply ``{"ok": true, "result": ...}`` or
``{"ok": false, "error": "one clear line"}``. ``{"do": "follow"}`` is answered by the journal's records
from then on, one a line, until the client goes.
"""
