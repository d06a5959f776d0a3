// Simulate a design cycle by cycle, and return to Python only for what C++ does not know.
//
// Everything but the clock's rising edge happens in the middle of a cycle, as at the falling edge
// of `sim.bridge`: what registers show since the rising edge is answered before the next. `run`
// returns with an event, and goes on behind it when it is called again.

#include "design.h"
#include "svdpi.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

enum Event { LIMIT, STARVED, FULL, FELL, CHANGED, SILENT, TABLE, HOLD, CELL, ASK, TRACE };
enum Stage { BEGIN, ANSWER, RECORD, SAMPLE, LEVELS, STROBE, STREAMS, EDGE };

constexpr int MVM = 1, MVM_T = 2;
// A field is read and written with the 8 bytes from its first one on, which hold so many bits.
constexpr size_t PADDING = 8;
constexpr uint64_t MOST_BITS = 57;

uint64_t field(const uint8_t* bytes, size_t offset, unsigned width) {
    uint64_t word;
    std::memcpy(&word, bytes + offset / 8, sizeof word);
    return word >> (offset % 8) & ((uint64_t{1} << width) - 1);
}

uint64_t number(const Port* port) {
    uint64_t value = 0;
    std::memcpy(&value, port->at, port->bytes);
    return value;
}

void set(Port* port, uint64_t value) { std::memcpy(port->at, &value, port->bytes); }

struct Pauses {
    const uint32_t* cycles;
    size_t count, next = 0;

    uint32_t draw() {
        const uint32_t pause = cycles[next];
        next = (next + 1) % count;
        return pause;
    }
};

struct Source {
    Port *valid, *ready, *payload;
    Pauses pauses{};
    const uint8_t* payloads = nullptr;
    uint64_t* taken = nullptr;
    uint64_t left = 0;
    uint32_t pause = 0;
    bool open = false, drawn = false;

    bool starved() const { return open && !left; }

    void offer() {
        if (!left) {
            set(valid, 0);
            return;
        }
        if (!drawn) pause = pauses.draw();
        drawn = true;
        set(valid, !pause);
        if (pause)
            --pause;
        else
            std::memcpy(payload->at, payloads, payload->bytes);
    }

    void transfer(uint64_t cycle) {
        if (!number(valid) || !number(ready)) return;
        payloads += payload->bytes;
        *taken++ = cycle;
        --left;
        drawn = false;
    }
};

struct Sink {
    Port *valid, *ready, *payload;
    Pauses pauses{};
    uint8_t* payloads = nullptr;
    uint64_t *offered = nullptr, *taken = nullptr;
    uint64_t room = 0, first = 0;
    uint32_t pause = 0, waited = 0;
    bool open = false, drawn = false;
    std::vector<uint8_t> shown;

    bool full() const { return open && !room; }

    // Returns whether the payload stands as it did while it waits; `room` is not 0.
    int take(uint64_t cycle) {
        if (!drawn) pause = pauses.draw();
        drawn = true;
        if (!number(valid)) {
            if (waited) return FELL;
            set(ready, !pause);
            return -1;
        }
        if (!waited) {
            first = cycle;
            shown.assign(payload->at, payload->at + payload->bytes);
        } else if (std::memcmp(shown.data(), payload->at, payload->bytes)) {
            return CHANGED;
        }
        set(ready, waited == pause);
        ++waited;
        return -1;
    }

    bool transfer(uint64_t cycle) {
        if (!room || !number(valid) || !number(ready)) return false;
        std::memcpy(payloads, payload->at, payload->bytes);
        payloads += payload->bytes;
        *offered++ = first;
        *taken++ = cycle;
        --room;
        waited = 0;
        drawn = false;
        return true;
    }
};

struct Log {
    uint64_t planes = 0;  // Those remembered; a power of two.
    uint64_t* cycles = nullptr;
    uint8_t* codes = nullptr;
    int64_t* found = nullptr;
};

using Bits = uint64_t[(CONVERTERS + 63) / 64];

struct Tile {
    Port *mode, *code, *strobe, *settled, *sample, *select, *step;
    // Not there where comparators are answered within the evaluation.
    Port *trial, *above, *beyond;
    Log log;
    uint64_t sampled = 0;
    uint64_t to_settle = 0, to_answer = 0;
    uint64_t product_settle = 0;
    uint64_t driven_mode = 0;
    std::vector<uint8_t> driven;

    // Foreseen planes `first` to `stop` - 1: their codes, and what is held of them.
    uint64_t first = 0, stop = 0, foreseen_mode = 0;
    const uint8_t* foreseen = nullptr;
    const double* foreseen_held = nullptr;

    double held[GROUPS][CONVERTERS] = {};
    bool any_held = false, fresh = false, range_asked = false, levelled = false;
    uint64_t steps[STEPS] = {};
    // Thresholds [converters][2**ADC_BITS] and ends of the range [converters][2], by ADC step; and
    // those of each converter at its present one.
    const double* thresholds[1 << STEP_BITS] = {};
    const double* ends[1 << STEP_BITS] = {};
    const double *levels[CONVERTERS] = {}, *range[CONVERTERS] = {};

    uint64_t asked_select = 0;
    uint8_t asked_trial[TRIAL_BYTES + PADDING] = {};
    Bits is_above = {}, is_beyond = {};

    bool product() const { return driven_mode == MVM || driven_mode == MVM_T; }

    bool hit() const {
        if (!product() || sampled < first || sampled >= stop || driven_mode != foreseen_mode)
            return false;
        const uint8_t* codes = foreseen + (sampled - first) * code->bytes;
        return !std::memcmp(codes, driven.data(), code->bytes);
    }

    // Returns whether the comparators are asked something else than the last time.
    bool asked(uint64_t now, const void* codes) {
        if (!any_held) return false;
        if (!fresh && now == asked_select && !std::memcmp(asked_trial, codes, trial->bytes))
            return false;
        range_asked = fresh || now != asked_select;
        fresh = false;
        asked_select = now;
        std::memcpy(asked_trial, codes, trial->bytes);
        return true;
    }

    uint64_t asked_code(int converter) const {
        return field(asked_trial, size_t(converter) * ADC_BITS, ADC_BITS);
    }

    void compare() {
        const double* values = held[asked_select];
        for (int first = 0; first < CONVERTERS; first += 64) {
            const int end = std::min(64, CONVERTERS - first);
            uint64_t bits = 0;
            for (int k = 0; k < end; ++k) {
                const uint64_t at = asked_code(first + k) ^ uint64_t{1} << (ADC_BITS - 1);
                bits |= uint64_t(values[first + k] >= levels[first + k][at]) << k;
            }
            is_above[first / 64] = bits;
        }
        if (!range_asked) return;
        for (int i = 0; i < CONVERTERS; ++i) {
            const bool outside = values[i] < range[i][0] || values[i] >= range[i][1];
            const uint64_t bit = uint64_t{1} << (i % 64);
            is_beyond[i / 64] = (is_beyond[i / 64] & ~bit) | (outside ? bit : 0);
        }
    }

    // Only the last trial of a search is odd, here that of ADC 0.
    void note() {
        const bool decided = asked_trial[0] & 1 || ADC_BITS == 1;
        if (!decided || !sampled || !product() || !log.planes) return;
        int64_t* found = log.found + (sampled - 1) % log.planes * GROUPS * CONVERTERS;
        found += asked_select * CONVERTERS;
        for (int i = 0; i < CONVERTERS; ++i) {
            const int unused = 64 - ADC_BITS;
            const int64_t code = int64_t(asked_code(i) << unused) >> unused;
            found[i] = code - !(is_above[i / 64] >> (i % 64) & 1);
        }
    }

    // Returns whether the thresholds of all ADC steps are known.
    bool set_levels() {
        for (int slice = 0, i = 0; slice < STEPS; ++slice) {
            const double* level = thresholds[steps[slice]];
            const double* ends_of_step = ends[steps[slice]];
            if (!level) return false;
            // The unit column, last, has one converter of its own.
            for (const int end = std::min(i + ADCS, CONVERTERS); i < end; ++i) {
                levels[i] = level + (size_t(i) << ADC_BITS);
                range[i] = ends_of_step + 2 * i;
            }
        }
        return true;
    }

    void note_sample(uint64_t cycle) {
        if (!log.planes) return;
        const size_t at = sampled % log.planes;
        log.cycles[at] = cycle;
        std::memcpy(log.codes + at * code->bytes, driven.data(), code->bytes);
        std::fill_n(log.found + at * GROUPS * CONVERTERS, GROUPS * CONVERTERS, INT64_MIN);
    }
};

struct Bench {
    VerilatedContext context;
    Vharness top{&context};
    std::vector<Port> ports = design_ports(top);
    std::vector<Source> sources;
    std::vector<Sink> sinks;
    std::vector<Tile> tiles;
    uint64_t cycle = 0, until = 0, quiet = 0, patience = 0;
    size_t at = 0;
    Stage stage = BEGIN;
    bool tracing = false, rising = false;
    std::vector<uint8_t> seen;

    Port* port(const std::string& name) {
        for (Port& each : ports)
            if (name == each.name) return &each;
        return nullptr;
    }

    void fall() {
        rising = false;
        top.clk = 0;
        top.eval();
    }

    void rise() {
        rising = true;
        top.clk = 1;
        top.eval();
        ++cycle;
    }

    void transfer() {
        for (Source& source : sources) source.transfer(cycle + 1);
        for (Sink& sink : sinks)
            if (sink.transfer(cycle + 1)) quiet = cycle;
    }

    // For each tile, and each stage of it, from where the last event was.
    int run() {
        for (;;) {
            switch (stage) {
                case BEGIN:
                    if (cycle >= until) return LIMIT;
                    for (at = 0; at < sinks.size(); ++at)
                        if (sinks[at].full()) return FULL;
                    for (at = 0; at < sources.size(); ++at)
                        if (sources[at].starved()) return STARVED;
                    if (cycle - quiet > patience) return SILENT;
                    at = 0;
                    stage = ANSWER;
                    break;
                case ANSWER: {
                    Tile& tile = tiles[at];
                    stage = RECORD;
                    if (!DIRECT && tile.asked(number(tile.select), tile.trial->at)) {
                        tile.to_answer = PATIENCE + 1;
                        if (!TABLED) return ASK;
                        tile.compare();
                        tile.note();
                    }
                    break;
                }
                case RECORD:
                    stage = SAMPLE;
                    if (tiles[at].to_answer && !--tiles[at].to_answer) answer(tiles[at]);
                    if (tracing) return TRACE;
                    break;
                case SAMPLE: {
                    Tile& tile = tiles[at];
                    if (!number(tile.sample)) {
                        stage = STROBE;
                        break;
                    }
                    // The comparators saw the values held until now in this cycle.
                    stage = LEVELS;
                    if (!tile.hit()) return HOLD;
                    break;
                }
                case LEVELS:
                    if (!set_steps(tiles[at])) return TABLE;
                    hold(tiles[at]);
                    stage = STROBE;
                    break;
                case STROBE: {
                    Tile& tile = tiles[at];
                    stage = STREAMS;
                    if (number(tile.strobe)) {
                        set(tile.settled, 0);
                        tile.driven_mode = number(tile.mode);
                        tile.driven.assign(tile.code->at, tile.code->at + tile.code->bytes);
                        tile.to_settle = tile.product_settle;
                        if (!tile.product()) return CELL;
                    } else if (tile.to_settle && !--tile.to_settle) {
                        set(tile.settled, 1);
                    }
                    break;
                }
                case STREAMS:
                    if (++at < tiles.size()) {
                        stage = ANSWER;
                        break;
                    }
                    for (Source& source : sources) source.offer();
                    for (at = 0; at < sinks.size(); ++at) {
                        if (!sinks[at].open || !sinks[at].room) continue;
                        const int broken = sinks[at].take(cycle);
                        if (broken >= 0) return broken;
                    }
                    stage = EDGE;
                    break;
                case EDGE:
                    fall();
                    transfer();
                    rise();
                    stage = BEGIN;
                    break;
            }
        }
    }

    static void answer(Tile& tile) {
        std::memcpy(tile.above->at, tile.is_above, tile.above->bytes);
        std::memcpy(tile.beyond->at, tile.is_beyond, tile.beyond->bytes);
    }

    // Returns whether the thresholds of all ADC steps are known.
    bool set_steps(Tile& tile) {
        seen.assign(tile.step->bytes + PADDING, 0);
        std::memcpy(seen.data(), tile.step->at, tile.step->bytes);
        for (int i = 0; i < STEPS; ++i) {
            const uint64_t step = field(seen.data(), size_t(i) * STEP_BITS, STEP_BITS);
            tile.levelled = tile.levelled && step == tile.steps[i];
            tile.steps[i] = step;
        }
        if (TABLED && !tile.levelled) tile.levelled = tile.set_levels();
        return !TABLED || tile.levelled;
    }

    void hold(Tile& tile) {
        const size_t at = (tile.sampled - tile.first) * GROUPS * CONVERTERS;
        std::memcpy(tile.held, tile.foreseen_held + at, sizeof tile.held);
        tile.note_sample(cycle);
        ++tile.sampled;
        tile.any_held = tile.fresh = true;
    }
};

std::unique_ptr<Bench> bench;

}  // namespace

extern "C" {

// Comparators that are answered within the evaluation of the design; bits in words of 32.
void harness_answer(int tile, unsigned select, const svBitVecVal* trial, svBit,
                    svBitVecVal* above, svBitVecVal* beyond) {
    if (!bench || bench->tiles.empty()) {
        std::memset(above, 0, sizeof(Bits));
        std::memset(beyond, 0, sizeof(Bits));
        return;
    }
    Tile& asked = bench->tiles[tile];
    // What is held from the middle of a cycle on is asked about in the next.
    if (bench->rising && asked.asked(select, trial)) {
        asked.compare();
        asked.note();
    }
    std::memcpy(above, asked.is_above, sizeof(Bits));
    std::memcpy(beyond, asked.is_beyond, sizeof(Bits));
}

uint64_t bench_open() {
    bench = std::make_unique<Bench>();
    return bench->ports.size();
}

const char* bench_port_name(uint64_t port) { return bench->ports[port].name; }
uint64_t bench_port_bits(uint64_t port) { return bench->ports[port].bits; }
uint64_t bench_port_bytes(uint64_t port) { return bench->ports[port].bytes; }

void bench_peek(uint64_t port, uint8_t* bytes) {
    std::memcpy(bytes, bench->ports[port].at, bench->ports[port].bytes);
}

void bench_poke(uint64_t port, const uint8_t* bytes) {
    std::memcpy(bench->ports[port].at, bytes, bench->ports[port].bytes);
}

// Lets cycles pass, whatever the design does.
void bench_pass(uint64_t cycles) {
    while (cycles--) bench->fall(), bench->rise();
}

void bench_begin(uint64_t patience) {
    bench->cycle = bench->quiet = 0;
    bench->patience = patience;
    bench->stage = BEGIN;
    bench->tracing = false;
    bench->sources.clear();
    bench->sinks.clear();
    bench->tiles.clear();
}

void bench_add_source(const char* valid, const char* ready, const char* payload,
                      const uint32_t* pauses, uint64_t count) {
    Source source{bench->port(valid), bench->port(ready), bench->port(payload)};
    source.pauses = {pauses, count};
    set(source.valid, 0);
    bench->sources.push_back(source);
}

void bench_add_sink(const char* valid, const char* ready, const char* payload,
                    const uint32_t* pauses, uint64_t count) {
    Sink sink{bench->port(valid), bench->port(ready), bench->port(payload)};
    sink.pauses = {pauses, count};
    set(sink.ready, 0);
    bench->sinks.push_back(sink);
}

void bench_add_tile(const char* prefix, uint64_t product_settle) {
    auto named = [&](const char* name) { return bench->port(std::string(prefix) + name); };
    Tile tile{};
    tile.mode = named("mode"), tile.code = named("code"), tile.strobe = named("strobe");
    tile.settled = named("settled"), tile.sample = named("sample"), tile.select = named("select");
    tile.step = named("step"), tile.beyond = named("beyond");
    tile.trial = named("trial"), tile.above = named("above");
    tile.product_settle = product_settle;
    for (Port* port : {tile.settled, tile.beyond, tile.above})
        if (port) std::memset(port->at, 0, port->bytes);
    bench->tiles.push_back(tile);
}

// Until `count` is 0, the source has more to come.
void bench_offer(uint64_t source, const uint8_t* payloads, uint64_t count, uint64_t* taken) {
    Source& each = bench->sources[source];
    each.payloads = payloads, each.left = count, each.taken = taken;
    each.open = count;
}

// The sink is full, and `run` returns, after `room` payloads; until then it is closed if 0.
void bench_collect(uint64_t sink, uint8_t* payloads, uint64_t room, uint64_t* offered,
                   uint64_t* taken) {
    Sink& each = bench->sinks[sink];
    each.payloads = payloads, each.room = room, each.offered = offered, each.taken = taken;
    each.open = room;
}

void bench_log(uint64_t tile, uint64_t planes, uint64_t* cycles, uint8_t* codes, int64_t* found) {
    bench->tiles[tile].log = {planes, cycles, codes, found};
}

void bench_foresee(uint64_t tile, uint64_t mode, uint64_t count, const uint8_t* codes,
                   const double* held) {
    Tile& each = bench->tiles[tile];
    each.first = each.sampled, each.stop = each.sampled + count;
    each.foreseen_mode = mode, each.foreseen = codes, each.foreseen_held = held;
}

void bench_set_table(uint64_t tile, uint64_t step, const double* thresholds, const double* ends) {
    bench->tiles[tile].thresholds[step] = thresholds;
    bench->tiles[tile].ends[step] = ends;
}

void bench_answer(uint64_t tile, const bool* above, const bool* beyond) {
    Tile& each = bench->tiles[tile];
    for (int i = 0; i < CONVERTERS; ++i) {
        const uint64_t bit = uint64_t{1} << (i % 64);
        uint64_t &a = each.is_above[i / 64], &b = each.is_beyond[i / 64];
        a = (a & ~bit) | (above[i] ? bit : 0);
        b = (b & ~bit) | (beyond[i] ? bit : 0);
    }
    each.note();
}

void bench_state(uint64_t tile, uint64_t* sampled, uint64_t* mode, uint64_t* steps, double* held,
                 uint8_t* driven, bool* above) {
    const Tile& each = bench->tiles[tile];
    *sampled = each.sampled, *mode = each.driven_mode;
    std::copy_n(each.steps, STEPS, steps);
    std::memcpy(held, each.held, sizeof each.held);
    std::copy(each.driven.begin(), each.driven.end(), driven);
    for (int i = 0; i < CONVERTERS; ++i) above[i] = each.is_above[i / 64] >> (i % 64) & 1;
}

void bench_trace(bool on) { bench->tracing = on; }

// Returns the event.
int bench_run(uint64_t until, uint64_t* cycle) {
    bench->until = until;
    const int event = bench->run();
    *cycle = bench->cycle;
    return event;
}

// Numbers [n][count] of `width` bits in payloads of `bytes` each, from bit `offset` on. Behind the
// last payload, `PADDING` bytes more must be there.

void pack_numbers(const int64_t* numbers, uint64_t n, uint64_t count, uint64_t width,
                  uint64_t offset, uint8_t* payloads, uint64_t bytes) {
    for (; n; --n, payloads += bytes) {
        size_t bit = offset;
        for (uint64_t i = 0; i < count; ++i, ++numbers)
            for (uint64_t done = 0, some; done < width; done += some, bit += some) {
                some = std::min(width - done, MOST_BITS);
                const uint64_t mask = (uint64_t{1} << some) - 1;
                uint64_t word;
                std::memcpy(&word, payloads + bit / 8, sizeof word);
                word |= (uint64_t(*numbers) >> done & mask) << (bit % 8);
                std::memcpy(payloads + bit / 8, &word, sizeof word);
            }
    }
}

void unpack_numbers(const uint8_t* payloads, uint64_t n, uint64_t bytes, uint64_t count,
                    uint64_t width, uint64_t offset, int64_t* numbers) {
    const uint64_t unused = 64 - width;
    for (; n; --n, payloads += bytes) {
        size_t bit = offset;
        for (uint64_t i = 0; i < count; ++i) {
            uint64_t value = 0;
            for (uint64_t done = 0, some; done < width; done += some, bit += some) {
                some = std::min(width - done, MOST_BITS);
                value |= field(payloads, bit, some) << done;
            }
            *numbers++ = int64_t(value << unused) >> unused;
        }
    }
}

}  // extern "C"
