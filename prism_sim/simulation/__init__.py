"""One point: a strategy of a scenario, played on its hardware; does it fit, and how fast are requests back to back?"""
