"""Op-amps and inverters that close the loop of an inversion, as parameters of the physics."""

from dataclasses import dataclass

from spec.table import Table


@dataclass(frozen=True)
class AmplifierPhysics(Table):
    """Describe the amplifiers of the loop. Validated when made.

    Gain and bandwidth are those of a good integrated op-amp, and none of them can be infinite: a
    loop without delay has no state. The other defaults are ideal.

    Parameters
    ----------
    open_loop_gain
        Gain A of an op-amp at low frequencies.
    gain_bandwidth_hz
        Frequency in hertz at which the gain of an op-amp has fallen to 1.
    node_f
        Capacitance in farads of each summing node: a word line and the input of its op-amp.
        Assumed.
    inverter_hz
        Bandwidth in hertz of the inverters that drive the negative bit lines; 0 if they have no
        delay.
    output_ohm
        Output resistance in ohms of op-amps and inverters.
    saturation_v
        Largest output voltage of an op-amp, in volts, of either sign.
    amplifier_offset_v
        Standard deviation over the op-amps of the input offset, in volts.
    amplifier_noise_v
        Standard deviation in volts of the input noise within the bandwidth of the loop, drawn for
        each op-amp and sample.

    Raises
    ------
    UserError
        If a parameter is out of its range.
    """

    open_loop_gain: float = 1e5
    gain_bandwidth_hz: float = 500e6
    node_f: float = 0.1e-12
    inverter_hz: float = 0.0
    output_ohm: float = 0.0
    saturation_v: float = 1.0
    amplifier_offset_v: float = 0.0
    amplifier_noise_v: float = 0.0

    def __post_init__(self) -> None:
        self._number("open_loop_gain", 10.0, 1e12, "(a ratio)")
        self._number("gain_bandwidth_hz", 1.0, 1e12, "hertz")
        self._number("node_f", 1e-18, 1e-6, "farads")
        self._number("inverter_hz", 0.0, 1e12, "hertz")
        self._number("output_ohm", 0.0, 1e6, "ohms")
        self._number("saturation_v", 1e-3, 100.0, "volts")
        self._number("amplifier_offset_v", 0.0, 1.0, "volts")
        self._number("amplifier_noise_v", 0.0, 1.0, "volts")
