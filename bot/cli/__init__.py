"""The `whatsit` command: what may be typed, and which module does it.

Nothing heavy is imported here: each command's module is loaded when it is asked for, so that `whatsit --help`
answers at once. Exit codes: 0 all well, 1 something failed (and was named), 2 bad usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["FAILED", "INTERRUPTED", "OK", "USAGE", "main"]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a traceback here is a bug, whatever was typed.

    A configuration that cannot be used ends every command alike, with one line for each fault.
    """
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and not args.passes_on:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    args.rest = rest
    try:
        code: int = import_module(args.module).main(args)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; keep Python from complaining once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from config.settings import ConfigError  # noqa: PLC0415 - which `--help` does not wait for

        if not isinstance(error, ConfigError):
            raise
        print(f"whatsit: {error}", file=sys.stderr)
        return USAGE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="whatsit",
        description="Says what is in a picture: on Discord, or right here.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"whatsit {_version()}")
    parser.add_argument(
        "--lang",
        metavar="LANGUAGE",
        help="the language that is printed where there is one, such as ja or de (default: the terminal's)",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, module: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
        )
        sub.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="settings file (default: WHATSIT_CONFIG, or the shipped one)",
        )
        sub.set_defaults(module=module, passes_on=False)
        return sub

    _add_run(command)

    _add_serving(command)

    demo = command(
        "demo", "bot.cli.demo", "show the real bot in a simulated Discord; needs no token and no network"
    )
    demo.add_argument(
        "--once", action="store_true", help="end after the transcript (also: ONCE=1, or no terminal)"
    )

    classify = command("classify", "bot.cli.classify", "name what is in pictures")
    classify.add_argument(
        "files", nargs="+", metavar="FILE", help="a picture, a folder of pictures, or - for standard input"
    )
    classify.add_argument("--json", action="store_true", help="one JSON object a line")
    classify.add_argument(
        "--top", type=int, choices=range(1, 11), default=5, metavar="N", help="labels a picture, 1 to 10"
    )
    classify.add_argument(
        "--explain",
        type=Path,
        metavar="OUT.png",
        help="draw where in the one picture the model saw what it names",
    )
    _model_options(classify)
    classify.add_argument(
        "--views",
        nargs="?",
        const=True,
        type=_views,
        metavar="auto|1|tutorial",
        help="show how many crops were looked at and, with a value, set model.views",
    )

    _add_training(command)

    _add_models(command)

    _add_top(command)

    doctor = command(
        "doctor", "bot.cli.doctor", "check everything the bot needs, and say what to do for what fails"
    )
    _model_options(doctor)

    feedback = command(
        "feedback", "bot.cli.feedback", "show how often people said that an answer was right, by its name"
    )
    feedback.add_argument("--json", action="store_true", help="one JSON object")

    store = command("store", "bot.cli.store", "back up, restore, check or move what the bot remembers")
    store_actions = store.add_subparsers(metavar="ACTION", dest="action", required=True)
    backup = store_actions.add_parser(
        "backup", help="copy the store to a file; the bot may go on meanwhile", allow_abbrev=False
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    restore = store_actions.add_parser(
        "restore", help="put a backup in the place of the store, and keep the old one", allow_abbrev=False
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="a file that `backup` has made")
    check = store_actions.add_parser(
        "check", help="read all of the store and say whether it is sound", allow_abbrev=False
    )
    check.add_argument("--json", action="store_true", help="one JSON object")
    move = store_actions.add_parser(
        "move", help="copy the store to another, empty database, and compare the two", allow_abbrev=False
    )
    move.add_argument("url", metavar="URL", help="postgresql://USER@HOST/DATABASE or sqlite:////path/to/file")

    policy = command(
        "policy",
        "bot.cli.policy",
        "print a privacy policy and terms of service for Discord's developer portal",
    )
    policy.add_argument("text", nargs="?", choices=("privacy", "terms"), help="only this one of them")

    invite = command(
        "invite", "bot.cli.invite", "print the links that add the bot to a server, or to your account"
    )
    invite.add_argument(
        "--id",
        type=_positive,
        metavar="APPLICATION_ID",
        help="its application id (default: what the token says)",
    )

    _add_capacity(command)

    bench = commands.add_parser(
        "bench", help="measure how fast this machine is", add_help=False, allow_abbrev=False
    )
    bench.set_defaults(module="bot.cli.bench", passes_on=True)  # its options are those of `inference.bench`
    return parser


def _add_run(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    run = command(
        "run", "bot.cli.run", "start the bot on Discord (DISCORD_TOKEN, or the file DISCORD_TOKEN_FILE names)"
    )
    run.add_argument(
        "--shards",
        type=_shards,
        metavar="auto|N",
        help="be one of several processes of the bot, each with one of its shards or waiting for one, on a "
        "PostgreSQL: as many shards as Discord recommends, or N",
    )


def _add_serving(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    serve = command(
        "serve", "bot.cli.serve", "answer for bots of other machines, as a node of a cluster; Ctrl-C ends it"
    )
    role = serve.add_mutually_exclusive_group(required=True)
    role.add_argument("--plain", action="store_true", help="one node behind plain HTTP, for a few machines")
    role.add_argument(
        "--local", action="store_true", help="Ray Serve on this machine alone, to try it (whatsit[cluster])"
    )
    role.add_argument("--head", action="store_true", help="the machine that leads a cluster of Ray Serve")
    role.add_argument("--join", action="store_true", help="a machine that joins the cluster of ray.head")
    serve.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        help="where to listen (default: cluster.listen); a port alone is one of this machine",
    )
    _model_options(serve)


def _add_models(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    models = command("models", "bot.cli.models", "list the models and which of them are on this machine")
    models.add_argument("--json", action="store_true", help="one JSON object a line")
    actions = models.add_subparsers(metavar="ACTION", dest="action")
    quantize = actions.add_parser(
        "quantize", help="make the int8 variant of a model, and keep it if it is as good", allow_abbrev=False
    )
    quantize.add_argument("name", metavar="NAME", help="a name of the catalogue, or a path")
    quantize.add_argument(
        "--photographs",
        type=Path,
        metavar="FOLDER",
        help="pictures to make and judge it by (default: those that matplotlib and scikit-image carry)",
    )

    push = actions.add_parser(
        "push",
        help="bring the configured model to machines of a cluster, which can prepare none",
        allow_abbrev=False,
    )
    push.add_argument(
        "places",
        nargs="+",
        type=_model_place,
        metavar="PLACE",
        help="where a machine takes models: http://ADDRESS:PORT of its ray.models_listen or of a plain node, "
        "or a folder that is a model.cache_dir",
    )

    actions.add_parser(
        "refresh", help="forget that the Hub was out of reach: the next start asks it", allow_abbrev=False
    )


def _add_training(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    train = command("train", "bot.cli.train", "make a model that tells the classes of a folder of pictures")
    train.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a folder with a folder of pictures for each class"
    )
    train.add_argument(
        "--out", type=Path, required=True, metavar="MODEL", help="the new folder that the model is put into"
    )
    train.add_argument(
        "--model", metavar="NAME_OR_PATH", help="the model to start from (default: the configured one)"
    )
    train.add_argument(
        "--fine-tune", action="store_true", help="train the top layers of that model too, which takes longer"
    )
    train.add_argument(
        "--epochs",
        type=_positive,
        metavar="N",
        help="go through the pictures at most so often (default: until that no longer helps)",
    )

    evaluate = command(
        "evaluate", "bot.cli.evaluate", "measure how good a model is at pictures whose classes are known"
    )
    evaluate.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a folder with a folder of pictures for each class"
    )
    _model_options(evaluate)
    evaluate.add_argument(
        "--out",
        type=Path,
        default=Path("evaluation"),
        metavar="FOLDER",
        help="where the charts are put (default: evaluation)",
    )
    evaluate.add_argument("--json", action="store_true", help="one JSON object")


def _add_capacity(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    capacity = command(
        "capacity",
        "bot.cli.capacity",
        "simulate the busiest hour of a bot of many servers: machines, cost, what breaks first",
    )
    capacity.add_argument(
        "--servers",
        type=_many,
        nargs="+",
        metavar="N",
        help="how many servers (default: 10000 100000 1000000)",
    )
    capacity.add_argument(
        "--images",
        type=_amount,
        default=20.0,
        metavar="N",
        help="images that a server posts in a day, on average of all (default: 20; see `whatsit top`)",
    )
    capacity.add_argument(
        "--cores", type=_positive, default=4, metavar="N", help="cores of a machine (default: 4)"
    )
    capacity.add_argument(
        "--price",
        type=_amount,
        default=0.1,
        metavar="PRICE",
        help="of a machine for an hour, in any currency (default: 0.1)",
    )
    capacity.add_argument(
        "--replicas",
        type=_positive,
        metavar="N",
        help="machines that look at images (default: the fewest that reach the goal)",
    )
    capacity.add_argument(
        "--goal",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="within which 95 of 100 images are to be looked at (default: 1)",
    )
    capacity.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="of the chance in it; the same gives the same (default: 1)",
    )
    capacity.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="a figure of your own in place of one of --sources; may be given more than once",
    )
    capacity.add_argument(
        "--sources",
        action="store_true",
        help="print the figures it calculates with, and where each comes from",
    )
    capacity.add_argument("--json", action="store_true", help="one JSON object")


def _add_top(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    top = command("top", "bot.cli.top", "show what a running bot does, from its metrics; Ctrl-C ends it")
    top.add_argument(
        "--once",
        action="store_true",
        help="print one frame and end (also: no terminal that can move its cursor)",
    )
    top.add_argument(
        "--every", type=_seconds, default=2.0, metavar="SECONDS", help="between two readings (default: 2)"
    )
    top.add_argument(
        "--address",
        type=_host_and_port,
        metavar="HOST:PORT",
        help="where it serves its metrics (default: metrics.listen)",
    )


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME_OR_PATH", help="a model other than the configured one")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="one label a line, for a model of your own"
    )


def _views(text: str) -> str:
    if text not in ("auto", "1", "tutorial"):
        raise argparse.ArgumentTypeError(
            f"{text} is not auto, 1 or tutorial; to show the crops without setting them, put --views last"
        )
    return text


def _shards(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 10_000):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(
            f"{text} is not auto, nor how many shards there are in all, such as 4"
        )
    return int(text)


def _seconds(text: str) -> float:
    return _number(text, 3600, "no number of seconds, up to 3600")


def _number(text: str, most: float, fault: str) -> float:
    """Return a number above 0, at most `most`; for anything else say what `fault` it is."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{text} is {fault}")
    return number


def _model_place(text: str) -> str:
    if "://" not in text:
        return text
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise argparse.ArgumentTypeError(f"{text} is no address such as http://10.0.0.2:8721")
    return text.rstrip("/")


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text} is no HOST:PORT, such as 127.0.0.1:9464")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _amount(text: str) -> float:
    return _number(text, 1e9, "no number above 0, up to a billion")


def _many(text: str) -> int:
    number = _positive(text.replace(",", "").replace("_", ""))
    if number > 100_000_000:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(
            f"{text} servers are more than Discord has; up to 100 million will do"
        )
    return number


_many.__name__ = "whole number"


def _positive(text: str) -> int:
    number = int(text)  # argparse words a ValueError: invalid value
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return number


_positive.__name__ = "whole number"  # argparse names the type in "invalid ... value"


def _version() -> str:
    try:
        return version("whatsit")
    except PackageNotFoundError:
        return "(not installed)"
