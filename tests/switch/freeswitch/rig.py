"""The contract's rig on a real FreeSWITCH: sipp telephones, and ears that measure.

The telephones block their thread; they are told from a thread pool, so that the hub, in which the switch
under test lives, runs on.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import gevent
from gevent import get_hub

from switch.freeswitch import FreeSwitch
from switch.port import CallEnded, Sound
from switch.shared.clock import RealClock
from tests.live import heard, phones, rtp
from tests.switch.freeswitch import exchange as exchanges

TONES = {"low": exchanges.LOW, "high": exchanges.HIGH, "music": exchanges.MUSIC}
WITHIN = 15.0


def aside(function, *arguments, **named):
    return get_hub().threadpool.apply(function, arguments, named)


class FarEnd:
    def __init__(self, rig, leg=None, phone=None):
        self.rig, self.leg, self.phone = rig, leg, phone
        self.account = phone.account if phone else ""

    def press(self, keys):
        self.leg.press(keys)

    def speak(self, tone, seconds):
        self.leg.say(rtp.once(exchanges.tone(tone, seconds)))

    def hang_up(self):
        aside(self.leg.hang_up)

    def wait_hears(self, what):
        since = max(self.leg.answered_at or 0.0, self.leg.media.now() - 0.5)
        self.rig.wait_until(lambda: what in self._tones(since))

    def heard(self):
        names = self._tones(self.leg.answered_at or 0.0)
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    def _tones(self, since):
        audio = self.leg.media.heard(since, self.leg.ended_at)
        names = {frequency: name for name, frequency in TONES.items()}
        return [names[tone.frequency] for tone in heard.tones(audio, *TONES.values(), shortest=0.1)]

    @property
    def up(self):
        return not self.leg.ended

    def wait_rings(self):
        self.rig.wait_until(lambda: self.phone.call is not None)
        self.leg = self.phone.call
        gevent.sleep(0.5)  # what a person needs to reach for it

    def answer(self):
        self.leg.answer()

    def decline(self):
        self.leg.decline(486)


class Rig:
    def __init__(self, exchange, directory: Path):
        self.exchange = exchange
        self.directory = directory
        self.clock = RealClock()
        self.epochs = itertools.count(1)
        self.controllers = []
        self.open = True
        self.results = []
        self.errors = []
        self.flow = lambda call: None
        self.switch = self._controller(exchange.ports.outbound)
        self.switch.serve(self._on_call, admits=lambda *_: self.open)
        self.wait_until(lambda: self.switch.connected)
        here = "127.0.0.1"
        self.phones = phones.Phones((here, exchange.ports.trunk), (here, exchange.ports.agents), directory / "sip")

    def _controller(self, outbound):
        switch = FreeSwitch(
            outbound=outbound,
            inbound=f"127.0.0.1:{self.exchange.ports.event_socket}",
            password=exchanges.PASSWORD,
            clock=self.clock,
            epoch=next(self.epochs),
            music=self.exchange.music,
        )
        self.controllers.append(switch)
        return switch

    def sound(self, name, seconds=2.0):
        path = self.directory / f"{name}-{seconds}.wav"
        if not path.exists():
            heard.write_wav(path, exchanges.tone(TONES[name], seconds))
        return Sound(path, name)

    def serve(self, flow, *, open=True):
        self.flow, self.open = flow, open

    def _on_call(self, call):
        try:
            self.results.append(self.flow(call))
        except CallEnded as ended:
            self.results.append(ended.cause)
        except BaseException as error:  # noqa: BLE001  # shown by whoever waits for the result
            self.errors.append(error)

    def caller(self, number="13800000001", name="", dialled="1000", **options):
        leg = aside(self.phones.call, dialled, caller=number, name=name, **options)
        far = FarEnd(self, leg)
        self.wait_until(lambda: leg.news)
        return far

    def phone(self, account):
        phone = self.phones.agent(account, exchanges.ACCOUNTS[account])
        phone.answer_after = None
        aside(phone.register)
        return FarEnd(self, phone=phone)

    def second_controller(self):
        switch = self._controller(f"127.0.0.1:{exchanges.free_ports(1)[0]}")
        switch.serve(lambda call: None)
        self.wait_until(lambda: switch.connected)
        return switch

    def pass_time(self, seconds):
        gevent.sleep(seconds)

    def wait_until(self, true, within=WITHIN):
        with gevent.Timeout(within, AssertionError("it did not happen")):
            while not true():
                if self.errors:
                    raise self.errors.pop()
                gevent.sleep(0.02)

    def result(self):
        self.wait_until(lambda: self.results or self.errors, within=60)
        if self.errors:
            raise self.errors.pop()
        return self.results.pop(0)

    def close(self):
        for switch in self.controllers:
            switch.stop()
        aside(self.phones.close)
