"""Kubernetes: a CronJob for each task, on one volume, without root, without a writable root, without a second at once."""

from __future__ import annotations

from collections.abc import Iterator

from attestore import canon
from attestore.config.schedule import Every, Timing
from attestore.schedule.cron import expression
from attestore.schedule.site import MARK, File, Site, Task, safe

__all__ = ["ACCOUNT", "CONFIG", "IMAGE", "STATE", "files", "in_containers", "inside", "quoted"]

IMAGE = "attestore:latest"
"""built from the Containerfile; a registry's name and a digest belong here"""

STATE = "/var/lib/attestore"
HOME = f"{STATE}/home"
REPORTS = f"{STATE}/reports"
CONFIG = "/etc/attestore/attestore.yaml"

ACCOUNT = 10001
"""that the image runs as"""
_CATCH_UP_S = 3600
_LONGEST = 34
"""of a system's name: a CronJob's has 52 characters at most"""


def files(site: Site, *, config: str, image: str = IMAGE) -> tuple[File, ...]:
    """One manifest: the configuration `config` as a ConfigMap, a volume, the CronJobs.

    Raises:
        PlanError: something in it can't be said.
    """
    documents = [
        [MARK, *_head(site)],
        [*_config_map(site, config)],
        [*_volume(site)],
        *([*_cron_job(safe(site), task, image=image)] for task in in_containers(site)),
    ]
    return (
        File(f"attestore-{site.system}.kubernetes.yaml", "\n---\n".join("\n".join(each) for each in documents) + "\n"),
    )


def inside(task: Task) -> tuple[str, ...]:
    """A task's arguments in a container: the configuration and all that is written lie where the image has them."""
    words = [*task.arguments]
    words[words.index("--config") + 1] = CONFIG
    return (*words, "--home", HOME, "--reports", REPORTS)


def in_containers(site: Site) -> tuple[Task, ...]:
    """The tasks, and what follows them on a machine as tasks of their own: there is no "afterwards" in a pod."""
    follow = {words[0]: words for task in site.tasks for words in task.after}
    times = {"metrics": Timing(Every.HOURLY, minute=45), "notify": Timing(Every.DAILY, 8, 30)}
    says = {"metrics": "tells Prometheus what the evidence says", "notify": "tells people what has changed"}
    return (*site.tasks, *(Task(name, says[name], words, (), times[name], 900) for name, words in follow.items()))


def _name(site: Site) -> str:
    """A name that Kubernetes takes, with room for a task's; what had to be altered is told apart by a digest."""
    plain = site.system.lower().replace("_", "-").strip("-")
    if plain == site.system and len(plain) <= _LONGEST:
        return f"attestore-{plain}"
    return f"attestore-{plain[: _LONGEST - 9].rstrip('-')}-{canon.sha256_hex(site.system.encode())[:8]}"


def _head(site: Site) -> Iterator[str]:
    yield f"# System {site.system}. Before: put the keyring and roster.yaml of `home` on the volume, and the secrets into"
    yield f"# kubectl create secret generic {_name(site)} --from-literal=PGPASSWORD=… {' '.join(f'--from-literal={n}=…' for n in site.secrets)}".rstrip()
    yield "# Times are UTC. A drill's scratch server is in its pod's network: deny that pod all egress but the stores, by a"
    yield "# NetworkPolicy, where restored code is not trusted."


def _config_map(site: Site, config: str) -> Iterator[str]:
    yield "apiVersion: v1"
    yield "kind: ConfigMap"
    yield from _metadata(_name(site), site)
    yield "data:"
    yield f"  attestore.yaml: {quoted(config)}"


def _volume(site: Site) -> Iterator[str]:
    yield "apiVersion: v1"
    yield "kind: PersistentVolumeClaim"
    yield from _metadata(_name(site), site)
    yield "spec:"
    yield "  accessModes: [ReadWriteOnce]"
    yield "  resources: {requests: {storage: 10Gi}}"


def _metadata(name: str, site: Site, *, indent: str = "") -> Iterator[str]:
    yield f"{indent}metadata:"
    yield f"{indent}  name: {quoted(name)}"
    yield f"{indent}  labels: {{app.kubernetes.io/name: attestore, app.kubernetes.io/instance: {quoted(_name(site))}}}"


def _cron_job(site: Site, task: Task, *, image: str) -> Iterator[str]:
    name = f"{_name(site)}-{task.name}"
    yield "apiVersion: batch/v1"
    yield "kind: CronJob"
    yield from _metadata(name, site)
    yield "spec:"
    yield f"  schedule: {quoted(expression(task.timing))}"
    yield "  timeZone: Etc/UTC"
    yield "  concurrencyPolicy: Forbid"
    yield f"  startingDeadlineSeconds: {_CATCH_UP_S}  # what was missed by less is caught up on"
    yield "  successfulJobsHistoryLimit: 3"
    yield "  failedJobsHistoryLimit: 5"
    yield "  jobTemplate:"
    yield "    spec:"
    yield "      backoffLimit: 0  # a run that failed is evidence, not something to repeat until it passes"
    yield f"      activeDeadlineSeconds: {task.timeout_s}"
    yield "      ttlSecondsAfterFinished: 604800"
    yield "      template:"
    yield from _metadata(name, site, indent="        ")
    yield "        spec:"
    yield "          restartPolicy: Never"
    yield "          terminationGracePeriodSeconds: 300"
    yield "          automountServiceAccountToken: false"
    yield "          enableServiceLinks: false"
    yield "          securityContext:"
    yield "            runAsNonRoot: true"
    yield f"            runAsUser: {ACCOUNT}"
    yield f"            runAsGroup: {ACCOUNT}"
    yield f"            fsGroup: {ACCOUNT}"
    yield "            seccompProfile: {type: RuntimeDefault}"
    yield "          containers:"
    yield f"            - name: {quoted(task.name)}"
    yield f"              image: {quoted(image)}"
    yield f"              args: [{', '.join(quoted(word) for word in inside(task))}]"
    yield from _environment(site)
    yield "              securityContext:"
    yield "                allowPrivilegeEscalation: false"
    yield "                readOnlyRootFilesystem: true"
    yield "                capabilities: {drop: [ALL]}"
    yield "              resources:"
    yield "                requests: {cpu: 250m, memory: 512Mi}"
    yield "                limits: {memory: 2Gi}"
    yield "              volumeMounts:"
    yield f"                - {{name: state, mountPath: {quoted(STATE)}}}"
    for store, path in site.stores:
        yield f"                - {{name: state, mountPath: {quoted(str(path))}, subPath: {quoted(f'stores/{store}')}}}"
    yield f"                - {{name: config, mountPath: {quoted(CONFIG.rpartition('/')[0])}, readOnly: true}}"
    yield "                - {name: tmp, mountPath: /tmp}  # holds the dump and the restored copy while a task lasts"
    yield "          volumes:"
    yield f"            - {{name: state, persistentVolumeClaim: {{claimName: {quoted(_name(site))}}}}}"
    yield f"            - {{name: config, configMap: {{name: {quoted(_name(site))}}}}}"
    yield "            - {name: tmp, emptyDir: {}}"


def _environment(site: Site) -> Iterator[str]:
    """Secrets come from the cluster's own; the password is optional, where the source asks for none."""
    yield "              env:"
    for name in ("PGPASSWORD", *(each for each in site.secrets if each != "PGPASSWORD")):
        optional = ", optional: true" if name == "PGPASSWORD" else ""
        reference = f"{{name: {quoted(_name(site))}, key: {quoted(name)}{optional}}}"
        yield f"                - {{name: {quoted(name)}, valueFrom: {{secretKeyRef: {reference}}}}}"


def quoted(text: str) -> str:
    """A text as JSON has it, which YAML reads alike."""
    return canon.encode(text).decode()
