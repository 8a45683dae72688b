"""Snippets: the example of an operation as a program, in Python with our client and in JavaScript.

They do what the example for a shell does (`examples.curl`), and read the key where it does.
Operations for which the client has no method are called by `httpx`, which comes with it.
"""

import textwrap
from pprint import pformat

from ordu.protocol.operations import Key, Operation, Place
from ordu.web.examples import BODIES, VALUES, body, path_of, query_of

WITHOUT_METHOD = frozenset(
    {"get_async_events", "get_picture", "put_picture", "get_livez", "get_readyz", "get_metrics"}
)
EVENTS = "text/event-stream"
WIDTH_MAX = 76
PICTURE = "picture.webp"


def python(row: Operation, base_url: str) -> str:
    """The operation as a program in Python."""
    if row.name in WITHOUT_METHOD:
        return plain_python(row, base_url)
    key = ', os.environ["ORDU_API_KEY"]' if row.key is Key.REQUIRED else ""
    imports = "import os\n\nfrom" if key else "from"
    given = ""
    if row.name in BODIES:
        said = pformat(dict(BODIES[row.name]), width=WIDTH_MAX, sort_dicts=False).replace("'", '"')
        given = f"body = {textwrap.indent(said, ' ' * 7).lstrip()}\n\n"
    return (
        f"{imports} ordu.client import Horde\n\n{given}"
        f'with Horde("{base_url}"{key}) as horde:\n'
        f"    print(horde.{row.name}({', '.join(arguments(row))}))"
    )


def arguments(row: Operation) -> list[str]:
    """What the client's method is given: the path, the body, what must stand in the query."""
    path = [
        f'"{VALUES.get(each.name, each.name.upper())}"'
        for each in row.parameters
        if each.place is Place.PATH
    ]
    query = [
        f'{each.python}="{each.name.upper()}"'
        for each in row.parameters
        if each.place is Place.QUERY and each.required
    ]
    return [*path, *(["body"] if row.name in BODIES else []), *query]


def plain_python(row: Operation, base_url: str) -> str:
    """The operation as a program in Python that knows only HTTP."""
    url = base_url + path_of(row) + query_of(row)
    if row.produces == EVENTS:
        return (
            "import httpx\n\n"
            f'with httpx.stream("GET", "{url}", timeout=60) as answer:\n'
            "    for line in answer.iter_lines():\n        print(line)"
        )
    if row.consumes.startswith("image/"):
        return (
            "from pathlib import Path\n\nimport httpx\n\n"
            f'answer = httpx.put("{url}", content=Path("{PICTURE}").read_bytes())\n'
            "print(answer.status_code)"
        )
    if row.produces.startswith("image/"):
        return (
            "from pathlib import Path\n\nimport httpx\n\n"
            f'answer = httpx.get("{url}").raise_for_status()\n'
            f'Path("{PICTURE}").write_bytes(answer.content)'
        )
    return f'import httpx\n\nanswer = httpx.get("{url}")\nprint(answer.status_code, answer.text)'


def javascript(row: Operation, base_url: str) -> str:
    """The operation as a module in JavaScript, for Node."""
    url = base_url + path_of(row) + query_of(row)
    sent = [f'  method: "{row.method}",'] if row.method != "GET" else []
    headers = ["apikey: process.env.ORDU_API_KEY"] if row.key is Key.REQUIRED else []
    imports = ""
    if row.name in BODIES:
        headers.append('"Content-Type": "application/json"')
        said = textwrap.indent(body(row), "  ").lstrip()
        sent.append(f"  body: JSON.stringify({said}),")
    if row.consumes.startswith("image/"):
        imports = 'import { readFile } from "node:fs/promises";\n\n'
        sent.append(f'  body: await readFile("{PICTURE}"),')
    if row.produces.startswith("image/"):
        imports = 'import { writeFile } from "node:fs/promises";\n\n'
    if headers:
        sent.insert(row.method != "GET", f"  headers: {{ {', '.join(headers)} }},")
    options = ", {\n" + "\n".join(sent) + "\n}" if sent else ""
    return f'{imports}const answer = await fetch("{url}"{options});\n{reading(row)}'


def reading(row: Operation) -> str:
    """What becomes of the answer in JavaScript."""
    if row.produces.startswith("image/"):
        return f'await writeFile("{PICTURE}", Buffer.from(await answer.arrayBuffer()));'
    if row.produces == EVENTS:
        return (
            "for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {\n"
            "  console.log(text);\n}"
        )
    read = "json" if row.produces == "application/json" and row.reply is not None else "text"
    return f"console.log(answer.status, await answer.{read}());"
