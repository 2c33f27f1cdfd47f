"""What starts the parts of a plant and keeps them alive: units of systemd, manifests of Kubernetes.

Rule 1. All of them start the same command, which may be started at any time; nothing here knows how a part runs.
Rule 2. What ends in order, or is refused, is not started again: only what failed is.
Rule 3. Memory is of one machine: nothing lets a part go on elsewhere.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from byteor.place.cut import Cut, HostPart, name_of, port_of
from byteor.place.model import Host, Hosts

NEVER_AGAIN = (2, 3, 4, 5)  # refused, done with losses, held by another, lost: to start again would change nothing
STOPPED = 143
PATIENCE = 30  # seconds that a part has to stop in
SHM = "/dev/shm"


@dataclass(frozen=True, slots=True)
class Where:
    """What a unit must know of its host: the command, the placement's path there, and the folder of the part."""

    command: str
    place: str
    dir: str
    image: str = ""


def systemd(name: str, host: Host, where: Where) -> str:
    """A unit of systemd for one host; `name` is the plant's."""
    command = [where.command, "host", "--name", host.name, "--place", where.place, "--resume", where.dir]
    return f"""\
[Unit]
Description=byteor: the part of {name} on {host.name}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=30

[Service]
Type=exec
WorkingDirectory={_escaped(posixpath.dirname(where.place))}
ExecStart={" ".join(map(_quoted, command))} --log json
Restart=on-failure
RestartSec=1
RestartPreventExitStatus={" ".join(map(str, NEVER_AGAIN))}
SuccessExitStatus={STOPPED}
KillMode=mixed
TimeoutStopSec={PATIENCE}
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """A word of a command line, as systemd reads it."""
    text = _escaped(text).replace("$", "$$")
    if re.fullmatch(r"[\w@%+=:,./$-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def kubernetes(name: str, hosts: Hosts, cut: Cut, where: Where, only: str = "") -> str:
    """A service and a job for each host, or for one; `where.dir` is not used: memory comes and goes with the pod."""
    docs = []
    for host in hosts.host:
        if not only or only == host.name:
            part = cut.part(host.name)
            docs += [*_service(name, host, part), _job(name, hosts, host, part, where)]
    return "---\n".join("\n".join(_yaml(doc, 0)) + "\n" for doc in docs)


def _label(text: str) -> str:
    """A name as Kubernetes takes it."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:63]


def service_name(name: str, host: Host) -> str:
    """The name of a host's service: that of its address, where this is a name."""
    first = name_of(host.address).partition(".")[0]
    return _label(first) if re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", first) else _label(f"{name}-{host.name}")


def _labels(name: str, host: Host) -> dict[str, str]:
    own = {"app.kubernetes.io/instance": _label(name), "byteor/host": _label(host.name)}
    return {"app.kubernetes.io/name": "byteor", **own}


def _service(name: str, host: Host, part: HostPart) -> Iterator[dict[str, Any]]:
    """How the other hosts find this one, if a lane arrives there."""
    if not part.into:
        return
    ports = [{"name": f"p{i}", "port": port_of(one.connect)} for i, one in enumerate(part.into)]
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service_name(name, host), "labels": _labels(name, host)},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": _labels(name, host),
            "ports": ports,
        },
    }


def _job(name: str, hosts: Hosts, host: Host, part: HostPart, where: Where) -> dict[str, Any]:
    """One pod that is started again in its place, with its memory, as often as it fails."""
    labels = _labels(name, host)
    mounts = [{"name": "lanes", "mountPath": SHM}]
    volumes: list[dict[str, Any]] = [{"name": "lanes", "emptyDir": {"medium": "Memory"}}]
    if folder := _secret_folder(hosts, where):
        mounts.append({"name": "tls", "mountPath": folder})
        volumes.append({"name": "tls", "secret": {"secretName": _label(f"{name}-{host.name}-tls")}})
    command = [where.command, "host", "--name", host.name, "--place", where.place, "--resume", f"{SHM}/part"]
    container = {
        "name": "part",
        "image": where.image,
        "command": [*command, "--log", "json"],
        "workingDir": posixpath.dirname(where.place),
        "ports": [{"containerPort": port_of(one.connect)} for one in part.into],
        "volumeMounts": mounts,
    }
    pod = {
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": PATIENCE,
        "containers": [{key: value for key, value in container.items() if value}],
        "volumes": volumes,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": _label(f"{name}-{host.name}"), "labels": labels},
        "spec": {"backoffLimit": 30, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _secret_folder(hosts: Hosts, where: Where) -> str:
    """The folder of the certificates, if it holds nothing else."""
    if hosts.tls is None:
        return ""
    found = {posixpath.dirname(path) for path in (hosts.tls.authority, hosts.tls.certificate, hosts.tls.key)}
    return posixpath.join(posixpath.dirname(where.place), found.pop()) if len(found) == 1 and found != {""} else ""


def _yaml(value: Any, depth: int) -> list[str]:
    """Plain data as lines of YAML; every text is quoted, so that none is taken for something else."""
    pad, lines = "  " * depth, []
    for key, child in value.items():
        name = key if re.fullmatch(r"[\w./-]+", key) else json.dumps(key)
        if isinstance(child, dict) and child:
            lines += [f"{pad}{name}:", *_yaml(child, depth + 1)]
        elif isinstance(child, list) and child:
            lines.append(f"{pad}{name}:")
            lines += [line for item in child for line in _item(item, depth)]
        else:
            lines.append(f"{pad}{name}: {json.dumps(child)}")
    return lines


def _item(item: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if not isinstance(item, dict):
        return [f"{pad}- {json.dumps(item)}"]
    first, *rest = _yaml(item, depth + 1)
    return [f"{pad}- {first.strip()}", *rest]
