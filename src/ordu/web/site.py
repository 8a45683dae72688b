"""The site: where a horde is reached, as its pages need to know it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from ordu.web import assets


@dataclass(frozen=True)
class Provider:
    """A provider by which people may sign in: its name in addresses, and its name for people."""

    key: str
    name: str


@dataclass(frozen=True)
class Site:
    """One horde on the web. `url` is its public address, without a slash at the end."""

    url: str
    version: str
    providers: tuple[Provider, ...] = ()

    @property
    def name(self) -> str:
        """The address as people say it: without the scheme."""
        return self.url.partition("://")[2]

    @property
    def root(self) -> str:
        """What stands before every path: empty, unless the horde lives below another site."""
        return urlsplit(self.url).path

    def path(self, path: str) -> str:
        """The path of one of our own pages."""
        return self.root + path

    def static(self, name: str) -> str:
        """The path of a static file, by the name it has in the folder `static`."""
        return self.path(assets.path_of(name))
