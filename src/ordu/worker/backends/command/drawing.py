"""One picture by a program: once, or by a program that stays for the next ones.

What a program is told is one JSON object on one line (`Job`); what it answers is a picture on its
standard output or in a file, or, when it stays, one JSON object a line (`Answer`).
`docs/reference/backends/command.md` is the description of both.
"""

import dataclasses
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ordu.worker import pictures
from ordu.worker.backends import BackendError, Drawing, OutOfMemoryError, Picture, Progress
from ordu.worker.backends.command.program import POLL_S, WORDS_MAX, Lines, Program, Running

VERSION = 1  # of what a program is told and answers
OUTPUT_BYTES_MAX = 64 * 2**20
ANSWERS_MAX = 1000  # that wait to be read; who answers more has lost the thread
OUT_OF_MEMORY = 12  # the exit status; it is the number of ENOMEM
DEVICE = "ORDU_DEVICE"
OUT = "ORDU_OUT"


class Answer(msgspec.Struct, frozen=True):
    """A line of a program that stays: how far it is, or how it ended."""

    progress: float | None = None
    picture: str | None = None  # the file
    censored: bool = False
    error: str | None = None
    out_of_memory: bool = False


@dataclasses.dataclass(frozen=True)
class Job:
    """What a program is told of one drawing."""

    line: bytes
    out: Path  # where it may put the picture


def prepare(drawing: Drawing, device: str, folder: Path) -> Job:
    """Put what a program needs into a folder, and into words.

    Raises:
        BackendError: the source image or the mask cannot be read.
    """
    body = {each.name: getattr(drawing, each.name) for each in dataclasses.fields(drawing)}
    size = (drawing.width, drawing.height)
    if drawing.source_image is not None:
        image = pictures.as_png(pictures.read_flat(drawing.source_image, *size))
        body["source_image"] = _put(folder / "source.png", image)
        if drawing.source_mask is not None or drawing.source_processing != "img2img":
            mask = pictures.as_png(pictures.read_mask(drawing))
            body["source_mask"] = _put(folder / "mask.png", mask)
    out = folder / "out.png"
    told = {"version": VERSION, "device": device, "out": str(out), **body}
    return Job(msgspec.json.encode(told) + b"\n", out)


def draw_once(
    command: Sequence[str],
    job: Job,
    device: str,
    timeout_s: float,
    progress: Progress,
    running: Running,
) -> Picture:
    """Run a program for this one picture.

    Raises:
        BackendError: it failed; with its last line.
        OutOfMemoryError: it said so by its status.
        Cancelled: `progress` raised it; the program is ended.
    """
    told = job.out.with_name("job.json")
    told.write_bytes(job.line)
    output = _Output()
    deadline_s = time.monotonic() + timeout_s
    with told.open("rb") as stdin:
        environment = {DEVICE: device, OUT: str(job.out)}
        program = Program(command, environment, stdin, output.feed, running)
    try:
        while program.wait(POLL_S) is None:
            progress(program.share)
            _check_time(program.name, deadline_s, timeout_s)
            output.check(program.name)
    finally:
        program.end()
    output.check(program.name)
    if program.status() == OUT_OF_MEMORY:
        raise OutOfMemoryError(program.why())
    if program.status() != 0:
        raise BackendError(program.why())
    data = _read_file(job.out, program.name) if job.out.exists() else bytes(output.data)
    if not data:
        raise BackendError(f"{program.name} gave no picture: {_last(program)}")
    return Picture(data, is_censored=program.is_censored)


class _LeftError(BackendError):
    """A program that stays has ended by itself, without a word about this picture."""


class Staying:
    """A program that draws one picture after the other, started when it is needed."""

    def __init__(
        self, command: Sequence[str], device: str, timeout_s: float, running: Running
    ) -> None:
        self._command = command
        self._running_programs = running
        self._environment: Mapping[str, str] = {DEVICE: device}
        self._timeout_s = timeout_s
        self._turn = threading.Lock()
        self._program: Program | None = None
        self._answers: queue.Queue[str] = queue.Queue(ANSWERS_MAX)
        self._has_drawn = False  # this program, since it was started

    def draw(self, job: Job, progress: Progress) -> Picture:
        """Have it draw this picture, after those that others wait for.

        Raises:
            BackendError: it failed; when it broke off, the next picture starts it anew.
            OutOfMemoryError: it said so.
            Cancelled: `progress` raised it; the program is ended, as there is no other way.
        """
        with self._in_turn(progress):
            program = self._running()
            try:
                answer = self._answer(program, job, progress)
            except _LeftError:
                # It may have been about to leave when it was given the job, so a new one is asked.
                program = self._running()
                answer = self._answer(program, job, progress)
            if answer.error is not None or answer.out_of_memory:
                kind = OutOfMemoryError if answer.out_of_memory else BackendError
                raise kind(f"{program.name}: {_short(answer.error or 'out of memory')}")
            data = _read_file(Path(answer.picture or job.out), program.name)
            return Picture(data, is_censored=answer.censored or program.is_censored)

    def close(self) -> None:
        """End the program if it draws nothing now."""
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()

    @contextmanager
    def _in_turn(self, progress: Progress) -> Iterator[None]:
        while not self._turn.acquire(timeout=POLL_S):
            progress(0.0)
        try:
            yield
        finally:
            self._turn.release()

    def _running(self) -> Program:
        """The program, started again if it has ended since."""
        if self._program is not None and self._program.status() is not None:
            self._end()
        if self._program is None:
            self._answers = queue.Queue(ANSWERS_MAX)
            self._has_drawn = False
            self._program = Program(
                self._command,
                self._environment,
                subprocess.PIPE,
                Lines(self._take).feed,
                self._running_programs,
            )
        return self._program

    def _take(self, line: str) -> None:
        """Take in a line; what is no JSON object is talk, as libraries print it."""
        if line.lstrip().startswith("{"):
            with suppress(queue.Full):
                self._answers.put_nowait(line)
        elif self._program is not None:
            self._program.tell(line)

    def _end(self) -> None:
        if self._program is not None:
            self._program.end()
            self._program = None

    def _answer(self, program: Program, job: Job, progress: Progress) -> Answer:
        """What it says about this job; without an answer it is ended, to be started anew."""
        program.share, program.is_censored = 0.0, False
        while not self._answers.empty():  # what it said after its last answer is about nothing
            self._answers.get_nowait()
        # It may not read at once; whether it is still wanted has to be asked all the same.
        threading.Thread(target=program.write, args=(job.line,), daemon=True).start()
        try:
            answer = self._awaited(program, progress)
        except BaseException:
            self._end()
            raise
        self._has_drawn = True
        return answer

    def _awaited(self, program: Program, progress: Progress) -> Answer:
        deadline_s = time.monotonic() + self._timeout_s
        while True:
            status = program.status()
            if status is not None:
                program.end()  # so that all it said is read
            if (answer := self._next(program, wait=status is None)) is not None:
                if answer.progress is None:
                    return answer
                program.share = min(max(answer.progress, 0.0), 1.0)
            elif status is not None:
                kind = _LeftError if status == 0 and self._has_drawn else BackendError
                raise kind(program.why())
            progress(program.share)
            _check_time(program.name, deadline_s, self._timeout_s)

    def _next(self, program: Program, *, wait: bool) -> Answer | None:
        try:
            line = self._answers.get(timeout=POLL_S) if wait else self._answers.get_nowait()
        except queue.Empty:
            return None
        try:
            return msgspec.json.decode(line, type=Answer)
        except msgspec.DecodeError as error:
            raise BackendError(
                f"{program.name} answered what is not in the protocol ({error}): {_short(line)}"
            ) from error


class _Output:
    """What a program writes to its standard output, up to a bound."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._is_too_much = False

    def feed(self, chunk: bytes) -> None:
        if len(self.data) + len(chunk) > OUTPUT_BYTES_MAX:
            self._is_too_much = True
        else:
            self.data += chunk

    def check(self, name: str) -> None:
        if self._is_too_much:
            raise BackendError(_too_much(name))


def _put(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def _read_file(path: Path, name: str) -> bytes:
    """A file that a program names: a real one, so that reading it cannot hang."""
    if not path.is_file():
        raise BackendError(f"{name} names a picture that is not there: {path}")
    if path.stat().st_size > OUTPUT_BYTES_MAX:
        raise BackendError(_too_much(name))
    try:
        return path.read_bytes()
    except OSError as error:
        raise BackendError(f"{name} names a picture that cannot be read: {error}") from error


def _check_time(name: str, deadline_s: float, timeout_s: float) -> None:
    if time.monotonic() > deadline_s:
        raise BackendError(
            f"{name} gave no picture within {timeout_s:g} s; the setting timeout_s allows longer."
        )


def _too_much(name: str) -> str:
    return f"{name} gave more than {OUTPUT_BYTES_MAX // 2**20} MiB."


def _last(program: Program) -> str:
    return program.lines[-1] if program.lines else "it said nothing"


def _short(text: str) -> str:
    return " ".join(text.split())[:WORDS_MAX]
