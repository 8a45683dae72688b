"""Who is asking, a person or a program: the header `Accept`, read.

Browsers name `text/html`; programs name JSON or say that anything will do. Only a type that is
named counts, so `*/*` says nothing.
"""

HTML = "text/html"
JSON = "application/json"

# Programs live here: what they get is JSON, whatever they accept.
FOR_PROGRAMS = ("/api", "/v1")


def prefers_html(accept: str) -> bool:
    """Whether a page is wanted."""
    return quality(accept, HTML) > 0 and quality(accept, HTML) >= quality(accept, JSON)


def prefers_json(accept: str) -> bool:
    """Whether JSON is wanted."""
    return quality(accept, JSON) > quality(accept, HTML)


def is_for_programs(path: str) -> bool:
    """Whether a path belongs to the API, where no page is ever an answer to a mistake."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in FOR_PROGRAMS)


def quality(accept: str, media_type: str) -> float:
    """How much a media type is wanted, from 0 to 1; 0 when it is not named."""
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name == media_type:
            return weight(parameters)
    return 0.0


def weight(parameters: list[str]) -> float:
    """The parameter `q`; 1 when there is none, 0 when it is no number."""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(1.0, max(0.0, float(parameter.removeprefix("q="))))
            except ValueError:
                return 0.0
    return 1.0
