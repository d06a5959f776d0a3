// Drives two Verilated models of one interface alike and compares every output in every cycle.
//
// `ports.h`, which `equivalence.py` generates, defines `inputs`, `outputs`, `sources`, `sinks`,
// `timelines`, `settlings`, `traces` and `connect`. Arguments: cycles, seed, folder of the stimuli
// and logs.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vnew.h"
#include "Vold.h"

double sc_time_stamp() { return 0; }

static Vold* before;
static Vnew* after;

struct Port {
    const char* name;
    int width;
    size_t bytes;  // Of its Verilated type, which is little-endian like the words of a stimulus.
    void* before;
    void* after;
};

// Stream into the design: `valid` and `payload` are inputs, `ready` an output.
struct Source {
    const char* name;
    int valid, ready;
    std::vector<int> payload;
};

// Stream out of the design: `valid` and `payload` are outputs, `ready` an input.
struct Sink {
    const char* name;
    int valid, ready;
    std::vector<int> payload;
};

// Input of one bit that follows a list of durations, high first.
struct Timeline {
    const char* name;
    int port;
};

// Input of one bit that falls when `strobe`, an output, is high, rises some time later and stays.
struct Settling {
    int settled, strobe;
};

// Output of one bit that is written as such a list.
struct Trace {
    const char* name;
    int port;
    FILE* file;
    bool level;
    uint32_t duration;
};

#include "ports.h"

static uint64_t state;

static uint32_t draw() {  // splitmix64
    uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return uint32_t((z ^ (z >> 31)) >> 32);
}

static bool happens(double share) { return draw() < share * 4294967296.0; }

// Share of cycles in which something happens: mostly often, now and then hardly ever.
static double draw_share() {
    static const double shares[] = {1, 1, 1, 0.9, 0.5, 0.5, 0.1, 0.02};
    return shares[draw() % 8];
}

static int words(const Port& port) { return (port.width + 31) / 32; }

static void put(const Port& port, const uint32_t* value) {
    memcpy(port.before, value, port.bytes);
    memcpy(port.after, value, port.bytes);
}

static void put_bit(const Port& port, bool value) {
    uint32_t word = value;
    memcpy(port.before, &word, port.bytes);
    memcpy(port.after, &word, port.bytes);
}

static bool bit(const Port& port) { return *static_cast<uint8_t*>(port.before) & 1; }

// Random bits, each set with a share of its own for the whole port.
static void put_random(const Port& port, double share) {
    std::vector<uint32_t> value(words(port) + 1);
    for (int i = 0; i < port.width; i++)
        if (happens(share)) value[i / 32] |= 1u << (i % 32);
    put(port, value.data());
}

static std::vector<uint32_t> load(const std::string& path) {
    std::vector<uint32_t> values;
    if (FILE* file = fopen(path.c_str(), "rb")) {
        uint32_t word;
        while (fread(&word, 4, 1, file) == 1) values.push_back(word);
        fclose(file);
    }
    return values;
}

static void print(const Port& port, const void* value) {
    for (size_t i = port.bytes; i-- > 0;) printf("%02x", static_cast<const uint8_t*>(value)[i]);
}

// Feeds one stream: the rows of its stimulus, a pause and the payload each, or random payloads.
struct Feeder {
    const Source* source;
    std::vector<uint32_t> rows;
    size_t at = 0;
    uint32_t pause = 0;
    bool offered = false, fresh = true;
    double share = 1;
    uint64_t transfers = 0;

    void drive() {
        if (!offered) {
            if (fresh && !rows.empty()) pause = rows[at];
            fresh = false;
            if (pause)
                pause--;
            else if (happens(share))
                offer();
        }
        put_bit(inputs[source->valid], offered);
    }

    void offer() {
        offered = true;
        at += !rows.empty();
        for (int index : source->payload) {
            const Port& port = inputs[index];
            if (rows.empty()) {
                put_random(port, 0.5);
                continue;
            }
            std::vector<uint32_t> value(rows.begin() + at, rows.begin() + at + words(port));
            value.push_back(0);
            put(port, value.data());
            at += words(port);
        }
        if (at == rows.size()) at = 0;
    }

    void settle() {
        if (!offered || !bit(outputs[source->ready])) return;
        offered = false;
        fresh = true;
        transfers++;
    }
};

int main(int argc, char** argv) {
    uint64_t cycles = strtoull(argv[1], nullptr, 10);
    state = strtoull(argv[2], nullptr, 10);
    std::string folder = std::string(argv[3]) + "/";
    before = new Vold;
    after = new Vnew;
    connect();

    std::vector<bool> driven(inputs.size());
    std::vector<Feeder> feeders;
    for (const Source& source : sources) {
        feeders.push_back({&source, load(folder + source.name + ".rows")});
        driven[source.valid] = true;
        for (int index : source.payload) driven[index] = true;
    }
    std::vector<std::vector<uint32_t>> durations;
    std::vector<size_t> reached(timelines.size());
    std::vector<uint32_t> left(timelines.size());
    for (const Timeline& line : timelines) {
        durations.push_back(load(folder + line.name + ".durations"));
        driven[line.port] = true;
        put_bit(inputs[line.port], true);
    }
    for (const Settling& array : settlings) driven[array.settled] = true;
    std::vector<FILE*> logs;
    std::vector<uint64_t> taken(sinks.size());
    for (const Sink& sink : sinks)
        logs.push_back(fopen((folder + sink.name + ".log").c_str(), "wb"));

    for (Trace& line : traces) line.file = fopen((folder + line.name + ".durations").c_str(), "wb");

    std::vector<double> shares(inputs.size(), 1);
    std::vector<std::vector<uint8_t>> ones, zeros;
    for (const Port& port : outputs) {
        ones.emplace_back(port.bytes);
        zeros.emplace_back(port.bytes);
    }
    uint64_t resets = 0, differences = 0;
    // Valid of the stream that a port is a payload of, or none.
    std::vector<int> valid(outputs.size(), -1);
    for (const Sink& sink : sinks)
        for (int index : sink.payload) valid[index] = sink.valid;
    uint32_t epoch = 0;
    for (uint64_t cycle = 0; cycle < cycles && differences < 20; cycle++) {
        if (!epoch--) {
            epoch = 64 + draw() % 448;
            for (double& share : shares) share = draw_share();
            for (Feeder& feeder : feeders) feeder.share = draw_share();
        }
        bool reset = cycle < 2 || draw() % (cycles / 2 + 1) == 0;
        resets += reset;
        before->rst = after->rst = reset;
        for (Feeder& feeder : feeders) feeder.drive();
        for (size_t i = 0; i < timelines.size(); i++) {
            if (durations[i].empty()) continue;
            while (!left[i]) {
                put_bit(inputs[timelines[i].port], reached[i] % 2 == 0);
                left[i] = durations[i][reached[i]];
                reached[i] = (reached[i] + 1) % durations[i].size();
            }
            left[i]--;
        }
        for (size_t i = 0; i < inputs.size(); i++)
            if (!driven[i]) put_random(inputs[i], shares[i]);
        for (const Settling& array : settlings) {
            bool settled = bit(inputs[array.settled]) || happens(shares[array.settled]);
            put_bit(inputs[array.settled], settled && !bit(outputs[array.strobe]));
        }

        before->clk = after->clk = 0;
        before->eval();
        after->eval();
        for (size_t i = 0; i < outputs.size(); i++) {
            const Port& port = outputs[i];
            const uint8_t* value = static_cast<const uint8_t*>(port.before);
            for (size_t b = 0; b < port.bytes; b++) {
                ones[i][b] |= value[b];
                zeros[i][b] |= ~value[b];
            }
            if (valid[i] >= 0 && !bit(outputs[valid[i]])) continue;
            if (!memcmp(port.before, port.after, port.bytes)) continue;
            differences++;
            printf("difference cycle %llu %s old ", (unsigned long long)cycle, port.name);
            print(port, port.before);
            printf(" new ");
            print(port, port.after);
            printf("\n");
        }
        for (Feeder& feeder : feeders) feeder.settle();
        for (size_t i = 0; i < sinks.size(); i++) {
            if (!bit(outputs[sinks[i].valid])) continue;
            if (sinks[i].ready >= 0 && !bit(inputs[sinks[i].ready])) continue;
            taken[i]++;
            for (int index : sinks[i].payload) {
                std::vector<uint32_t> value(words(outputs[index]) + 1);
                memcpy(value.data(), outputs[index].before, outputs[index].bytes);
                fwrite(value.data(), 4, words(outputs[index]), logs[i]);
            }
        }
        for (Trace& line : traces) {
            if (bit(outputs[line.port]) != line.level) {
                fwrite(&line.duration, 4, 1, line.file);
                line.level = !line.level;
                line.duration = 0;
            }
            line.duration++;
        }
        before->clk = after->clk = 1;
        before->eval();
        after->eval();
    }

    for (FILE* log : logs) fclose(log);
    for (Trace& line : traces) {
        fwrite(&line.duration, 4, 1, line.file);
        fclose(line.file);
    }
    for (const Feeder& feeder : feeders)
        printf("into %s %llu\n", feeder.source->name, (unsigned long long)feeder.transfers);
    for (size_t i = 0; i < sinks.size(); i++)
        printf("out %s %llu\n", sinks[i].name, (unsigned long long)taken[i]);
    printf("resets %llu\n", (unsigned long long)resets);
    for (size_t i = 0; i < outputs.size(); i++) {
        int toggled = 0;
        for (int b = 0; b < outputs[i].width; b++)
            toggled += ones[i][b / 8] >> (b % 8) & zeros[i][b / 8] >> (b % 8) & 1;
        printf("toggled %s %d of %d\n", outputs[i].name, toggled, outputs[i].width);
    }
    printf("differences %llu\n", (unsigned long long)differences);
    return differences != 0;
}
