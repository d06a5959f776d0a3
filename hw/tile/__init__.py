"""One tile: DAC sequencer, ADC search, shift-add and write-verify around an analogue port."""
