"""A horde in memory, for the tests of programs that use the client.

    from ordu.client.testing import FakeHorde

    def test_my_program():
        fake = FakeHorde(pictures=[b"…"])
        with fake.horde() as horde:
            assert horde.generate("a fox")[0].data == b"…"
        assert fake.calls_of("post_async_generate")[0].body["prompt"] == "a fox"

Nothing is listened to and nothing is waited for: calls go to the fake instead of the network, and
its clock moves when the client sleeps. What it does stands in `docs/how-to/test-with-a-fake-horde`.
"""

from ordu.client.testing.answers import Call, FakeRequest
from ordu.client.testing.fake import FakeHorde

__all__ = ["Call", "FakeHorde", "FakeRequest"]
