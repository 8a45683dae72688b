"""What a run without `-n` says at its end: how many calls were made, and how they were answered."""

from tests.attacks.exchange import ANSWERS


def pytest_terminal_summary(terminalreporter) -> None:
    if ANSWERS:
        many = ", ".join(f"{status}: {count:,}" for status, count in sorted(ANSWERS.items()))
        terminalreporter.write_line(f"generated calls: {ANSWERS.total():,} ({many})")
