"""The contract of every switch, on the simulated exchange in virtual time."""

from datetime import UTC, datetime

import gevent
import numpy as np
import pytest

from switch.port import CallEnded, Cause, Sound
from switch.shared.clock import VirtualClock
from switch.simulated import Exchange, SimulatedSwitch
from switch.simulated import Phone as Behaviour
from switch.simulated.audio import write_wav
from switch.simulated.switch import SimulatedCall
from tests.switch.contract import *  # noqa: F403

TONES = {"low": 440.0, "high": 1000.0}
LONGEST = 120.0


class SimulatedFarEnd:
    def __init__(self, rig, line=None, account=""):
        self.rig, self.line, self.account = rig, line, account

    def press(self, keys):
        for key in keys:
            self.line.press(key)

    def speak(self, tone, seconds):
        self.line.speak(seconds, tone)
        partner = self.line.partner
        if partner is not None:
            partner.hears("sound", "low" if tone == TONES["low"] else "high")

    def hang_up(self):
        self.line.hang_up()

    def wait_hears(self, what):
        self.rig.wait_until(lambda: what in self.heard())

    def heard(self):
        names = [each.text if each.kind == "sound" else each.kind for each in self.line.heard if each.kind != "voice"]
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    @property
    def up(self):
        return self.line.ended is None

    def wait_rings(self):
        self.rig.wait_until(lambda: self.rig.exchange.ringing(self.account) is not None)
        self.line = self.rig.exchange.ringing(self.account)

    def answer(self):
        self.line.pick_up()

    def decline(self):
        self.line.refuse(Cause.REJECTED)


class SimulatedRig:
    def __init__(self, directory):
        self.directory = directory
        self.clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
        self.exchange = Exchange(self.clock, music=directory)
        self.switch = SimulatedSwitch(self.exchange)
        self.results = []
        self.errors = []

    def sound(self, name, seconds=2.0):
        path = self.directory / f"{name}-{seconds}.wav"
        write_wav(path, 0.5 * np.sin(2 * np.pi * TONES[name] * np.arange(int(8000 * seconds)) / 8000))
        return Sound(path, name)

    def serve(self, flow, *, open=True):
        def on_call(call):
            try:
                self.results.append(flow(call))
            except CallEnded as ended:
                self.results.append(ended.cause)
            except BaseException as error:  # noqa: BLE001 - the test itself raises it again
                self.errors.append(error)

        self.switch.serve(on_call, admits=lambda *_: open)

    def caller(self, number="13800000001", name=""):
        return SimulatedFarEnd(self, self.exchange.ring_in("1000", number, caller_name=name))

    def phone(self, account):
        self.exchange.phones[account] = Behaviour(account)
        return SimulatedFarEnd(self, account=account)

    def second_controller(self):
        return SimulatedSwitch(self.exchange)

    def pass_time(self, seconds):
        end = self.clock.now() + round(seconds * 1000)
        self.clock.after(seconds, lambda: None)
        assert self.clock.run_until(lambda: self.clock.now() >= end, longest=seconds)

    def wait_until(self, true):
        assert self.clock.run_until(true, longest=LONGEST), "it did not happen"

    def result(self):
        self.wait_until(lambda: self.results or self.errors)
        if self.errors:
            raise self.errors.pop()
        return self.results.pop(0)


@pytest.fixture
def rig(tmp_path, monkeypatch):
    rig = SimulatedRig(tmp_path)
    monkeypatch.setattr("switch.simulated.switch.SimulatedCall.play", in_virtual_time(rig))
    return rig


def in_virtual_time(rig):
    """A play that the test itself calls, outside of any call's greenlet, needs somebody to let time pass."""
    plain = SimulatedCall.play
    main = gevent.getcurrent()

    def play(call, media, **options):
        if gevent.getcurrent() is not main:
            return plain(call, media, **options)
        playing = gevent.spawn(plain, call, media, **options)
        rig.wait_until(playing.ready)
        return playing.get()

    return play
