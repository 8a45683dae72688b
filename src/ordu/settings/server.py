"""What a horde's server is told before it starts."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta

from ordu.settings.setting import about
from ordu.settings.shares import MIB, ShareSettings

DAY_S = 86_400
PIXELS_MAX = 16_383 * 16_383  # what WebP can hold

# What a model was made from; the names are the field's own, blanks and all.
Baseline: TypeAlias = Literal[
    "stable diffusion 1",
    "stable diffusion 2",
    "stable_diffusion_xl",
    "stable_cascade",
    "flux_1",
    "qwen_image",
    "z_image_turbo",
]
# What an operator may let cost more or less.
Factor: TypeAlias = Literal[
    Baseline,
    "source_image",
    "post_processing",
    "control_type",
    "hires_fix",
    "loras",
    "fast_workers",
    "worker_blacklist",
]

ProviderKey: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,29}\Z")]


def _is_scope(text: str) -> bool:
    return re.fullmatch(r"[!#-\[\]-~]{1,100}", text) is not None


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", text) is not None
    return True


class ServerSettings(ShareSettings, frozen=True, kw_only=True):
    """What a horde server is told before it starts."""

    data: Annotated[str, about("Folder with everything the horde keeps.", pattern=".")] = "horde"
    host: Annotated[str, about("Address to listen on.", pattern=".")] = "127.0.0.1"
    port: Annotated[int, about("Port to listen on; 0 takes any free one.", 0, 65535)] = 7001
    database: Annotated[
        str,
        about(
            "Where requests and kudos are kept; empty: horde.sqlite3 in the data folder.",
            pattern=r"^(sqlite:///(?!:memory:)[^?#]+|postgres(ql)?://[^\s]+)?\Z",
            allowed="sqlite:///PATH, postgresql://USER:PASSWORD@HOST/NAME, or nothing",
        ),
    ] = ""
    database_direct: Annotated[
        str,
        about(
            "The same PostgreSQL without the pooler (such as PgBouncer in transaction mode) that"
            " stands before it; empty: there is none.",
            pattern=r"^(postgres(ql)?://[^\s]+)?\Z",
            allowed="postgresql://USER:PASSWORD@HOST/NAME, or nothing",
        ),
    ] = ""
    database_connections: Annotated[
        int, about("Connections of each process to PostgreSQL, at most.", 2, 1000)
    ] = 10
    images: Annotated[
        str,
        about(
            "Where pictures are kept; empty: the folder pictures in the data folder.",
            pattern=r"^(file:///[^?#]*|s3://[^/?#\s]+(/[^?#\s]*)?(\?[^#\s]*)?)?\Z",
            allowed="file:///FOLDER, s3://BUCKET/PREFIX?endpoint=ADDRESS&region=NAME (keys are in"
            " the environment, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or nothing",
        ),
    ] = ""
    public_url: Annotated[
        str,
        about(
            "Address that clients and workers see; empty: http://host:port.",
            pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?\Z",
            allowed="an address such as https://horde.example.org, or nothing",
        ),
    ] = ""
    rate_limits: Annotated[bool, about("Whether anything is counted by address or time.")] = True
    anonymous: Annotated[bool, about("Whether the key 0000000000 may place requests.")] = True
    registrations_per_address: Annotated[
        int,
        about("Calls for a new account from one address (/64 of version 6) an hour.", 1, 100_000),
    ] = 10
    registrations_per_network: Annotated[
        int,
        about(
            "Calls for a new account from one network (/24, or /48 of version 6) an hour.",
            1,
            1_000_000,
        ),
    ] = 50
    registration_work_bits: Annotated[
        int,
        about(
            "Work that who wants an account has to do: 2 to this power of hashes; 0: none.",
            0,
            28,  # minutes of a fast computer, hours of a phone
        ),
    ] = 0
    trusted_proxies: Annotated[
        tuple[str, ...],
        about(
            "Proxies whose forwarded headers count.",
            allowed="addresses or networks between commas, such as 10.0.0.0/8,::1",
            check=_is_network,
        ),
    ] = ()
    processes: Annotated[
        int, about("Server processes; more than one share a PostgreSQL database.", 1, 64)
    ] = 1
    admin_key: Annotated[
        str,
        about(
            "Key of user 1, set at every start; empty: made at the first start and shown once.",
            pattern=r"^([A-Za-z0-9_-]{22})?\Z",
            allowed="exactly 22 of the characters A-Z a-z 0-9 _ -",
            secret=True,
        ),
    ] = ""
    secret: Annotated[
        str,
        about(
            "Installation secret; empty: the file secret in the data folder.",
            pattern=r"^([!-~]{22,200})?\Z",
            allowed="22 to 200 visible ASCII characters",
            secret=True,
        ),
    ] = ""
    migrate: Annotated[
        bool, about("Whether an older database is brought up to date at the start.", switch=True)
    ] = True
    request_lifetime_s: Annotated[
        int, about("How long a request lives after its last movement.", 60, DAY_S)
    ] = 1200
    keep_deliveries_s: Annotated[
        int,
        about("How long what was sent to webhooks is in their log.", 3600, 366 * DAY_S),
    ] = 7 * DAY_S
    keep_addresses_s: Annotated[
        int,
        about(
            "How long an address is remembered that nothing comes from any more.", 60, 31 * DAY_S
        ),
    ] = DAY_S
    keep_act_words_s: Annotated[
        int,
        about(
            "How long names, contacts and reasons stay in the log of acts; what was done stays.",
            DAY_S,
            3660 * DAY_S,
        ),
    ] = 366 * DAY_S
    job_ttl_s_min: Annotated[int, about("Least time a worker gets for a job.", 10, DAY_S)] = 150
    faults_max: Annotated[int, about("Faults of one request's jobs that end it.", 1, 100)] = 3
    concurrency: Annotated[int, about("Pictures one user may have waiting.", 1, 100_000)] = 30
    concurrency_anonymous: Annotated[
        int, about("Pictures all anonymous callers may have waiting.", 1, 100_000)
    ] = 500
    request_body_bytes_max: Annotated[
        int, about("The largest body of a call.", 64 * 1024, 1024 * MIB)
    ] = 32 * MIB
    picture_bytes_max: Annotated[int, about("The largest picture file.", 64 * 1024, 256 * MIB)] = (
        16 * MIB
    )
    picture_pixels_max: Annotated[
        int, about("The largest picture, width times height.", 4096, PIXELS_MAX)
    ] = 3072 * 3072 * 4
    source_hosts: Annotated[
        tuple[str, ...],
        about(
            "Private hosts that source pictures may come from.",
            allowed="names or addresses between commas, such as files.lan,10.0.0.5",
            check=_is_host,
        ),
    ] = ()
    source_bytes_max: Annotated[
        int, about("The largest source picture fetched by link.", 64 * 1024, 256 * MIB)
    ] = 5 * MIB
    source_timeout_s: Annotated[
        int, about("How long fetching a source picture may take.", 1, 60)
    ] = 10
    webhook_hosts: Annotated[
        tuple[str, ...],
        about(
            "Private hosts that webhooks may lead to, also by plain http.",
            allowed="names or addresses between commas, such as bot.lan,10.0.0.5",
            check=_is_host,
        ),
    ] = ()
    webhook_timeout_s: Annotated[
        int, about("How long a webhook may take to connect and answer.", 1, 60)
    ] = 10
    links_need_https: Annotated[
        bool, about("Whether pictures are sent inside replies while their links are plain http.")
    ] = False
    link_lifetime_s: Annotated[int, about("How long a picture's link works.", 60, DAY_S)] = 1800
    sync_waiters: Annotated[
        int,
        about(
            "Calls that may wait for pictures, a quarter of them of one address or key.", 0, 100_000
        ),
    ] = 100
    models_file: Annotated[
        str,
        about("What is known of models; empty: models.toml in the data folder, if it is there."),
    ] = ""
    oidc: Annotated[
        dict[ProviderKey, Annotated[str, Meta(pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?\Z")]],
        about(
            "Providers of OpenID Connect by which people may sign in, each with its issuer.",
            allowed="name=issuer between commas, such as company=https://id.example.org; a name has"
            " small letters, digits and -, 30 at most",
        ),
    ] = msgspec.field(default_factory=dict)
    oidc_client_ids: Annotated[
        dict[ProviderKey, Annotated[str, Meta(pattern=r"^[!-~]{1,500}\Z")]],
        about(
            "What each provider calls this horde.",
            allowed="name=client id between commas, the names those of oidc",
        ),
    ] = msgspec.field(default_factory=dict)
    oidc_client_secrets: Annotated[
        dict[ProviderKey, Annotated[str, Meta(pattern=r"^[!-~]{1,500}\Z")]],
        about(
            "How this horde proves that to each provider; none for one that wants none.",
            allowed="name=client secret between commas, the names those of oidc",
            secret=True,
        ),
    ] = msgspec.field(default_factory=dict)
    oidc_names: Annotated[
        dict[ProviderKey, Annotated[str, Meta(min_length=1, max_length=60)]],
        about(
            "What stands on each provider's button; its name in oidc where nothing is given.",
            allowed="name=text between commas, the names those of oidc",
        ),
    ] = msgspec.field(default_factory=dict)
    oidc_scopes: Annotated[
        tuple[str, ...],
        about(
            "What providers are asked for besides who somebody is.",
            allowed="scopes between commas, such as profile",
            check=_is_scope,
        ),
    ] = ("profile",)
    oidc_timeout_s: Annotated[
        int, about("How long a provider may take in one step of signing in.", 1, 60)
    ] = 10
    sign_in_lifetime_s: Annotated[
        int,
        about("How long a browser stays signed in that came by a provider.", 300, 366 * DAY_S),
    ] = 30 * DAY_S
    only_listed_models: Annotated[
        bool, about("Whether workers may offer only models that stand in the models file.")
    ] = False
    blocked_words: Annotated[
        tuple[str, ...], about("Words whose prompts are refused, beside what always is.")
    ] = ()
    replaced_words: Annotated[
        dict[str, str],
        about(
            "Words that are drawn as something else, and refused where a request forbids that.",
            allowed="word=what is drawn instead, between commas",
        ),
    ] = msgspec.field(default_factory=dict)
    worker_stale_s: Annotated[int, about("Silence that makes a worker gone.", 10, DAY_S)] = 300
    workers_per_address: Annotated[
        int, about("Workers of untrusted owners at one public address.", 1, 10_000)
    ] = 3
    too_fast_megapixelsteps_per_s: Annotated[
        int, about("Speed that makes a worker suspect; 0: none does.", 0, 1_000_000)
    ] = 20
    strict_results: Annotated[
        bool, about("Whether odd pictures are refused: blank, repeated, too fast, of another size.")
    ] = False
    trust_threshold: Annotated[
        int, about("Evaluating kudos that make a user trusted.", 0, 1_000_000_000)
    ] = 50_000
    upfront: Annotated[
        Literal["heavy", "all", "none"],
        about(
            "Whose price is held when a request is placed: heavy is above 1024×1024 pixels, above"
            " 100 steps or without slow workers."
        ),
    ] = "heavy"
    tax: Annotated[float, about("Share of each price the worker does not get.", 0, 1)] = 0.0
    factors: Annotated[
        dict[
            Factor,
            Annotated[float, Meta(ge=0, le=1000)],
        ],
        about(
            "What prices are multiplied with, by what a request uses; post_processing and loras"
            " once for each, and of its models' baselines the highest. 1 where none is given.",
            allowed="name=number between commas, each a number from 0 to 1000; the names are "
            + ", ".join(get_args(Factor)),
        ),
    ] = msgspec.field(default_factory=dict)
    priority_growth_per_s: Annotated[
        int, about("Priority gained by each second of waiting.", 0, 1_000_000)
    ] = 5
    metrics_hosts: Annotated[
        tuple[str, ...],
        about(
            "From where /metrics may be read without its token.",
            allowed="addresses or networks between commas, such as 10.0.0.0/8,::1",
            check=_is_network,
        ),
    ] = ("127.0.0.0/8", "::1")
    metrics_port: Annotated[
        int,
        about(
            "Port at which the first of several processes answers by itself, the next at one more;"
            " 0: none does.",
            0,
            65_535 - 64,
        ),
    ] = 0
    metrics_token: Annotated[
        str,
        about(
            "With what /metrics may be read from anywhere; empty: with nothing.",
            pattern=r"^([!-~]{22,200})?\Z",
            allowed="22 to 200 visible ASCII characters, sent as Authorization: Bearer",
            secret=True,
        ),
    ] = ""
    sweep_interval_s: Annotated[int, about("Pause between rounds of the chores.", 1, 3600)] = 1
    grace_s: Annotated[int, about("Time for what is in hand when asked to stop.", 0, 600)] = 10
    drain_s: Annotated[
        int,
        about("How long a server goes on after SIGTERM, so that clients find another.", 0, 600),
    ] = 0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("The least that is logged.")
    ] = "info"
    log_format: Annotated[Literal["text", "json"], about("Who reads the log.")] = "text"
    log_addresses: Annotated[
        bool, about("Whether the log says from which addresses refused calls came.")
    ] = False

    @property
    def is_postgres(self) -> bool:
        """Whether the books are in PostgreSQL, which several processes may share."""
        return self.database.startswith("postgres")

    def database_path(self) -> Path:
        """The SQLite file: three slashes are a path from here, four one from the root."""
        if self.database:
            return Path(self.database.removeprefix("sqlite:///"))
        return Path(self.data) / "horde.sqlite3"

    def models_path(self) -> Path:
        """The file with what is known of models; it need not be there."""
        return Path(self.models_file or Path(self.data) / "models.toml")

    def pictures_url(self) -> str:
        """The URL for `ordu.images.store.open_store`."""
        return self.images or (Path(self.data).resolve() / "pictures").as_uri()

    def public_url_at(self, port: int) -> str:
        """The address clients use, without a slash at the end; `port` is the one really bound."""
        if self.public_url:
            return self.public_url.rstrip("/")
        # A horde that listens everywhere is not reached at the address that means everywhere.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
