"""An answer that came from a node of a cluster, with the model that gave it."""

from __future__ import annotations

from inference.results import ModelInfo
from inference.serving.protocol import AnsweredReply


class NodeReply(AnsweredReply):
    """A worker of this machine answers with the model that it said it has; a node may have been given another
    since the last answer, so `model` comes with each."""

    model: ModelInfo
