"""The guard's own names; what it lets through is tested where it is used (door and webhooks)."""

import pytest

from ordu.outside.guard import Guard, NoPublicHostError, SystemNames
from ordu.outside.targets import taken_apart

pytestmark = pytest.mark.anyio


async def test_the_system_is_asked_for_names():
    assert await SystemNames()("127.0.0.1", 80) == ["127.0.0.1"]
    with pytest.raises((OSError, ValueError)):
        await SystemNames()("a" * 64 + ".invalid", 80)


@pytest.mark.parametrize("found", [[], ["10.0.0.1"], ["93.184.216.34", "::1"], ["no address"]])
async def test_a_host_that_is_not_wholly_public_is_refused(found):
    async def resolver(host, port):
        return found

    target = taken_apart("https://shop.test/")
    with pytest.raises(NoPublicHostError):
        await Guard(resolver=resolver).addresses(target)
    if found:
        assert await Guard(["SHOP.test"], resolver).addresses(target) == found


async def test_each_address_is_tried_once_and_three_at_most():
    async def resolver(host, port):
        return ["8.8.8.8", "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1"]

    addresses = await Guard(resolver=resolver).addresses(taken_apart("https://shop.test/"))
    assert addresses == ["8.8.8.8", "8.8.4.4", "1.1.1.1"]
