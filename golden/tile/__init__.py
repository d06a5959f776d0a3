"""One tile: weights as levels of cells, planes, conversion, shift-add, and write-verify."""
