"""Which switch a configuration means, and opening it."""

from __future__ import annotations

from pathlib import Path

from config.appliance import Config
from config.values import UserError
from runtime.music import pieces
from switch.port import Switch
from switch.shared.clock import Clock

LEGS_PER_CALL = 3  # a caller, the agent, and one more: on its way, or a caller who holds in the dialplan


def password_of(file: Path) -> str:
    """The generated password of the event socket or of ARI. Raises UserError."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise UserError(f"{file} is not there; make it with: ./appliance.py switch-config") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error


def coded_music_dir(config: Config) -> Path:
    """Where music is kept coded for FreeSWITCH."""
    return config.sounds_dir / "coded"


def open_switch(config: Config, clock: Clock, *, epoch: int) -> Switch:
    """The configured switch, not yet connected; `epoch` is that of this life. Raises UserError.

    The other backends, with the protocols that they speak, are not loaded: a start is the shorter for it.
    """
    match config.switch.kind:
        case "freeswitch":
            from runtime.coded_music import coded  # noqa: PLC0415
            from switch.freeswitch import FreeSwitch  # noqa: PLC0415

            sources = pieces(config.sounds_dir)
            settings = config.switch.freeswitch
            return FreeSwitch(
                outbound=settings.outbound,
                inbound=settings.inbound,
                password=password_of(settings.password_file),
                clock=clock,
                epoch=epoch,
                most=LEGS_PER_CALL * config.limits.calls,
                music=coded(sources, coded_music_dir(config)),
                sources=sources,
            )
        case "asterisk":
            from switch.asterisk import Asterisk  # noqa: PLC0415

            ari = config.switch.asterisk
            password = password_of(ari.password_file)
            return Asterisk(url=ari.url, user=ari.user, password=password, clock=clock, epoch=epoch)
        case _:
            from switch.simulated import Exchange, SimulatedSwitch  # noqa: PLC0415

            return SimulatedSwitch(Exchange(clock, music=config.sounds_dir))
