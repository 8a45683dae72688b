"""The doors there are."""

from ordu.server.doors import Door

DOORS: tuple[Door, ...] = ()
