"""Errors as lines and exit codes."""

import pytest

from ordu.cli import failures
from ordu.cli.failures import Failure, extra
from ordu.client import BadInput, HordeError, Unreachable
from ordu.protocol.errors import Refused
from ordu.settings import SettingError
from ordu.store.migrations import SchemaError


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(SettingError("port is wrong"), 2, "port is wrong", id="wrong setting"),
        pytest.param(SchemaError("too new"), 2, "too new", id="wrong schema"),
        pytest.param(Unreachable("nobody there"), 3, "nobody there", id="horde not reached"),
        pytest.param(HordeError("broken"), 1, "broken", id="horde that fails"),
        pytest.param(
            BadInput("No.", rc="InvalidSize", errors={"params.width": "too much"}),
            1,
            "No. (rc InvalidSize)\n  params.width: too much",
            id="refused, with rc and fields",
        ),
        pytest.param(Refused("BadRequest", "No."), 1, "No. (rc BadRequest)", id="refused here"),
        pytest.param(KeyboardInterrupt(), 130, "stopped.", id="Ctrl-C"),
        pytest.param(
            FileNotFoundError(2, "No such file or directory", "x.png"),
            1,
            "x.png: No such file or directory.",
            id="file that is not there",
        ),
    ],
)
def test_expected_errors(error, code, message):
    failure = failures.of(error)
    assert failure is not None
    assert (failure.exit_code, failure.message) == (code, message)


@pytest.mark.parametrize("error", [ValueError("x"), AssertionError(), OSError("no file in it")])
def test_errors_nobody_expects_keep_their_traceback(error):
    assert failures.of(error) is None


def test_a_failure_is_one_line_on_stderr(capsys):
    Failure("No.").show()
    assert capsys.readouterr() == ("", "ordu: No.\n")


def test_a_missing_module_that_is_of_no_extra_is_a_fault():
    with pytest.raises(ModuleNotFoundError), extra("server"):
        raise ModuleNotFoundError("gone", name="ordu.server.gone")
