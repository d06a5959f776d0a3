"""Parts that several rooms are built from: streams, arithmetic, shapes, counters and memories."""
