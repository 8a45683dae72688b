"""The chart as Helm renders it: whole, refused when something is missing, known to Kubernetes."""

import copy
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tests.deploy.conftest import CHART, NEEDED, ROOT, TOOLS, rendered, run, template, tool
from tests.deploy.test_names import CLOSING_S, SETTINGS

from ordu.settings import ServerSettings, describe

EVERYTHING: dict[str, Any] = {
    **NEEDED,
    "secret": {**NEEDED["secret"], "databaseDirect": "postgresql://ordu:pw@db:5432/ordu"},
    "trustedProxies": ["10.42.0.0/16", "::1"],
    "settings": {"tax": 0.25, "request_body_bytes_max": 33554432, "anonymous": False},
    "files": {"models.toml": "[models]\n", "terms.md": "# Terms\n"},
    "imagePullSecrets": [{"name": "registry"}],
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"enabled": True},
    "podLabels": {"team": "art"},
}


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (each for each in objects if each["kind"] == kind)
    return found


def variables(objects: list[dict[str, Any]]) -> dict[str, str]:
    """What the server is given, from the config map and the secret."""
    settings = next(each for each in objects if each["kind"] == "ConfigMap")
    return {**settings["data"], **one(objects, "Secret")["stringData"]}


def without(path: str) -> dict[str, Any]:
    values: Any = copy.deepcopy(dict(NEEDED))
    *folders, last = path.split(".")
    at = values
    for each in folders:
        at = at[each]
    del at[last]
    result: dict[str, Any] = values
    return result


def test_helm_lints_the_chart(tmp_path: Path):
    file = tmp_path / "values.json"
    file.write_text(json.dumps(dict(NEEDED)))
    done = run(tool("helm"), "lint", "--strict", CHART, "--values", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "publicUrl", "images", "secret.database", "secret.horde", "secret.adminKey",
        "secret.s3AccessKey", "secret.s3SecretKey",
    ],
)  # fmt: skip
def test_helm_refuses_a_release_without(name, tmp_path):
    done = template(tmp_path, without(name))
    assert done.returncode != 0
    assert f"{name} is needed" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        pytest.param({"replica": 3}, "replica", id="a value that does not exist"),
        pytest.param(
            {"publicUrl": "horde.example.org"}, "publicUrl", id="an address without https"
        ),
        pytest.param({"images": "file:///data"}, "images", id="a folder, which pods do not share"),
        pytest.param({"secret": {"adminKey": "short"}}, "adminKey", id="a short key"),
        pytest.param({"settings": {"secret": "x"}}, "secret", id="a secret among the settings"),
        pytest.param({"settings": {"drain_s": 3}}, "drain_s", id="a setting with its own value"),
    ],
)
def test_helm_refuses(wrong, named, tmp_path):
    done = template(tmp_path, {**NEEDED, **wrong})
    assert done.returncode != 0
    assert named in done.stderr


@pytest.mark.parametrize("values", [NEEDED, EVERYTHING], ids=["the least", "everything"])
@pytest.mark.parametrize("version", ["v1.35.0", "v1.37.0"])
def test_kubernetes_knows_all_that_the_chart_makes(values, version, tmp_path):
    folder = next(TOOLS.glob("lib/python3*/site-packages/kubernetes_validate"), tool("helm"))
    schemas = folder / "kubernetes-json-schema" / f"{version}-local-strict"
    definitions = json.loads((schemas / "_definitions.json").read_text())
    registry = Registry().with_resource("_definitions.json", Resource.from_contents(definitions))
    for each in rendered(tmp_path, values):
        group = each["apiVersion"].replace(".networking.k8s.io", "").replace(".k8s.io", "")
        file = schemas / f"{each['kind'].lower()}-{group.replace('/', '-')}.json"
        Draft202012Validator(json.loads(file.read_text()), registry=registry).validate(each)


def test_the_server_gets_settings_that_it_has(tmp_path):
    given = variables(rendered(tmp_path, EVERYTHING))
    known = SETTINGS | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert set(given) - known == set()
    assert given["ORDU_REQUEST_BODY_BYTES_MAX"] == "33554432"
    assert given["ORDU_TAX"] == "0.25"
    assert given["ORDU_ANONYMOUS"] == "false"
    assert given["ORDU_TRUSTED_PROXIES"] == "10.42.0.0/16,::1"


def test_no_secret_stands_in_a_config_map(tmp_path):
    secrets = {each.environment for each in describe(ServerSettings) if each.is_secret}
    objects = rendered(tmp_path, EVERYTHING)
    maps = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    named = set().union(*maps)
    assert named & (secrets | {"ORDU_DATABASE", "AWS_SECRET_ACCESS_KEY"}) == set()


def test_a_secret_of_ones_own_is_used_instead(tmp_path):
    values = {**NEEDED, "secret": {"existing": "my-own"}}
    objects = rendered(tmp_path, values)
    assert [each for each in objects if each["kind"] == "Secret"] == []
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert {"secretRef": {"name": "my-own"}} in container["envFrom"]


def test_a_pod_is_killed_only_after_it_drained_and_ended(tmp_path):
    values = {**NEEDED, "drainS": 40, "graceS": 100}
    objects = rendered(tmp_path, values)
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= 140 + CLOSING_S
    given = variables(objects)
    assert (given["ORDU_DRAIN_S"], given["ORDU_GRACE_S"]) == ("40", "100")


def test_a_pod_is_replaced_before_it_goes_and_watched_on_the_right_paths(tmp_path):
    deployment = one(rendered(tmp_path, NEEDED), "Deployment")["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (container,) = deployment["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    # The pod drains longer than it takes to see that it does.
    probe = container["readinessProbe"]
    seen_s = probe["failureThreshold"] * (probe["periodSeconds"] + probe["timeoutSeconds"])
    assert seen_s < int(variables(rendered(tmp_path, NEEDED))["ORDU_DRAIN_S"])


def test_a_pod_is_nobody_of_weight_and_writes_nothing_of_its_own(tmp_path):
    pod = one(rendered(tmp_path, NEEDED), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_changed_settings_make_new_pods(tmp_path):
    def checksums(values: dict[str, Any]) -> dict[str, str]:
        found = one(rendered(tmp_path, values), "Deployment")
        annotations: dict[str, str] = found["spec"]["template"]["metadata"]["annotations"]
        return annotations

    before = checksums(dict(NEEDED))
    changed = checksums({**NEEDED, "graceS": 30})
    renewed = checksums({**NEEDED, "secret": {**NEEDED["secret"], "s3SecretKey": "new"}})
    assert before["checksum/settings"] != changed["checksum/settings"]
    assert before["checksum/secret"] != renewed["checksum/secret"]


def test_the_ingress_answers_to_the_name_in_the_public_url(tmp_path):
    values = {**EVERYTHING, "publicUrl": "https://art.example.org:8443/horde"}
    (rule,) = one(rendered(tmp_path, values), "Ingress")["spec"]["rules"]
    assert rule["host"] == "art.example.org"


def test_helm_takes_the_values_of_the_page(tmp_path):
    page = (ROOT / "docs" / "how-to" / "run-on-kubernetes.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^ *```yaml values\n(.*?)^ *```", page, re.M | re.S)
    values = yaml.safe_load(textwrap.dedent(block))
    objects = rendered(tmp_path, values)
    annotations = one(objects, "Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    assert [each for each in objects if each["kind"] == "Secret"] == []


def test_files_lie_in_the_data_folder(tmp_path):
    objects = rendered(tmp_path, EVERYTHING)
    maps = [each for each in objects if each["kind"] == "ConfigMap"]
    assert maps[1]["data"] == EVERYTHING["files"]
    (container,) = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    places = {each["mountPath"] for each in container["volumeMounts"]}
    assert places == {"/data", "/tmp", "/data/models.toml", "/data/terms.md"}
