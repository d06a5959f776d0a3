"""Find what sets the pace of a product's vectors: the tiles, or the memory that feeds them."""

from spec.config import ChipConfig
from spec.tables import MAX_LANES


def tile_cycles(config: ChipConfig, *, transposed: bool = False) -> int:
    """Return the cycles for which a tile converts one vector."""
    return config.planes * config.direction(transposed).plane_cycles


def memory_cycles(config: ChipConfig, tiles: int, *, transposed: bool = False) -> int:
    """Return the cycles that the vector memory takes for one vector of each of some tiles.

    Inputs and sums move `lanes` words a cycle. A sum that one block has written is there for the
    next three cycles later, which only the blocks of a transposed product wait for.
    """
    longer = max(config.array.rows, config.array.columns)
    beats = -(-longer // config.machine.lanes)
    return tiles * (max(beats, 3) if transposed else beats)


def vector_cycles(config: ChipConfig, tiles: int, *, transposed: bool = False) -> int:
    """Return the cycles from a vector to the next, of a product on some tiles at once."""
    moved = memory_cycles(config, tiles, transposed=transposed)
    return max(tile_cycles(config, transposed=transposed), moved + 2)


def conversion_share(config: ChipConfig) -> float:
    """Return the share of the time in which tiles convert, while all of them work."""
    return tile_cycles(config) / vector_cycles(config, config.machine.tiles)


def pace_warning(config: ChipConfig) -> str:
    """Return a sentence with advice if the vector memory sets the pace of the tiles, else ''."""
    share = conversion_share(config)
    if share == 1:
        return ""
    tiles, lanes = config.machine.tiles, config.machine.lanes
    most = min(MAX_LANES, config.machine.vector_words)
    more = (1 << n for n in range(lanes.bit_length(), most.bit_length()))
    enough = (n for n in more if conversion_share(config.replace(lanes=n)) == 1)
    cure = next((f"lanes={found} or more let" for found in enough), "no number of lanes lets")
    many = "1 tile converts" if tiles == 1 else f"{tiles} tiles convert"
    return (
        f"{many} {share:.0%} of the time, for the vector memory moves lanes={lanes} words a cycle: "
        f"{cure} the tiles set the pace"
    )
