"""Where pictures lie that a page shows: here, or at an S3 storage with an origin of its own."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ordu.engine.horde import Horde
from ordu.protocol.errors import Refused
from ordu.web.render import POLICY, policy

ANY_PICTURE = "00000000-0000-0000-0000-000000000000.webp"  # links are made alike for all


class PictureOrigin:
    """Where the links of a horde's pictures lead, found out once."""

    def __init__(self, horde: Horde) -> None:
        self.horde = horde
        self.found: str | None = None

    async def headers(self) -> Mapping[str, str]:
        """The policy of a page that may show this horde's pictures, wherever they lie."""
        return {POLICY: policy(await self.find())}

    async def find(self) -> str:
        """The origin of pictures that lie elsewhere; empty when they lie here or nobody can say."""
        if self.found is None:
            if self.horde.links is self.horde.server_links:
                self.found = ""
                return self.found
            try:
                parts = urlsplit(await self.horde.links.get_url(ANY_PICTURE))
            except Refused:  # the storage's keys cannot be had now; asked again next time
                return ""
            self.found = f"{parts.scheme}://{parts.netloc}"
        return self.found
