"""When two pictures are taken for the same one, posted again: by their fingerprints, or by their hashes.

Each finds what the other misses: the hash what was only saved again, made smaller or greyed; the fingerprint
also what was cut, framed or mirrored. Fitted on photographs with the embedded model's fingerprints: at most
one stranger in a hundred is taken for a known picture (`make bench-find`, docs/finding.md).
"""

from __future__ import annotations

SAME_COSINE = 0.83
"""The least cosine between two fingerprints of the same picture."""
SAME_BITS = 8
"""The most bits in which two perceptual hashes of the same picture differ."""
