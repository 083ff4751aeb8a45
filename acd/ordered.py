"""Keys kept in order: the one index behind waiting callers and idle agents."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

Entry = TypeVar("Entry", bound=tuple[Any, ...])

_CHUNK = 512


class Ordered(Generic[Entry]):
    """Distinct tuples in ascending order: add, remove and place in O(log n) for any size that fits a telephone network.

    Chunks of at most 1,024 entries: an insertion moves a few kilobytes of pointers in C, which is faster than any
    tree written in Python. A tuple must differ from the others before its last element is compared.
    """

    __slots__ = ("_chunks", "_size", "_tops", "head")

    def __init__(self) -> None:
        self.head: Entry | None = None  # the smallest entry; it is asked for all the time
        self._chunks: list[list[Entry]] = []
        self._tops: list[Entry] = []  # the greatest entry of each chunk
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Entry]:
        for chunk in self._chunks:
            yield from chunk

    def add(self, entry: Entry) -> None:
        self._size += 1
        chunks, tops = self._chunks, self._tops
        if not chunks:
            chunks.append([entry])
            tops.append(entry)
            self.head = entry
            return
        if entry > tops[-1]:
            at = len(tops) - 1
            chunks[at].append(entry)
            tops[at] = entry
        else:
            at = bisect_left(tops, entry)
            insort(chunks[at], entry)
            self.head = chunks[0][0]
        if len(chunks[at]) > 2 * _CHUNK:
            self._split(at)

    def remove(self, entry: Entry) -> None:
        """Raises KeyError when the entry is not there."""
        at, inside = (0, 0) if entry is self.head else self._find(entry)  # mostly the first: it was served
        chunk = self._chunks[at]
        del chunk[inside]
        self._size -= 1
        if not chunk:
            del self._chunks[at], self._tops[at]
        elif inside == len(chunk):
            self._tops[at] = chunk[-1]
        self.head = self._chunks[0][0] if self._size else None

    def ahead_of(self, entry: Entry) -> int:
        """How many entries are smaller."""
        at = bisect_left(self._tops, entry)
        before = sum(map(len, self._chunks[:at]))
        return before + (bisect_left(self._chunks[at], entry) if at < len(self._chunks) else 0)

    def after(self, key: tuple[Any, ...]) -> Iterator[Entry]:
        """The entries greater than a key (which may be shorter than an entry), in order."""
        at = bisect_right(self._tops, key)
        for number in range(at, len(self._chunks)):
            chunk = self._chunks[number]
            start = bisect_right(chunk, key) if number == at else 0
            yield from chunk[start:]

    def _find(self, entry: Entry) -> tuple[int, int]:
        """Its chunk, and its place there."""
        at = bisect_left(self._tops, entry)
        if at < len(self._chunks):
            chunk = self._chunks[at]
            inside = bisect_left(chunk, entry)
            if chunk[inside] == entry:
                return at, inside
        raise KeyError(entry)

    def _split(self, at: int) -> None:
        chunk = self._chunks[at]
        self._chunks[at : at + 1] = [chunk[:_CHUNK], chunk[_CHUNK:]]
        self._tops.insert(at, chunk[_CHUNK - 1])
