# Timing of the chip on an ASIC: `make verilog TOP=chip ANALOG=blackbox`, see docs/pins.md.

# Of the configuration's clock_hz, here 100 MHz.
set period 10.0
create_clock -name clk -period $period [get_ports clk]
set_clock_uncertainty [expr {0.02 * $period}] [get_clocks clk]

# AXI: a third of the period to each side of the pins.
set others [remove_from_collection [all_inputs] [get_ports clk]]
set_input_delay [expr {0.33 * $period}] -clock clk $others
set_output_delay [expr {0.33 * $period}] -clock clk [all_outputs]

# The macro. Its inputs come from registers. From select, step and trial to above and beyond, those
# of a loop included, it has half a period; its timing model replaces these where there is one.
set arrays [get_cells -hierarchical -filter "ref_name == ohmulator_array"]
set answers [get_pins -of_objects $arrays -filter \
    "name =~ analog__*above* || name =~ analog__*beyond* || name =~ analog__saturated*"]
set questions [get_pins -of_objects $arrays -filter \
    "name =~ analog__*select* || name =~ analog__*step* || name =~ analog__*trial*"]
set_max_delay [expr {0.25 * $period}] -to $questions
set_max_delay [expr {0.25 * $period}] -from $answers
