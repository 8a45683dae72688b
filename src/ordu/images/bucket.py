"""Which bucket a URL means: `s3://BUCKET/PREFIX?endpoint=…&region=…`.

Keys are never in it, because it stands in files and in command lines: they are in the AWS variables
of the environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

OPTIONS = ("endpoint", "public_endpoint", "region", "path_style")
# Where other programs are told of an endpoint; the first that is set counts.
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"([A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is."""

    name: str
    prefix: str
    endpoint: str | None  # None: Amazon's own of the region
    public_endpoint: str | None  # where clients reach it, if that is elsewhere
    region: str | None  # None: of the environment
    is_path_style: bool  # the bucket is a part of the path, not of the host

    def endpoint_with_bucket(self, endpoint: str | None) -> str | None:
        """An endpoint as it is called: with the bucket in the host, where that is the style."""
        if endpoint is None or self.is_path_style:
            return endpoint
        scheme, _, rest = endpoint.partition("://")
        return f"{scheme}://{self.name}.{rest}"


def bucket_of(url: str, environment: Mapping[str, str]) -> Bucket:
    """The bucket that a URL means.

    Raises:
        ValueError: it means none.
    """
    parts = urlsplit(url)
    # The URL is not repeated: here it may have a secret in it.
    if "@" in parts.netloc:
        raise ValueError(
            "The URL of a bucket has no keys in it: put them into the environment as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    prefix = unquote(parts.path).strip("/")
    if not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"{url} names no bucket. Write s3://BUCKET/PREFIX?endpoint=…&region=….")
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")) or parts.fragment:
        raise ValueError(f"In {url} the prefix may have A-Z a-z 0-9 _ . = - and / only.")
    options = _options(parts.query)
    given = [environment[each] for each in ENDPOINT_VARIABLES if environment.get(each)]
    endpoint = _endpoint("endpoint", options.get("endpoint") or next(iter(given), None))
    style = options.get("path_style", "on" if endpoint or "." in parts.netloc else "off")
    if style not in {"on", "off"}:
        raise ValueError(f"path_style is on or off, not {style}.")
    return Bucket(
        name=parts.netloc,
        prefix=prefix,
        endpoint=endpoint,
        public_endpoint=_endpoint("public_endpoint", options.get("public_endpoint")),
        region=options.get("region") or None,
        is_path_style=style == "on",
    )


def _options(query: str) -> dict[str, str]:
    """What stands behind the question mark."""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=len(OPTIONS))
    options = dict(pairs)
    if unknown := sorted(options.keys() - set(OPTIONS)):
        raise ValueError(
            f"A bucket has no option {', '.join(unknown)}; it takes {', '.join(OPTIONS)}."
        )
    if len(options) < len(pairs):
        raise ValueError("An option of a bucket is given twice. Give each once.")
    return options


def _endpoint(option: str, text: str | None) -> str | None:
    """An address without a slash at its end."""
    if not text:
        return None
    parts = urlsplit(text)
    is_plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    if not is_plain or parts.query or parts.fragment:
        raise ValueError(f"{option} is an address such as https://s3.example.org, without keys.")
    return text.rstrip("/")
