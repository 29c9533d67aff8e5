"""What is to be known of a kind of item."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of item: what of it is volatile, by what it is known in another account, and what is sent to make it again."""

    name: str
    noun: str
    """For people."""
    key: tuple[str, ...] = ("name",)
    """The fields that say which one it is, where ids do not. Several of one key are told apart by their order."""
    title: str = "name"
    derived: tuple[str, ...] = ()
    """Fields that follow from other things, change by themselves, or are secret: never kept."""
    sent: tuple[str, ...] = ()
    """Fields that make it again. Empty: it cannot be made."""
    unordered: tuple[str, ...] = ()
    """Lists whose order means nothing."""
    numbered: tuple[str, ...] = ()
    """Lists whose members have ids of their own, which nobody refers to."""
    typed: bool = False
    """Whether its `type` says anything."""
    lost: str = ""
    """What the one made again does not have of the one that was: said in the plan."""
    owner: str = ""
    """The field with the reference to what it belongs to."""
    hangs: bool = False
    """Whether it has no id of its own, and is put in place rather than made: doing it twice does no harm."""
