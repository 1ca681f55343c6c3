"""How far predictions can be trusted: each part sets the simulator beside something else, row by row.

    found = validate(chosen(["closed-forms"]), ValidationSettings(), progress)
    found.holds                           whether every part's own laws held
    to_json(found)                        rows, summaries, judgements

Adding a part: one file in `parts/` that offers `PART`.
"""
