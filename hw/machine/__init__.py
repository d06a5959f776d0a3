"""The machine around the tiles: sequencer, vector unit, product unit and their memories."""
