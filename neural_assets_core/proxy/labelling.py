"""Which pixel of a hole shows which copy: copies should meet where they agree.

A labelling of the pixels by loopy belief propagation (Pritch et al. 2009, Shift-map image
editing; Kwatra et al. 2003, Graphcut textures).
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
Links = list[tuple[Index, Index]]

SEAM = 18.0
"""What a step from one copy to another costs, besides how much they differ."""

MOST_SEAM = 400.0
UNKNOWN = 400.0
"""What a pixel costs of which its copy knows nothing."""

ROUNDS = 10
"""Of messages between neighbours."""

COARSER, LEAST = (4, 2), 100
"""How much coarser the pixels are first, and how many of them it takes to learn anything."""

FORBIDDEN = 1e6


def labelled(misfit: F32, colours: F32, known: Mask, inside: Mask) -> Index:
    """The copy that each pixel shows.

    Parameters
    ----------
    misfit : float32 (k, n)
        What it costs that a pixel shows one of k copies.
    colours : float32 (k, 3, n)
        What they show: two neighbours of different copies cost what these differ by at both.
    known : bool (k, n)
        Whether they know the pixel: for each pixel, one at least does.
    inside : bool (h, w)
        Where the n pixels are, row by row.

    Returns
    -------
    int (n,)
    """
    costs = np.where(known, misfit, misfit + np.float32(UNKNOWN)).astype(np.float32)
    kept = np.arange(len(costs))
    # Copies that a few of the pixels have no use for need not be tried on all of them.
    for step in COARSER:
        few = np.zeros_like(inside)
        few[::step, ::step] = inside[::step, ::step]
        some = np.flatnonzero(few[inside])
        if len(some) < LEAST:
            continue
        # Such a pixel stands for step x step of them, and its edges for step.
        beliefs = _beliefs(
            step * costs[np.ix_(kept, some)], colours[kept][:, :, some], few[::step, ::step]
        )
        used = np.isin(np.arange(len(costs)), kept[beliefs.argmin(axis=0)])
        while (bare := ~known[used].any(axis=0)).any():
            used[known[:, bare].sum(axis=1).argmax()] = True
        kept = np.flatnonzero(used)
    beliefs = _beliefs(costs[kept], colours[kept], inside)
    return np.asarray(kept[np.where(known[kept], beliefs, FORBIDDEN).argmin(axis=0)])


def _links(inside: Mask) -> Links:
    """Numbers of pixels beside each other, in each pair one of a chessboard's white fields first.

    No pixel is twice on the same side of one entry of the list.
    """
    number = np.full(inside.shape, -1, dtype=np.intp)
    number[inside] = np.arange(np.count_nonzero(inside))
    rows, columns = np.nonzero(inside)
    white = (rows + columns) % 2 == 0
    links = []
    for one, other in ((number[:, :-1], number[:, 1:]), (number[:-1], number[1:])):
        both = (one >= 0) & (other >= 0)
        first, second = one[both], other[both]
        ahead = white[first]
        links += [(first[ahead], second[ahead]), (second[~ahead], first[~ahead])]
    return links


def _beliefs(costs: F32, colours: F32, inside: Mask) -> F32:
    """(k, n) what it costs, all in all, that a pixel shows a copy: by min-sum messages."""
    count = len(costs)
    if count == 1:
        return costs
    apart = np.zeros((count, count, costs.shape[1]), dtype=np.float32)
    for label in range(count - 1):
        steps = np.abs(colours[label + 1 :] - colours[label])
        apart[label, label + 1 :] = apart[label + 1 :, label] = (
            steps[:, 0] + steps[:, 1] + steps[:, 2]
        )
    links = _links(inside)
    white, black = (np.concatenate(ends) for ends in zip(*links, strict=True))
    seams = apart[:, :, white] + apart[:, :, black] + np.float32(SEAM)
    np.minimum(seams, MOST_SEAM, out=seams)
    seams[np.arange(count), np.arange(count)] = 0.0
    ends = np.cumsum([0, *(len(first) for first, _ in links)])
    once = [slice(start, stop) for start, stop in itertools.pairwise(ends)]
    spare = np.empty((count, len(white)), dtype=np.float32)

    def received(messages: F32, at: Index) -> F32:
        total = costs.copy()
        for part in once:
            total[:, at[part]] += messages[:, part]
        return total

    def sent(values: F32) -> F32:
        out = seams[0] + values[0]
        for label in range(1, count):
            np.add(seams[label], values[label], out=spare)
            np.minimum(out, spare, out=out)
        return np.asarray(out - out.min(axis=0))

    back = np.zeros_like(spare)
    for _ in range(ROUNDS):
        ahead = sent(received(back, white)[:, white] - back)
        back = sent(received(ahead, black)[:, black] - ahead)
    return received(back, white) + received(ahead, black) - costs
