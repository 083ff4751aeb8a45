"""A small exchange that speaks ARI, keeps its calls while nobody controls them, and never sleeps for long.

Agents' telephones live in it and do what a seed draws; callers do what they are told; prompts last a third of a second.
What must not happen on an exchange is noted in `wrongs` as it happens.
"""

from __future__ import annotations

import io
import itertools
import random
import wave
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import gevent
from gevent.event import Event
from wsproto.utilities import LocalProtocolError

from tests.switch.asterisk.peer import NOTHING, OK, Peer, asked

PLAYS = 0.3  # seconds that a prompt takes
AGAIN = 0.5  # seconds after which the dialplan offers a caller to the application again
HANGUP = 16  # a normal clearing
NO_ANSWER, BUSY = 19, 17
GONE = 404, {"message": "not found"}


@dataclass(eq=False)
class Channel:
    id: str
    number: str
    dialled: str
    outbound: bool = False
    account: str = ""
    state: str = "Ring"
    ours: bool = False  # in our application
    variables: dict[str, str] = field(default_factory=dict)
    music: bool = False
    playback: str | None = None
    heard: list[str] = field(default_factory=list)  # names of the prompts
    tape: str | None = None
    taped_since: float = 0.0
    bridge: Bridge | None = None
    talked: bool = False
    over: Event = field(default_factory=Event)

    def shown(self):
        return {
            "id": self.id,
            "name": f"PJSIP/{self.account or 'trunk'}-{self.id}",
            "state": self.state,
            "caller": {"name": "", "number": self.number},
            "channelvars": self.variables,
            "dialplan": {"app_name": "Stasis" if self.ours else "Wait"},
        }


@dataclass(eq=False)
class Bridge:
    id: str
    channels: list[Channel] = field(default_factory=list)
    left: bool = False  # one of them has hung up by itself

    def shown(self):
        return {"id": self.id, "channels": [channel.id for channel in self.channels]}


class Exchange(Peer):
    """`dice` decides what callers and telephones do; `agents` are the accounts that are registered."""

    def __init__(self, seed: int, agents: list[str], port: int = 0) -> None:
        super().__init__(port)
        self.dice = random.Random(seed)
        self.agents = agents
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.stored: dict[str, float] = {}  # recordings, and their seconds
        self.taped: list[float] = []  # seconds of every recording there was
        self.globals: dict[str, str] = {}
        self.wrongs: list[str] = []
        self.came: list[Channel] = []  # every caller there was
        self.rung = 0
        self.talks = 0
        self.calling = True
        self._numbers = itertools.count(1)
        self._routes = [
            (method, pattern.split("/"), answer)
            for method, pattern, answer in (
                ("GET", "asterisk/variable", self._global),
                ("POST", "asterisk/variable", self._set_global),
                ("GET", "applications", self._applications),
                ("GET", "channels", lambda _: (OK, [each.shown() for each in self.channels.values()])),
                ("GET", "bridges", lambda _: (OK, [each.shown() for each in self.bridges.values()])),
                ("GET", "endpoints/PJSIP", self._endpoints),
                ("GET", "recordings/stored", lambda _: (OK, [{"name": name} for name in self.stored])),
                ("GET", "channels/*", lambda _, channel: (OK, channel.shown())),
                ("POST", "channels/*", self._originate),
                ("DELETE", "channels/*", self._delete),
                ("POST", "channels/*/answer", self._answer_channel),
                ("POST", "channels/*/moh", self._music),
                ("DELETE", "channels/*/moh", self._no_music),
                ("POST", "channels/*/play", self._play),
                ("POST", "channels/*/record", self._record),
                ("GET", "channels/*/variable", self._variable),
                ("POST", "channels/*/variable", self._set_variable),
                ("GET", "channels/*/rtp_statistics", lambda _, channel: (OK, {"rxcount": round(self._now() * 50)})),
                ("POST", "channels/*/continue", self._continue),
                ("GET", "playbacks/*", self._playback),
                ("DELETE", "playbacks/*", self._end_playback),
                ("GET", "recordings/live/*", self._tape),
                ("POST", "recordings/live/*/stop", self._end_tape),
                ("GET", "recordings/stored/*", self._stored),
                ("GET", "recordings/stored/*/file", self._file),
                ("DELETE", "recordings/stored/*", self._drop_stored),
                ("GET", "bridges/*", self._bridge),
                ("POST", "bridges/*", self._make_bridge),
                ("POST", "bridges/*/addChannel", self._join),
                ("DELETE", "bridges/*", self._part),
            )
        ]

    # --- callers and telephones

    def call(self, dialled: str) -> Channel:
        """A caller comes; the dialplan offers it to the application until that takes it."""
        number = next(self._numbers)
        channel = Channel(f"1700000000.{number}", f"137{number:08d}", dialled)
        channel.variables["HOTLINE_DIALLED"] = dialled
        self.channels[channel.id] = channel
        self.came.append(channel)
        gevent.spawn(self._dialplan, channel)
        return channel

    def press(self, channel: Channel, digit: str) -> None:
        if channel.id in self.channels:
            self._tell("ChannelDtmfReceived", channel, digit=digit)

    def hang_up(self, channel: Channel, cause: int = HANGUP) -> None:
        """Its far end has hung up, or it did not answer."""
        if channel.id not in self.channels:
            return
        if channel.bridge is not None:
            channel.bridge.left = True
        self._tell("ChannelHangupRequest", channel, cause=cause)
        self._end(channel, cause)

    @property
    def waiting(self) -> list[Channel]:
        return [channel for channel in self.channels.values() if channel.music]

    # --- what may be asked

    def _answered(self, method, target, body):
        path, parameters = asked(target, body)
        parts = [unquote(part) for part in path.split("/")]
        for wanted, pattern, answer in self._routes:
            if wanted == method and _fits(parts, pattern):
                named = [part for part, sample in zip(parts, pattern, strict=True) if sample == "*"]
                return self._served(answer, parameters, named, of_channel=pattern[0] == "channels")
        return super()._answered(method, target, body)

    def _served(self, answer, parameters, named, *, of_channel):
        """Whoever asks about a channel that is there gets it in the place of its id."""
        if not named or not of_channel or answer == self._originate:
            return answer(parameters, *named)
        channel = self.channels.get(named[0])
        return GONE if channel is None else answer(parameters, channel)

    def _global(self, asked):
        return OK, {"value": self.globals.get(asked["variable"], "")}

    def _set_global(self, asked):
        self.globals[asked["variable"]] = asked["value"]
        return NOTHING, None

    def _applications(self, _):
        ours = [channel.id for channel in self.channels.values() if channel.ours]
        return OK, [{"name": "hotline", "channel_ids": ours}]

    def _endpoints(self, _):
        return OK, [{"resource": agent, "state": "online"} for agent in self.agents]

    def _originate(self, asked, id):
        account = asked["endpoint"].removeprefix("PJSIP/")
        if account not in self.agents:
            return 500, {"message": "unknown endpoint"}
        number = asked["callerId"].rpartition("<")[2].rstrip(">")
        channel = Channel(id, number, account, outbound=True, account=account, variables=dict(asked["variables"]))
        others = [each for each in self.channels.values() if each.outbound]
        busy = [each for each in others if each.account == account]
        if any(each.state == "Up" for each in busy):
            self.wrongs.append(f"{account} was rung while it was in a call")
        if any(each.number == number for each in others):
            self.wrongs.append(f"{number} was offered to two agents")
        self.channels[id] = channel
        self.rung += 1
        gevent.spawn(self._telephone if not busy else self._busy, channel, asked["timeout"])
        return OK, channel.shown()

    def _delete(self, _, channel):
        if channel.bridge is not None and not channel.bridge.left and len(channel.bridge.channels) == 2:
            self.wrongs.append(f"{channel.id} was hung up in the middle of a talk")
        self._end(channel, HANGUP)
        return NOTHING, None

    def _answer_channel(self, _, channel):
        channel.state = "Up"
        return NOTHING, None

    def _music(self, _, channel):
        channel.music = True
        return NOTHING, None

    def _no_music(self, _, channel):
        channel.music = False
        return NOTHING, None

    def _play(self, asked, channel):
        if channel.bridge is not None:
            self.wrongs.append(f"{channel.id} was to hear something in a bridge, which is dropped without a word")
        playback = channel.playback = asked["playbackId"]
        channel.heard.append(Path(asked["media"][0]).name)
        gevent.spawn_later(PLAYS, self._played, channel, playback, "done")
        return OK, {"id": playback}

    def _record(self, asked, channel):
        channel.tape, channel.taped_since = asked["name"], self._now()
        gevent.spawn_later(0.1, self._tell, "ChannelTalkingStarted", channel)
        return OK, {"name": channel.tape}

    def _variable(self, asked, channel):
        name = asked["variable"]
        return (OK, {"value": channel.variables[name]}) if name in channel.variables else GONE

    def _set_variable(self, asked, channel):
        channel.variables[asked["variable"]] = asked["value"]
        return NOTHING, None

    def _continue(self, _, channel):
        self._leave_application(channel)
        gevent.spawn(self._dialplan, channel)
        return NOTHING, None

    def _playback(self, _, id):
        return (OK, {"id": id}) if any(each.playback == id for each in self.channels.values()) else GONE

    def _end_playback(self, _, id):
        for channel in self.channels.values():
            if channel.playback == id:
                self._played(channel, id, "done")
                return NOTHING, None
        return GONE

    def _tape(self, _, name):
        return (OK, {"name": name}) if self._taping(name) else GONE

    def _end_tape(self, _, name):
        channel = self._taping(name)
        if channel is None:
            return GONE
        self._taped(channel)
        return NOTHING, None

    def _stored(self, _, name):
        return (OK, {"name": name}) if name in self.stored else GONE

    def _file(self, _, name):
        return (OK, _spoken(self.stored[name])) if name in self.stored else GONE

    def _drop_stored(self, _, name):
        return (NOTHING, None) if self.stored.pop(name, None) else GONE

    def _bridge(self, _, id):
        return (OK, self.bridges[id].shown()) if id in self.bridges else GONE

    def _make_bridge(self, _, id):
        self.bridges[id] = Bridge(id)
        return OK, self.bridges[id].shown()

    def _join(self, asked, id):
        bridge = self.bridges.get(id)
        channels = [self.channels.get(channel) for channel in asked["channel"]]
        if bridge is None or None in channels:
            return 400, {"message": "a channel is not there"}
        for channel in channels:
            if channel.bridge is not None:
                self.wrongs.append(f"{channel.id} was taken out of a talk for another")
            channel.bridge, channel.talked = bridge, True
            bridge.channels.append(channel)
        self.talks += 1
        return NOTHING, None

    def _part(self, _, id):
        bridge = self.bridges.pop(id, None)
        if bridge is None:
            return GONE
        if len(bridge.channels) == 2 and not bridge.left:
            self.wrongs.append(f"{id}: a talk was ended that nobody had left")
        for channel in bridge.channels:
            gevent.spawn_later(self.dice.uniform(0, 0.05), self._leave_bridge, channel, bridge)
        return NOTHING, None

    # --- what happens

    def _dialplan(self, channel):
        while channel.id in self.channels and not channel.ours:
            if self._tell("StasisStart", channel, args=["call", channel.dialled, ""]):
                channel.ours = True
                return
            channel.state = "Up"
            gevent.sleep(AGAIN)

    def _telephone(self, channel, longest):
        """Answers and talks, declines, or lets it ring, as the dice fall."""
        how = self.dice.random()
        channel.over.wait(self.dice.uniform(0.1, 0.6) if how > 0.1 else longest)
        if how < 0.2:
            self.hang_up(channel, NO_ANSWER if how < 0.1 else BUSY)
        elif channel.id in self.channels:
            channel.state, channel.ours = "Up", True
            self._tell("StasisStart", channel, args=["dialled"])
            channel.over.wait(self.dice.uniform(1.5, 6))
            self.hang_up(channel)

    def _busy(self, channel, _):
        self.hang_up(channel, BUSY)

    def _played(self, channel, playback, state):
        if channel.playback == playback:
            channel.playback = None
            target = {"id": playback, "state": state, "target_uri": f"channel:{channel.id}"}
            self._tell("PlaybackFinished", channel, playback=target)

    def _taping(self, name):
        return next((each for each in self.channels.values() if each.tape == name), None)

    def _taped(self, channel):
        name, channel.tape = channel.tape, None
        self.stored[name] = self._now() - channel.taped_since
        self.taped.append(self.stored[name])
        target = {"name": name, "state": "done", "target_uri": f"channel:{channel.id}"}
        self._tell("RecordingFinished", channel, recording=target)

    def _end(self, channel, cause):
        if channel.tape is not None:
            self._taped(channel)
        if channel.playback is not None:
            self._played(channel, channel.playback, "failed")
        self.channels.pop(channel.id, None)
        self._leave_bridge(channel, channel.bridge)
        self._leave_application(channel)
        if channel.outbound:
            self._tell("ChannelDestroyed", channel, cause=cause)
        channel.over.set()

    def _leave_application(self, channel):
        if channel.ours:
            channel.ours = channel.music = False
            self._tell("StasisEnd", channel)

    def _leave_bridge(self, channel, bridge):
        if bridge is not None and channel.bridge is bridge:
            channel.bridge = None
            bridge.channels.remove(channel)
            self._tell("ChannelLeftBridge", channel, bridge=bridge.shown())

    def _tell(self, kind, channel, **facts):
        """Whether somebody is there to be told."""
        try:
            self.happen(kind, channel=channel.shown(), **facts)
        except (OSError, IndexError, LocalProtocolError):
            return False
        return True

    def _now(self):
        return gevent.get_hub().loop.now()


def _fits(parts, pattern):
    return len(parts) == len(pattern) and all(
        sample in ("*", part) for part, sample in zip(parts, pattern, strict=True)
    )


def _spoken(seconds):
    """A WAV file with something on it: 1 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes((b"\x00\x20" * 4 + b"\x00\xe0" * 4) * round(1000 * seconds))
    return file.getvalue()
