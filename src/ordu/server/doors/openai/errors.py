"""Refusals in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from ordu.protocol.errors import RC, Family, Refused
from ordu.server.doors.openai.messages import Error, ErrorBody

# Codes that programs made for OpenAI's API look for. Where it has none, the code is our rc.
CODES: Mapping[str, str] = {
    "AnonymousOff": "invalid_api_key",
    "CorruptPrompt": "moderation_blocked",
    "InvalidAPIKey": "invalid_api_key",
    "KudosUpfront": "insufficient_quota",
    "NotFound": "unknown_url",
    "RateLimited": "rate_limit_exceeded",
    "TooManyPrompts": "rate_limit_exceeded",
    "TooManyWaiters": "rate_limit_exceeded",
}
# Whoever is told that nobody may be anonymous has to send a key first.
STATUSES: Mapping[str, int] = {"AnonymousOff": 401}
# Which field a refusal of the horde's own rules is about.
PARAMS: Mapping[str, str] = {
    "BadCFGDecimals": "cfg_scale",
    "BadLoraVersion": "loras",
    "CorruptPrompt": "prompt",
    "InpaintingMissingMask": "mask",
    "InvalidPromptSize": "prompt",
    "InvalidTransparencyModel": "background",
    "MissingPrompt": "prompt",
    "SourceImageRequiredForModel": "model",
    "TooManyLoras": "loras",
    "UnexpectedModelName": "model",
}
# The official packages call again by themselves after these statuses; only some refusals pass.
RETRIED = frozenset({408, 409, 429})
PASSING = frozenset({"Unavailable", "InternalError"})


class FieldRefused(Refused):
    """A "no" about one field, with a code of OpenAI's."""

    def __init__(
        self, param: str, message: str, *, code: str = "invalid_value", status: int = 400
    ) -> None:
        super().__init__(code, message, status)
        self.param = param


def answer_refusal(refused: Refused) -> Response:
    """The answer to a call that is refused."""
    status = STATUSES.get(refused.rc, refused.status)
    content = msgspec.json.encode(ErrorBody(error_of(refused))) + b"\n"
    headers = {} if is_worth_a_retry(refused, status) else {"x-should-retry": "false"}
    return Response(content, status, headers, "application/json")


def error_of(refused: Refused) -> Error:
    """A refusal as OpenAI would say it."""
    status = STATUSES.get(refused.rc, refused.status)
    message, param, code = refused.message, param_of(refused), CODES.get(refused.rc, refused.rc)
    if refused.errors:
        param, wrong = next(iter(refused.errors.items()))
        is_missing = "required" in wrong
        code = "missing_required_parameter" if is_missing else "invalid_value"
        message = " ".join(f"'{name}': {words}" for name, words in refused.errors.items())
    return Error(message=message, type=type_of(status, code), param=param, code=code)


def param_of(refused: Refused) -> str | None:
    """The field that a refusal is about, where it is about one."""
    return refused.param if isinstance(refused, FieldRefused) else PARAMS.get(refused.rc)


def type_of(status: int, code: str) -> str:
    """The kind of error, as OpenAI names it."""
    if code == "insufficient_quota":
        return code
    if status == 403:
        return "permission_error"
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def is_worth_a_retry(refused: Refused, status: int) -> bool:
    """Whether the same call may be let through a moment later."""
    if status < 500:
        return status in RETRIED
    family = RC[refused.rc][1] if refused.rc in RC else None
    return refused.rc in PASSING or family is Family.TOO_MUCH
