"""The same strategy programs on real processes (torch.distributed, gloo): one a device, measured.

A process runs its device's participants in one loop (`interpreter`); exchanges become the messages that the network's
collective makes of them (`routing`), whose shapes a run of the programs on shapes alone tells beforehand (`outline`).
"""
