"""What comes to a leg: keys, notices, a parting, and its end, which wins over everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from switch.port import CallEnded, Cause, Key, Keys, Notice, Parted
from switch.shared.clock import Clock
from switch.shared.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class _Ended:
    pass


class Inbox:
    """The mailbox of one leg, with the rules of `switch.port.Call` about who reads what."""

    def __init__(self, clock: Clock) -> None:
        self._items: Mailbox[Key | Notice | Parted | _Ended] = Mailbox(clock)
        self.ended: Cause | None = None

    def put(self, item: Key | Notice | Parted) -> None:
        if self.ended is not None or self._items.put(item) or isinstance(item, Key):
            return
        # A far end that floods keys must not keep anything else out.
        self.drop_keys()
        self._items.put(item)

    def end(self, cause: Cause) -> None:
        """The leg is gone: whoever waits, and whoever comes to wait, gets CallEnded. The first cause stays."""
        if self.ended is None:
            self.ended = cause
            self._items.drop(lambda _: True)
            self._items.put(_Ended())

    def check(self) -> None:
        """Raises CallEnded when the leg is gone."""
        if self.ended is not None:
            raise CallEnded(self.ended)

    def take(self, within: float | None) -> Key | Notice | Parted | None:
        """The oldest item, or None when none came in time."""
        self.check()
        item = self._items.get(within)
        self.check()
        assert not isinstance(item, _Ended)
        return item

    def cut_in(self, stop_on: Keys, within: float | None) -> Key | Notice | None:
        """Waits for a key of `stop_on` or a notice and returns it without taking it; None after `within`."""
        self.check()
        found = self._items.find(
            lambda item: isinstance(item, Notice | _Ended) or (isinstance(item, Key) and item.digit in stop_on), within
        )
        self.check()
        return found if isinstance(found, Key | Notice) else None

    def find(
        self, wanted: Callable[[Key | Notice | Parted], bool], within: float | None
    ) -> Key | Notice | Parted | None:
        """Waits for an item that is wanted and returns it without taking it; None after `within`."""
        self.check()
        found = self._items.find(lambda item: isinstance(item, _Ended) or wanted(item), within)
        self.check()
        assert not isinstance(found, _Ended)
        return found

    def take_key(self, wanted: Key) -> None:
        """Takes one key that `cut_in` found."""
        self.remove(wanted)

    def remove(self, wanted: Key | Notice | Parted) -> None:
        """Takes one item that was found."""
        taken = False

        def is_it(item: object) -> bool:
            nonlocal taken
            if taken or item is not wanted:
                return False
            taken = True
            return True

        self._items.drop(is_it)

    def drop_keys(self) -> None:
        self._items.drop(lambda item: isinstance(item, Key))
