"""Every setting Whatsit has: its name, its default, the values it may take, and why.

Read from `config/whatsit.toml` (or the file named by `WHATSIT_CONFIG`) and from variables such as
`WHATSIT_MODEL__NAME`, which win. An unknown key or a bad value is one `ConfigError` that names the key,
where it stands, and what is allowed. Reading is `config.loading`'s; `config.reference` writes the file and
README's table from this schema.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from config.listen_address import ListenAddress

MiB = 1024 * 1024
MOST_RUN_DIR = 40
"""Characters: what Ray and HAProxy append has up to 67, and the path of a socket may have 107."""

PositiveInt = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1)]
Snowflake = Annotated[int, Field(gt=0, lt=2**64)]
HostName = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[A-Za-z0-9.-]+$")]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
WebSocketUrl = Annotated[str, StringConstraints(pattern=r"^wss?://\S+$")]
FilePath = Annotated[Path, AfterValidator(Path.expanduser)]


def _node_url(text: str) -> str:
    parts = urlsplit(text)
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "it must be http://HOST:PORT, and may have a path; the secret is in cluster.secret_file"
        )
    return text.rstrip("/")


IpAddress = Annotated[str, AfterValidator(lambda text: str(ipaddress.ip_address(text)))]
ALONE = "127.0.0.1"
"""What Ray then listens to: this machine alone."""

NodeUrl = Annotated[HttpUrl, AfterValidator(_node_url)]


def node_address(text: str) -> ListenAddress:
    """Return where a node listens. Raises ValueError for what names no address of one interface."""
    try:
        address = ListenAddress.parse(text)
    except ValueError:
        address = None
    if address is None:
        raise ValueError(
            "it must be a port of this machine, or ADDRESS:PORT with the IP address of one interface, such "
            "as 10.0.0.2:8720; all interfaces are written out, 0.0.0.0:8720"
        )
    return address


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key, its place and the allowed values."""


def _number_as_text(value: object) -> object:
    """Take `views = 1`, which is what anybody writes in TOML, for `"1"`."""
    return str(value) if type(value) is int else value


class Section(BaseModel):
    """One table of `whatsit.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Discord(Section):
    token_file: FilePath | None = Field(default=None, examples=["~/whatsit-token"])
    """A file that holds the bot's token; `DISCORD_TOKEN` and `DISCORD_TOKEN_FILE` in the environment win."""
    api_url: HttpUrl | None = Field(default=None, examples=["https://discord.example/api/v10"])
    """REST base of a Discord-compatible server (Spacebar), with its version: `https://host/api/v10`."""
    gateway_url: WebSocketUrl | None = Field(default=None, examples=["wss://gateway.discord.example"])
    """Gateway of that server: `wss://host`. Goes with `api_url`."""
    rest_proxy_url: HttpUrl | None = Field(default=None, examples=["http://127.0.0.1:8080"])
    """A proxy for Discord's REST API, such as nirn-proxy: it keeps the limit of 50 requests a second that all
    processes of a bot share. It sees the token and every answer."""

    source_url: HttpUrl | None = Field(default=None, examples=["https://code.example/whatsit"])
    """Where members can read the source of this bot; `/about` links to it."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.api_url is None) != (self.gateway_url is None):
            raise ValueError("api_url and gateway_url go together: set both, or neither")
        return self


class Model(Section):
    name: Annotated[str, Field(min_length=1)] = "auto"
    """A name of the catalogue (`whatsit models`), a SavedModel folder, a `.tar.gz` of one, a Hub or Kaggle
    address, or `auto`: `mobilenet_v2` from the Hub, or where that is out of reach the one pip brought."""
    allowed: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=20
    )
    """Other models of the catalogue that a server may choose for itself in `/settings`. Each takes memory."""
    labels: FilePath | None = Field(default=None, examples=["~/my-labels.txt"])
    """One label a line, for a model of your own."""
    engine: Literal["auto", "openvino", "tensorflow"] = "auto"
    """What runs the model. `auto` takes OpenVINO once it has agreed with TensorFlow on this very model."""
    precision: Literal["f32", "bf16", "int8"] = "f32"
    """Number format of the fast engine. `int8` wants `whatsit models quantize` first."""
    views: Annotated[Literal["auto", "1", "tutorial"], BeforeValidator(_number_as_text)] = "auto"
    """`auto`: a second look at both ends when the first is unsure; `1`: the centre only; `tutorial`: the
    whole picture, stretched."""
    hub_deadline: Seconds = 60
    """Seconds a model download may take before Whatsit goes on without it."""
    cache_dir: FilePath = Field(
        default_factory=lambda: platformdirs.user_cache_path("whatsit"), examples=["~/.cache/whatsit"]
    )
    """Where models are kept. `TFHUB_CACHE_DIR`, where set, holds the Hub's own."""


class InferenceSettings(Section):
    backend: Literal["local", "cluster"] = "local"
    """Where pictures are looked at: by a worker on this machine, or by the nodes of `cluster.urls`."""


class ClusterSettings(Section):
    urls: tuple[NodeUrl, ...] = Field(default=(), max_length=100, examples=[["http://10.0.0.2:8720"]])
    """The nodes that the bot asks: machines that run `whatsit serve`, or an ingress before several of them.
    Each answers for all; the one with the fewest pictures in flight is asked first."""
    secret_file: FilePath | None = Field(default=None, examples=["~/whatsit-cluster-secret"])
    """A file with the secret that bot and nodes share: one word of 16 characters or more, such as
    `openssl rand -hex 32` prints. A node needs it unless it listens to its own machine alone."""
    window: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Pictures that are in flight to each of `urls`; others wait in the bot. For an ingress, about 16 a
    replica behind it."""
    start_timeout: Seconds = 60
    """Seconds that the bot waits at its start for a node that is ready."""
    listen: Annotated[str, BeforeValidator(_number_as_text)] = "127.0.0.1:8720"
    """Where a node listens (`whatsit serve`): a port of this machine, or `ADDRESS:PORT` of one interface."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, listen: str) -> str:
        node_address(listen)
        return listen

    @property
    def address(self) -> ListenAddress:
        """Where a node listens."""
        return node_address(self.listen)


class RaySettings(Section):
    address: IpAddress = ALONE
    """This machine's address in the network of its cluster (`whatsit serve`). At 127.0.0.1 it is alone: no
    other machine can join it."""
    head: Annotated[str, BeforeValidator(_number_as_text)] = "127.0.0.1:8730"
    """Where the cluster's head is: `ADDRESS:PORT`. The head listens there, and the nodes join it there."""
    token_file: FilePath | None = Field(default=None, examples=["~/whatsit-ray-token"])
    """A file with what the machines of a cluster trust each other by: one word of 16 characters or more, such
    as `openssl rand -hex 32` prints. Whoever has it can run programs on all of them. It is another word than
    the secret in `cluster.secret_file`. A machine that is alone makes one at each start."""
    models_listen: Annotated[str, BeforeValidator(_number_as_text)] = "127.0.0.1:8721"
    """Where this machine takes the models that `whatsit models push` brings: a port of this machine, or
    `ADDRESS:PORT` of one interface."""
    places: Annotated[int, Field(ge=0, le=1000)] = 1
    """Replicas that this machine takes. Each is a whole classifier that uses all its cores; while a model is
    updated there are twice as many. `0`: it only leads the others."""
    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Replicas of the whole cluster that are always there."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """The most replicas of the whole cluster, which are there when much is asked. More than all `places`
    together never start."""
    images_per_replica: PositiveInt = 16
    """Pictures in hand at one replica, on average, above which another one is started."""
    scale_up_seconds: Seconds = 5
    """Seconds that there have to be more before another replica is started."""
    scale_down_seconds: Seconds = 300
    """Seconds that there have to be fewer before one is stopped."""
    run_dir: FilePath | None = Field(default=None, examples=["/run/whatsit-ray"])
    """A folder for sockets and logs of Ray while it runs. Its path may have 40 characters, as sockets demand.
    Unset: a new folder in `/tmp`."""

    @field_validator("head", "models_listen")
    @classmethod
    def _is_address(cls, text: str) -> str:
        node_address(text)
        return text

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError(f"max_replicas is below min_replicas: {self.max_replicas} < {self.min_replicas}")
        if self.run_dir is not None and len(str(self.run_dir)) > MOST_RUN_DIR:
            raise ValueError(f"run_dir is longer than {MOST_RUN_DIR} characters: {self.run_dir}")
        return self

    @property
    def is_alone(self) -> bool:
        """Whether no other machine can join this one."""
        return self.address == ALONE

    @property
    def head_address(self) -> ListenAddress:
        """Where the head listens."""
        return node_address(self.head)

    @property
    def models_address(self) -> ListenAddress:
        """Where this machine takes models."""
        return node_address(self.models_listen)


class Worker(Section):
    deadline: Seconds = 10
    """Seconds without a sign of life from a working worker before it is taken for hung and replaced."""
    image_seconds: Seconds = 4
    """Seconds of processor time one image may take before its worker is replaced and the image refused."""
    memory: PositiveInt = 1536 * MiB
    """Bytes the worker may keep resident before it is replaced. While a picture is under suspicion, a second
    worker tries it, which may take the model's memory and three fifths of what is left; and for five minutes
    after a worker died, a spare one waits, which takes the model's memory."""
    nice: Annotated[int, Field(ge=0, le=19)] = 10
    """Niceness of the worker, so that the gateway's process goes first."""
    batch: PositiveInt = 8
    """Crops that the worker has at the same time, of pictures that do not cost much."""


class Queue(Section):
    images: PositiveInt = 256
    """Images that may wait or be in work; the next one is answered with "busy"."""
    images_per_guild: PositiveInt = 64
    """The same for one server, so that one cannot fill the queue for all."""
    bytes: PositiveInt = 32 * MiB
    """Bytes of images held at once, downloads included; what does not fit is not fetched yet."""
    verdicts: Annotated[int, Field(ge=0)] = 1024
    """Answers remembered in memory, by a hash of the image under a key made at each start. No image is."""
    timeout: Seconds = 30
    """Seconds from accepted to answered for one image."""
    drain: Seconds = 8
    """Seconds that images in hand may still take when Whatsit is told to stop; Docker kills after ten."""


class Limits(Section):
    image_bytes: PositiveInt = 10 * MiB
    """Bytes of one image, checked on the header and on the stream."""
    image_pixels: PositiveInt = 50_000_000
    """Pixels of one image, read from its header before any pixel is decoded."""
    animation_pixels: PositiveInt = 50_000_000
    """Pixels to decode for the frames of an animation; beyond it only the first frame counts."""
    large_pixels: PositiveInt = 16_000_000
    """Pictures of more pixels than this are decoded one at a time."""
    images_per_answer: Annotated[int, Field(ge=1, le=10)] = 10
    """Images of one message that are named."""
    user_images_per_minute: PositiveInt = 10
    """Images a minute for one user, on average."""
    user_burst: PositiveInt = 20
    """Images one user may ask for at once."""
    user_core_seconds_per_minute: Seconds = 20
    """Seconds of one processor core that one user's images may take a minute, on average, and twice as many
    at once; then the user waits. A photograph of 12 megapixels takes 0.02 to 0.3, one of 50 up to 1."""
    guild_core_seconds_per_minute: Seconds = 60
    """The same for all images of one server together."""


class Download(Section):
    connect_timeout: Seconds = 5
    """Seconds to reach the host."""
    total_timeout: Seconds = 15
    """Seconds for the whole download."""
    hosts: tuple[HostName, ...] = (
        "cdn.discordapp.com",
        "media.discordapp.net",
        "images-ext-1.discordapp.net",
        "images-ext-2.discordapp.net",
    )
    """Hosts that images may be fetched from; no other is ever asked."""
    resized: bool = False
    """Ask Discord's media proxy for a smaller copy of large images."""


class Watch(Section):
    channels: tuple[Snowflake, ...] | None = Field(default=None, examples=[[1234567890123456789]])
    """Channels (and their threads) whose images are answered unasked; unset means all, `[]` means none."""
    links: bool = False
    """Also answer image links, through Discord's proxy."""
    stickers: bool = False
    """Also answer stickers."""
    applications: tuple[Snowflake, ...] = ()
    """Application ids of bots and webhooks that are answered like people (proxy bots)."""
    late_after: Seconds = 60
    """Seconds after which an answer is dropped with a reaction instead of being sent late."""
    catch_up: Annotated[float, Field(ge=0, le=3600)] = 600
    """Seconds back that are looked through for unanswered pictures after a crash, a restart or a lost
    connection; `late_after` is only for what came while Whatsit was there. `0`: none are."""


class Answers(Section):
    top: Annotated[int, Field(ge=1, le=10)] = 3
    """Labels shown for each image."""
    min_confidence: Probability = 0.3
    """Below this the answer is "I'm not sure", with the best guess."""


class Data(Section):
    dir: FilePath = Field(
        default_factory=lambda: platformdirs.user_data_path("whatsit"), examples=["~/.local/share/whatsit"]
    )
    """Where Whatsit keeps what must outlive a restart. No image is ever among it."""


class StoreSettings(Section):
    url: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, examples=["postgresql://whatsit@localhost/whatsit"]
    )
    """The database, where it is not to be the SQLite file `whatsit.sqlite3` in the data folder: a PostgreSQL
    (`pip install whatsit[postgres]`) or another SQLite file, `sqlite:////path/to/file`."""
    shared: bool = False
    """Let several processes of one bot use the store, each with a shard of its own, as `whatsit run --shards
    auto` does: they tell each other what they change. For a PostgreSQL; a SQLite file is one process's."""
    index_images: PositiveInt = 100_000
    """Pictures of one server that can be found again, where its moderators have turned that on. The oldest
    leave first. Each takes 1.5 KB in the store, and 0.3 KB of memory while it is searched."""


class KnowledgeSettings(Section):
    memory: PositiveInt = 256 * MiB
    """Bytes that what servers taught may take in memory, of all servers together: 100 labels take 1 MiB. What
    was not used for longest goes first, and is read from the store again when it is next needed."""


class Privacy(Section):
    keep_days: Annotated[int, Field(ge=0, le=365)] = 0
    """Days that a server's data is kept after the server has removed Whatsit; back in time, it finds its
    settings again. `0`: it is erased at once."""
    contact: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, examples=["privacy@example.org"]
    )
    """Whom people write to about their data: an address or a link. `whatsit policy` names it."""


class Metrics(Section):
    listen: Annotated[str, BeforeValidator(_number_as_text)] = Field(default="", examples=["127.0.0.1:9464"])
    """Where `/metrics` (for Prometheus), `/healthz` and `/readyz` are served: a port of this machine, or
    `ADDRESS:PORT`. Empty: nowhere. No password is asked, so other addresses than this machine's own
    (`0.0.0.0:9464`) must be written out; whoever reaches them can read how much the bot does."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, listen: str) -> str:
        ListenAddress.parse(listen)
        return listen

    @property
    def address(self) -> ListenAddress | None:
        """Where to listen; None for nowhere."""
        return ListenAddress.parse(self.listen)


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written. Of libraries nothing below `info` is, since it repeats what
    people write."""
    format: Literal["text", "json"] = "text"
    """`text` for people, in colour on a terminal; `json` for programs, an object a line."""


class Settings(BaseModel):
    """All of `whatsit.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    discord: Discord = Field(default_factory=Discord)
    model: Model = Field(default_factory=Model)
    inference: InferenceSettings = Field(default_factory=InferenceSettings)
    cluster: ClusterSettings = Field(default_factory=ClusterSettings, validate_default=True)
    ray: RaySettings = Field(default_factory=RaySettings)
    worker: Worker = Field(default_factory=Worker)
    queue: Queue = Field(default_factory=Queue)
    limits: Limits = Field(default_factory=Limits)
    download: Download = Field(default_factory=Download)
    watch: Watch = Field(default_factory=Watch)
    answers: Answers = Field(default_factory=Answers)
    data: Data = Field(default_factory=Data)
    store: StoreSettings = Field(default_factory=StoreSettings)
    knowledge: KnowledgeSettings = Field(default_factory=KnowledgeSettings)
    privacy: Privacy = Field(default_factory=Privacy)
    metrics: Metrics = Field(default_factory=Metrics)
    log: Log = Field(default_factory=Log)

    @field_validator("cluster")
    @classmethod
    def _has_nodes(cls, cluster: ClusterSettings, others: ValidationInfo) -> ClusterSettings:
        inference = others.data.get("inference")
        if inference is not None and inference.backend == "cluster" and not cluster.urls:
            raise ValueError('inference.backend is "cluster", so cluster.urls must name at least one node')
        return cluster


def sections() -> dict[str, type[Section]]:
    """Return the tables of `whatsit.toml` and their schemas, in order."""
    found = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {
        name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, Section)
    }
