"""From measured rows to a device's and a network's numbers, with what they are worth.

    table = read_table(path)              measured rows, in seconds
    found = fit(table, scenario)          parameters with intervals, residuals, straight lines beside them
    fragment(found)                       the numbers as sections of a scenario

How a simulated run is set against a row that names compute, staging and communication, each in the mean over the ranks:
compute is what a rank computes, launches included; staging, its copies between accelerator and host; communication, all
the rest of the latency: messages' overhead, their way, and waiting for others.  So the three add up to the total.
"""
