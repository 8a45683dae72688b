"""The commands that look after a horde or an account, each against one real server."""

import json
from dataclasses import dataclass
from typing import Any

from tests.system.processes import Processes, Server
from tests.system.test_story import POP

from ordu.client.wire import known


@dataclass
class People:
    """Commands as somebody types them, against one server."""

    ordu: Processes
    server: Server
    keys: dict[str, str]

    def say(self, who: str, *arguments: str) -> str:
        """What a command prints that succeeds."""
        done = self._run(who, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        return done.stdout

    def ask(self, who: str, *arguments: str) -> Any:
        """The same as JSON."""
        return json.loads(self.say(who, *arguments, "--json"))

    def refused(self, code: int, who: str, *arguments: str) -> str:
        """The one line on standard error of a command that does not succeed."""
        done = self._run(who, *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert done.stderr.startswith("ordu: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    def _run(self, who: str, *arguments: str) -> Any:
        return self.ordu.run(*arguments, ORDU_URL=self.server.url, ORDU_API_KEY=self.keys[who])


def test_every_command_against_one_server(ordu):
    server = ordu.server()
    keys = {"admin": server.admin_key or "", "artist": server.register("artist")}
    keys["owner"] = server.register("owner")
    people = People(ordu, server, keys)
    with server.horde(keys["owner"]) as horde:
        horde.post_job_pop(POP)  # which makes the worker known
        worker_id = known(horde.get_workers()[0].id, "")
    check_users(people)
    check_kudos(people)
    check_workers(people, worker_id)
    check_modes(people)
    check_news(people)


def check_users(people: People) -> None:
    assert len(people.ask("artist", "users", "list", "--sort", "age")) == 4
    assert people.ask("artist", "users", "show")["username"] == "artist#2"
    assert "  username " in people.say("artist", "users", "show", "owner#3")
    assert "(rc UserNotFound)" in people.refused(1, "artist", "users", "show", "99")
    changes = ("--trusted", "--concurrency", "60", "--admin-comment", "well known")
    assert "  trusted " in people.say("admin", "users", "edit", "artist#2", *changes)
    assert "(rc NotModerator)" in people.refused(1, "artist", "users", "edit", "2", "--trusted")


def check_kudos(people: People) -> None:
    awarded = people.say("admin", "kudos", "award", "artist#2", "500")
    assert awarded == "artist#2 was awarded 500 kudos.\n"
    taken = people.say("admin", "kudos", "award", "--json", "--", "artist#2", "-100")
    assert json.loads(taken) == {"awarded": -100}
    assert people.ask("artist", "kudos", "give", "owner#3", "50") == {"transferred": 50}
    assert "rc " in people.refused(1, "artist", "kudos", "give", "owner#3", "99999")
    assert people.ask("artist", "kudos", "show")["kudos"] == 350


def check_workers(people: People, worker_id: str) -> None:
    assert [each["id"] for each in people.ask("artist", "workers", "list")] == [worker_id]
    assert people.ask("owner", "workers", "show", "by hand")["id"] == worker_id
    assert people.ask("owner", "explain", "--worker", "by hand")["processing"] == 0
    assert people.ask("artist", "explain", worker_id)["processing"] is None
    assert people.say("artist", "explain", "by hand").startswith("by hand\n  Nothing waits")
    edit = ("workers", "edit", "by hand", "--maintenance", "--message", "back soon")
    assert people.ask("owner", *edit) == {"maintenance": True}
    assert "(rc NotOwner)" in people.refused(1, "artist", *edit)
    deletion = people.ordu.run("workers", "delete", worker_id)
    assert deletion.returncode == 2
    assert "say --yes" in deletion.stderr
    deleted = people.say("owner", "workers", "delete", "by hand", "--yes")
    assert deleted == f"by hand ({worker_id}) is deleted.\n"
    assert "rc " in people.refused(1, "owner", "workers", "show", worker_id)


def check_modes(people: People) -> None:
    assert people.ask("admin", "modes", "set", "--maintenance") == {"maintenance_mode": True}
    assert "  maintenance mode  yes\n" in people.say("artist", "modes")
    assert "(rc NotAdmin)" in people.refused(1, "artist", "modes", "set", "--no-maintenance")
    assert people.refused(3, "artist", "modes", "--url", "http://127.0.0.1:9")


def check_news(people: People) -> None:
    data = ("--data", str(people.server.data))
    text = "The horde moves."
    assert people.ask("admin", "news", "add", text, "--title", "Moving", *data) == {"number": 1}
    (piece,) = people.ask("artist", "news", "list")
    assert (piece["newspiece"], piece["title"]) == (text, "Moving")
    assert people.say("artist", "news", "list", *data).startswith("1.  ")
    assert people.say("admin", "news", "remove", "1", *data) == "Number 1 is taken back.\n"
    assert people.ask("artist", "news", "list") == []
    assert "no news with the number 1" in people.refused(1, "admin", "news", "remove", "1", *data)
