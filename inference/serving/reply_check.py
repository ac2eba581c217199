"""What a worker answers is believed only if it could be true: it may have been taken over by a picture."""

from __future__ import annotations

from inference.results import ModelInfo
from inference.serving.protocol import (
    AnsweredReply,
    BatchRequest,
    LookRequest,
    RefusedReply,
    UnsureReply,
    WorkerReply,
    parse_replies,
)

__all__ = ["check_replies"]


def check_replies(batch: BatchRequest, model: ModelInfo | None, said: bytes) -> tuple[WorkerReply, ...]:
    """Return the replies in `said`, one for each look of `batch`, in order.

    Raises ValueError for what is no reply, answers another look, or has words that are not of `model`.
    """
    replies = parse_replies(said)
    if [reply.id for reply in replies] != [look.id for look in batch.looks]:
        raise ValueError("it answered what it was not asked")
    for look, reply in zip(batch.looks, replies, strict=True):
        _check(look, reply, model)
    return replies


def _check(look: LookRequest, reply: WorkerReply, model: ModelInfo | None) -> None:
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
