"""What a worker answers is believed only if it could be true: it may have been taken over by a picture."""

from __future__ import annotations

from inference.results import SCALE_BYTES, ModelInfo
from inference.serving.protocol import (
    AnsweredReply,
    LookRequest,
    RefusedReply,
    UnsureReply,
    WorkerReply,
)


def check_reply(look: LookRequest | None, reply: WorkerReply, model: ModelInfo | None) -> None:
    """Raise ValueError where a reply cannot be true of `look`, or has words that are not of `model`."""
    if look is None:
        raise ValueError("it answered what it was not asked")
    match reply:
        case UnsureReply() if look.second:
            raise ValueError("it asked for a third look")
        case RefusedReply() if look.second:
            raise ValueError("it refused what it had decoded")
        case AnsweredReply(labels=labels, coarse=coarse) if model:
            if len(labels) > look.ranked or len({index for _, index, _, _ in labels}) < len(labels):
                raise ValueError("it gave more labels than there are")
            for name, index, _, everyday in labels:
                if index >= len(model.labels) or (name, everyday) != (
                    model.labels[index],
                    model.coarse[index],
                ):
                    raise ValueError("a label is not one of the model's")
            if not {name for name, _, _ in coarse} <= set(model.coarse):
                raise ValueError("an everyday name is not one of the model's")
            _check_features(look, reply, model)


def _check_features(look: LookRequest, reply: AnsweredReply, model: ModelInfo) -> None:
    if reply.fingerprint is not None and (
        not look.features or len(reply.fingerprint) != SCALE_BYTES + model.features
    ):
        raise ValueError("it gave features that are not the model's, or that nobody asked for")
    if reply.perceptual_hash is not None and look.features != "indexed":
        raise ValueError("it gave a perceptual hash that nobody asked for")
    if (len(reply.heat.maps) if reply.heat else 0) != len(look.explain):
        raise ValueError("it gave other heat maps than were asked for")
