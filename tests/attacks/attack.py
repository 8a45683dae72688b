"""An attack on the application by one of its own documents: generated calls, and what is judged.

A generated id names nothing, and a call that ends in 404 proves little. So in most calls the ids of
what is really there are planted, whoever's it is.
"""

import base64
import itertools
import os
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis
from schemathesis import Case, CheckFunction, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from tests.attacks.exchange import CLOSED, Exchange, Loop
from tests.rights.world import COMMENT, CONTACT, GUEST_KEY, HOST, PICTURE, WRONG_KEY, Person, World

from ordu.protocol.decoding import forgive
from ordu.server.app import make_app

load_all_checks()
CONFORMS = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "unsupported_method",
    ]
)
REFUSES = CHECKS.get_by_names(["negative_data_rejection"])
KEYS = {
    "no key": None,
    "guest": GUEST_KEY,
    "wrong key": WRONG_KEY,
    "shared key": "6f0c8d6e-1b7a-4293-8000-00000000a1f0",  # which hordes of today know
}
ROLES = (*KEYS, "newcomer", "owner", "browser", "moderator", "administrator")
STRANGERS = frozenset({*KEYS, "newcomer"})  # who may see nothing that is for few
SEED = int(os.environ.get("ORDU_ATTACK_SEED", "0"))  # another one makes other calls
FIELDS_FEW = 2
NEEDED = ("prompt", "name", "id", "username", "amount", "provider", "newspiece", "generation")
MISTAKES_MAX = 5  # told of one operation


class Attack:
    """A document, the application, and what was found wrong."""

    def __init__(self, loop: Loop, world: World, document: dict[str, Any]) -> None:
        self.loop, self.world = loop, world
        self.app = make_app(world.horde, world.secret)
        self.schema = schemathesis.openapi.from_dict(document)
        self.wrong: dict[tuple[str, str], str] = {}
        self.begin("")

    def begin(self, label: str) -> None:
        """Begin with another operation."""
        self.wrong.clear()
        self.got_through = False
        self.chance = random.Random(f"{SEED} {label}")
        self.turns = itertools.count()

    # Who calls, and about what

    def key_of(self, role: str) -> str | None:
        """The key of a role."""
        if role in KEYS:
            return KEYS[role]
        if role == "newcomer":
            return self.world.newcomer.key
        person = self.world.people[role]
        return person.browser_key if role == "browser" else person.key

    def plant(self, case: Case, *, changes_body: bool) -> None:
        """Put ids of what is there in the place of generated ones, in three calls of four."""
        turn = next(self.turns) % 4
        if turn == 3:
            return
        people = self.world.people
        person = people["owner"] if turn != 1 else self.chance.choice(list(people.values()))
        put(there_in_path(case, person), case.path_parameters)
        put(self.there_in_query(case, person), case.query)
        if isinstance(case.body, dict) and changes_body:
            if turn != 2:
                self.thin(case.body)
            put(self.there_in_body(case, person), case.body)
        if case.path.startswith("/pictures/") and case.method == "PUT":
            case.body = base64.b64decode(PICTURE)

    def thin(self, body: dict[str, Any]) -> None:
        """Leave most fields out: one that is refused hides the others."""
        if len(body) > FIELDS_FEW:
            kept = {*self.chance.sample(sorted(body), FIELDS_FEW), *NEEDED}
            for name in body.keys() - kept:
                del body[name]

    def there_in_query(self, case: Case, person: Person) -> dict[str, Any]:
        """What is there, by the names in the query of this operation."""
        if case.path.startswith("/pictures/"):
            link = person.upload if case.method == "PUT" else person.picture
            return dict(parse_qsl(urlsplit(link).query))
        return {
            "id": self.world.news_id,
            "worker_id": person.worker.id,
            "actor": person.alias,
            "target": f"user:{person.id}",
        }

    def there_in_body(self, case: Case, person: Person) -> dict[str, Any]:
        """What is there, by the fields of this operation's body."""
        match case.path.rpartition("/")[2]:
            case "submit":
                return {"id": person.job_id, "generation": PICTURE}
            case "pop":
                return {"name": person.worker.name, "models": [person.worker.name]}
            case "async" | "sync":
                return {"models": [person.worker.name], "workers": [person.worker.id]}
            case "transfer" | "award":
                return {"username": person.alias, "amount": 1}
            case "news":
                return {"id": self.world.news_id}
            case "identities":
                return {"provider": "company"}
        return {}

    # Calling

    def call(self, case: Case, role: str) -> Response:
        """The answer to a call by somebody, of status CLOSED when they went away before it came."""
        said = case.as_transport_kwargs(base_url=HOST + self.schema.base_path.rstrip("/"))
        headers = {
            name: value
            for name, value in (said.get("headers") or {}).items()
            if name.lower() != "apikey"
        }
        key = self.key_of(role)
        if key is not None:
            headers["apikey"] = key
        wanted = ("method", "url", "params", "data", "json", "files", "cookies")
        rest = {name: said[name] for name in wanted if name in said}
        sent = requests.Request(headers=headers, **rest).prepare()
        answer = self.loop.run(Exchange(self.app, sent).run())
        fields: dict[str, list[str]] = {}
        for name, value in answer.headers:
            fields.setdefault(name, []).append(value)
        return Response(
            status_code=answer.status,
            headers=fields,
            content=answer.content,
            request=sent,
            elapsed=0,
            verify=False,
            encoding="utf-8",
        )

    def attack(self, case: Case, roles: int) -> None:
        """Call as so many roles, and note what is wrong with the answers."""
        is_body_wrong = is_wrong(case)
        checks = [*CONFORMS, *(REFUSES if is_body_wrong else ())]
        self.plant(case, changes_body=not is_body_wrong)  # what is wrong on purpose stays so
        for role in self.chance.sample(ROLES, roles):
            answer = self.call(case, role)
            # Who was kept waiting was not refused.
            self.got_through |= answer.status_code < 300 or answer.status_code == CLOSED
            self.judge(case, role, answer, checks)

    def judge(
        self, case: Case, role: str, answer: Response, checks: Sequence[CheckFunction]
    ) -> None:
        """Note what is wrong with an answer; who went away got none."""
        if answer.status_code == CLOSED:
            return
        for title, words in mistakes(case, role, answer, checks):
            if len(self.wrong) < MISTAKES_MAX:
                key = title, str(answer.status_code)
                self.wrong.setdefault(key, words + told(role, answer))


def put(there: dict[str, Any], values: dict[str, Any] | None) -> None:
    """Put what is there in the place of the values of these names."""
    if values:
        values.update({name: there[name] for name in there if name in values})


def there_in_path(case: Case, person: Person) -> dict[str, Any]:
    """What is this person's, by the names in paths."""
    link = person.upload if case.method == "PUT" else person.picture
    return {
        "user_id": str(person.id),
        "worker_id": person.worker.id,
        "worker_name": person.worker.name,
        "model_name": person.worker.name,
        "identity_id": person.identity.id,
        "name": urlsplit(link).path.rpartition("/")[2],
        "id": person.delivery_id if "/deliveries/" in case.path else person.request_id,
    }


# Judging


def mistakes(
    case: Case, role: str, answer: Response, checks: Sequence[CheckFunction]
) -> list[tuple[str, str]]:
    """What is wrong with an answer, each with a title."""
    found = []
    if answer.status_code >= 500 and not is_said_on_purpose(answer):
        found.append(("our mistake", f"status {answer.status_code}"))
    if role in STRANGERS:
        texts = [text for text in (CONTACT, COMMENT) if text.encode() in answer.content]
        found += [("told too much", text) for text in texts]
    # Nothing has no media type; and where no API is, a page may be for another method.
    leave_out = {"content_type_conformance": not answer.content}
    leave_out["unsupported_method"] = not case.operation.full_path.startswith("/api/")
    checks = [each for each in checks if not leave_out.get(each.__name__)]
    try:
        case.validate_response(answer, checks=list(checks))
    except FailureGroup as group:
        found += [
            (type(each).__name__, str(each)[:1500])
            for each in group.exceptions
            if not is_about_headers(each)
        ]
    return found


def is_said_on_purpose(answer: Response) -> bool:
    """Whether a status above 500 is a refusal: not done here, or not now."""
    rcs = {501: b'"rc":"NotImplemented"', 503: b'"rc":"'}
    return rcs.get(answer.status_code, b"no such") in answer.content


def is_about_headers(failure: Exception) -> bool:
    """Whether something is said to be wrong with the headers of the call, which are ours."""
    return isinstance(failure, AcceptedNegativeData) and " header" in str(failure)


def is_wrong(case: Case) -> bool:
    """Whether the generator has made the body wrong on purpose, beyond what is forgiven (a null).

    Of the headers one is ours (the key), and an empty parameter of the query is not given.
    """
    body = None if case.meta is None else case.meta.components.get(ParameterLocation.BODY)
    is_made_wrong = body is not None and body.mode is GenerationMode.NEGATIVE
    return is_made_wrong and forgive(case.body) == case.body


def told(role: str, answer: Response) -> str:
    """A call and its answer, for people."""
    sent = answer.request
    return (
        f"\n  {role}: {sent.method} {sent.url}\n  {dict(sent.headers)}\n  {str(sent.body)[:600]}"
        f"\n  -> {answer.status_code} {answer.content[:400]!r}"
    )
