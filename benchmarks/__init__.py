"""How fast this engine is, beside a plain loop over SQLite and what people would use instead."""
