"""From assembly text and matrices to programs and memory images of the machine."""
