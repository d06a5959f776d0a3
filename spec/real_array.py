"""Check what an array in Verilog with `real` can be, and which files of data it needs."""

from spec.advice import CurableError, lower
from spec.config import ChipConfig
from spec.errors import require

MOST_THRESHOLDS = 1 << 22
"""Entries of the table of thresholds: a file of 71 MB."""

NOISES = "read_noise", "dac_noise", "sense_noise"
"""Fields of the physics that such an array leaves out."""

ERRORS = "offset", "gain", "inl", "dnl"
"""Fields of the physics with errors of converters, behind `dac_` or `adc_`."""


def needs_dacs(config: ChipConfig) -> bool:
    """Tell whether DACs have errors, so that what they drive is looked up."""
    return any(config.value(f"dac_{name}") for name in ERRORS)


def needs_thresholds(config: ChipConfig) -> bool:
    """Tell whether ADCs have errors, so that thresholds are looked up."""
    return any(config.value(f"adc_{name}") for name in ERRORS)


def without_noise(config: ChipConfig) -> ChipConfig:
    """Return a configuration without the noise that such an array leaves out."""
    return config.replace(**dict.fromkeys(NOISES, 0.0))


def require_real_array(config: ChipConfig) -> None:
    """Raise `UserError` unless an array of a configuration can be written."""
    bend = config.physics.cells.nonlinearity
    require(
        bend == 0,
        f"an array in Verilog has linear cells, but nonlinearity is {bend:g} per volt: set it to 0",
    )
    entries = _thresholds(config)
    if entries > MOST_THRESHOLDS:
        raise CurableError(
            f"the thresholds of {config.converters} ADCs with errors are {entries} numbers in "
            f"Verilog, more than {MOST_THRESHOLDS}",
            config,
            lambda other: _thresholds(other) <= MOST_THRESHOLDS,
            {
                "adc_bits": lower(config.converter.adc_bits, 1),
                **{f"adc_{name}": [0.0] for name in ERRORS if config.value(f"adc_{name}")},
            },
        )


def _thresholds(config: ChipConfig) -> int:
    if not needs_thresholds(config):
        return 0
    codes = (1 << config.converter.adc_bits) + 1
    return (config.step_range[1] + 1) * config.converters * codes
