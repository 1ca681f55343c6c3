"""What each figure of the page means, in a few sentences for somebody who sees it for the first time."""

from __future__ import annotations

MEANINGS = {
    "figures": (
        "Latency: from the request at the terminal to the whole answer there. Its range: 5 % to 95 % of samples of the "
        "numbers whose fit has an interval; it is no error of the model (docs/trust.md). Against one device: how many "
        "times as fast as the terminal alone. Exact outputs are the undistributed model's own, to rounding; lossy ones "
        "are not, since each device sees only L means of the others' tokens. CR, the compression rate, is the tokens "
        "of a device over the means that it sends. Requests back to back: how many a second are answered when the next "
        "is always waiting."
    ),
    "parts": (
        "The chain of causes that ends with the answer, divided by what it waits for; the parts add up to the latency. "
        "Compute: arithmetic and memory traffic. Staging: copies between accelerator and host around a message. "
        "Overhead: launching kernels and handling messages. Transfer: bytes on a link. Propagation: the link's "
        "latency. Queue: waiting behind others' bytes. `prism-sim explain` walks along it block by block."
    ),
    "devices": (
        "Blocks: the arithmetic of the Transformer's blocks. Busy: the device's time in computing, staging and "
        "overhead. Waits: its time until the last message that it needs has come. Memory: weights, and activations at "
        "their peak, of all that is on the device. `with 0`: it is on the device of rank 0."
    ),
    "timeline": (
        "One pass over the input, from left to right: for each participant what its processor does, and below it the "
        "messages that it sends. White is waiting. Drag to move, Alt and the wheel to zoom, double click for all."
    ),
    "compression": (
        "What it would take with other compression rates, all else as it stands. To the right fewer means are sent: "
        "quicker, and lossier. Where the line is flat, bytes are not what it waits for."
    ),
    "strategies": (
        "Every strategy on the same devices, each over the number of them that is given behind the x, as "
        "`prism-sim compare` plays them. What does not fit the memory is no alternative and stands in the table."
    ),
    "bandwidth": (
        "Your strategy and the other one along the bandwidth, all else as it stands; a ring where both take the same "
        "time. On one side of it distributing pays, on the other it does not (`prism-sim breakeven`)."
    ),
    "lost": (
        "The real outputs, computed with PyTorch on this machine, against those of the undistributed model: a cosine "
        "of 1 is the same direction. With a task: its metric on real examples. With random weights the outputs say "
        "little about accuracy; name a checkpoint in the scenario for that."
    ),
    "copy": (
        "A scenario of its own, to be kept in a file, and a command that asks the same of the file that this page was "
        "opened with. Both answer with the numbers above."
    ),
}
