"""Time-outs of addresses: who asks for what no horde draws has to wait (protocol sheet 13 §5).

The k-th offence within a day costs (2(k - 1) + 1) × 3 minutes: 3, 9, 15, 21 … They are kept in
memory, for so many addresses and no more, and a start forgets them. Addresses of this machine and
of private networks never have to wait: behind a proxy that is not named as trusted they stand for
everybody.
"""

from collections import deque
from dataclasses import dataclass, field

from ordu.protocol.addresses import is_public_text
from ordu.protocol.errors import Refused
from ordu.rules.lifecycle import Millis
from ordu.rules.trust import DAY_MS, timeout_ms

ADDRESSES_MAX = 10_000  # the one that has behaved for longest is forgotten first
OFFENCES_MAX = 100  # of one address; more make no time-out longer


@dataclass(slots=True)
class Record:
    """What one address has done within a day, and until when it has to wait."""

    until: Millis
    offences: deque[Millis] = field(default_factory=lambda: deque(maxlen=OFFENCES_MAX))


class Timeouts:
    """The addresses that have offended, of one server process."""

    def __init__(self, addresses_max: int = ADDRESSES_MAX) -> None:
        self.addresses_max = addresses_max
        self.records: dict[str, Record] = {}  # that of the newest offence comes last

    def offence(self, address: str, now: Millis) -> None:
        """Count an offence: the address has to wait from now on."""
        if not is_public_text(address):
            return
        record = self.records.pop(address, None) or Record(now)
        while record.offences and record.offences[0] <= now - DAY_MS:
            record.offences.popleft()
        record.offences.append(now)
        record.until = Millis(now + timeout_ms(len(record.offences)))
        if len(self.records) >= self.addresses_max:
            del self.records[next(iter(self.records))]
        self.records[address] = record

    def forget_before(self, moment: Millis) -> None:
        """Forget the addresses whose newest offence is older."""
        while self.records:
            address, record = next(iter(self.records.items()))
            if record.offences[-1] >= moment:
                break
            del self.records[address]

    def check(self, address: str, now: Millis) -> None:
        """Refuse an address that has to wait.

        Raises:
            Refused: TimeoutIP.
        """
        record = self.records.get(address)
        if record is None or record.until <= now:
            return
        wait_s = -(-(record.until - now) // 1000)
        raise Refused(
            "TimeoutIP",
            "Prompts that are not drawn here came from your address. It has to wait for "
            f"{wait_s} s.",
            retry_after_s=wait_s,
        )
