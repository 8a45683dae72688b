"""The page Ask with somebody who is signed in, and machines that do what a test says."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from tests.pages.asking import Machine, Machines
from tests.pages.conftest import Person
from tests.system.processes import Server


@pytest.fixture
def machines(horde_server: Server) -> Iterator[Machines]:
    made = Machines(horde_server)
    yield made
    made.close()


@pytest.fixture
def machine(machines: Machines) -> Machine:
    return machines.come()


@pytest.fixture
def key(horde_server: Server) -> str:
    return horde_server.register("aida")


@pytest.fixture
def page(person: Person, key: str) -> Page:
    person.sign_in(key)
    return person.open("/")
