"""How large the frames of AV1 are (sections 5.5 and 5.9 of its specification).

A frame is as large as its sequence header says, unless it states a size of its own. That may be larger: the
specification forbids it, but the decoder obeys.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.images.headers.coded_bits import CodedBits

__all__ = ["Av1Sequence", "av1_sequence", "frame_states_its_size"]

_KEY_FRAME, _SWITCH_FRAME = 0, 3
_EACH_FRAME_CHOOSES = 2
_LEVELS_WITHOUT_TIER = 7


@dataclass(slots=True)
class Av1Sequence:
    """What a sequence header says of its frames.

    `pixels`: how large a frame is that states no size of its own; `most_pixels`: how large one can be that
    does. The other fields tell where in a frame's header that is said: numbers of bits, and tools that are
    off (0), on (1), or chosen by each frame (2).
    """

    pixels: int
    most_pixels: int
    is_still: bool
    time_bits: int
    id_bits: int = 0
    screen_tools: int = _EACH_FRAME_CHOOSES
    whole_motion: int = _EACH_FRAME_CHOOSES


def av1_sequence(bits: CodedBits) -> Av1Sequence:
    """Read a sequence header. Raises IndexError where it is cut short."""
    take = bits.take
    take(3 + 1)
    is_still = bool(take(1))
    time_bits = 0
    if is_still:
        take(5)
    else:
        time_bits = _operating_points(bits)
    wide, high = take(4) + 1, take(4) + 1
    size = (take(wide) + 1) * (take(high) + 1)
    sequence = Av1Sequence(size, 1 << wide + high, is_still, time_bits)
    if is_still:
        return sequence
    if take(1):  # frames have numbers
        sequence.id_bits = take(4) + 2
        sequence.id_bits += take(3) + 1
    take(3 + 4)
    if take(1):  # frames have an order
        take(2)
    if not take(1):
        sequence.screen_tools = take(1)
    if sequence.screen_tools and not take(1):
        sequence.whole_motion = take(1)
    return sequence


def _operating_points(bits: CodedBits) -> int:
    """Read past the timing and the operating points; return how many bits a frame spends on its time."""
    take = bits.take
    delay_bits = time_bits = 0
    if take(1):  # timing
        take(64)
        is_regular = take(1)
        if is_regular:
            bits.exponential()
        if take(1):  # the decoder's model
            delay_bits = take(5) + 1
            take(32 + 5)
            time_bits = take(5) + 1
            if is_regular:
                time_bits = 0
    has_display_delay = take(1)
    for _ in range(take(5) + 1):
        take(12)
        if take(5) > _LEVELS_WITHOUT_TIER:
            take(1)
        if delay_bits and take(1):
            take(2 * delay_bits + 1)
        if has_display_delay and take(1):
            take(4)
    return time_bits


def frame_states_its_size(bits: CodedBits, sequence: Av1Sequence) -> bool:
    """Read the beginning of a frame's header. Raises IndexError where it is cut short."""
    take = bits.take
    if sequence.is_still or take(1):  # the second shows a frame that was decoded before
        return False
    kind, is_shown = take(2), take(1)
    if is_shown:
        take(sequence.time_bits)
    else:
        take(1)
    if kind != _SWITCH_FRAME and not (kind == _KEY_FRAME and is_shown):
        take(1)
    take(1)
    tools = sequence.screen_tools
    if tools == _EACH_FRAME_CHOOSES:
        tools = take(1)
    if tools and sequence.whole_motion == _EACH_FRAME_CHOOSES:
        take(1)
    take(sequence.id_bits)
    return kind == _SWITCH_FRAME or bool(take(1))
