"""What those are told who speak to a horde from outside: workers, and programs that ask it."""

from typing import Annotated

import msgspec

from ordu.settings import hours as lent_hours
from ordu.settings.server import PIXELS_MAX
from ordu.settings.setting import Settings, about

HordeAddress = Annotated[
    str,
    about(
        "The horde to speak to.",
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?\Z",
        allowed="an address such as https://horde.example.org",
    ),
]

PrivateLinks = Annotated[
    bool,
    about("Whether links of a horde on the Internet are followed into a private network."),
]

CAN_BE_LEFT_OUT = ("img2img", "inpainting", "lora", "controlnet", "post_processing")


class WorkerSettings(Settings, frozen=True, kw_only=True):
    """What a worker is told before it starts."""

    url: HordeAddress = "http://127.0.0.1:7001"
    api_key: Annotated[
        str,
        about(
            "Key of the user who earns the kudos.",
            pattern=r"^[!-~]{0,100}\Z",
            allowed="at most 100 visible ASCII characters",
            secret=True,
        ),
    ] = ""
    name: Annotated[str, about("Name of the worker; empty: made from this machine's.")] = ""
    backend: Annotated[str, about("What makes the pictures.", pattern=".")] = "sketch"
    jobs: Annotated[int, about("Pictures made at once on each device.", 1, 32)] = 1
    apart: Annotated[
        bool,
        about("Whether the backend runs in processes of its own, as those do that can crash."),
    ] = False
    prefetch: Annotated[
        int, about("Jobs fetched ahead while all devices are busy; 0: none.", 0, 32)
    ] = 1
    models: Annotated[
        tuple[str, ...], about("Models to offer; empty: all that the backend has.")
    ] = ()
    model_names: Annotated[
        dict[str, str],
        about("What the horde calls a model, and what the backend calls it, where they differ."),
    ] = msgspec.field(default_factory=dict)
    max_pixels: Annotated[
        int, about("The largest picture to make; 0: as the backend says.", 0, PIXELS_MAX)
    ] = 0
    # On, because a request is marked nsfw unless its author says otherwise: most are.
    nsfw: Annotated[bool, about("Whether requests that may be nsfw are taken.")] = True
    blacklist: Annotated[tuple[str, ...], about("Words whose requests are not taken.")] = ()
    priority_usernames: Annotated[tuple[str, ...], about("Users served first, as name#id.")] = ()
    without: Annotated[
        tuple[str, ...],
        about(
            "What is not taken though the backend can.",
            allowed=f"any of {', '.join(CAN_BE_LEFT_OUT)}, with commas between",
            check=CAN_BE_LEFT_OUT.__contains__,
        ),
    ] = ()
    require_upfront_kudos: Annotated[
        bool, about("Whether requests that cannot be paid up front are left out.")
    ] = False
    extra_slow: Annotated[
        bool, about("Whether only requests are taken whose authors admit very slow workers.")
    ] = False
    hours: Annotated[
        tuple[str, ...],
        about(
            "When this machine is lent, by its own clock; empty: always.",
            allowed=lent_hours.WORDS,
            check=lent_hours.is_item,
        ),
    ] = ()
    idle_minutes: Annotated[
        float, about("Only while nobody has used this machine for so long; 0: always.", 0, 1440)
    ] = 0
    on_battery: Annotated[bool, about("Whether work goes on while it runs on battery.")] = False
    bridge_agent: Annotated[
        str, about("What the worker calls itself, as name:version:address; empty: Ordu.")
    ] = ""
    poll_interval_s: Annotated[float, about("Pause after hearing of no job.", 0.1, 60)] = 1.0
    private_links: PrivateLinks = False


class ClientSettings(Settings, frozen=True, kw_only=True):
    """What the commands and the SDK need to reach a horde."""

    url: HordeAddress = "http://127.0.0.1:7001"
    api_key: Annotated[
        str,
        about(
            "Key to ask with; 0000000000 is anonymous.",
            pattern=r"^[!-~]{1,100}\Z",
            allowed="1 to 100 visible ASCII characters",
            secret=True,
        ),
    ] = "0000000000"
    timeout_s: Annotated[float, about("How long one call may take.", 0.1, 3600)] = 60.0
    private_links: PrivateLinks = False
