// A controller written by hand: drives four word lines, waits, samples, and searches the codes of
// two ADCs of five bits, which share four columns.
module sar_tile (
  input  logic clk,
  input  logic rst_n,
  // Inputs of a product, taken when `go` is high and `busy` is not.
  input  logic go,
  input  logic [1:0] x [0:3],
  output logic busy,
  // Codes of both ADCs for one channel, for one cycle.
  output logic done,
  output logic signed [4:0] code0,
  output logic signed [4:0] code1,
  // Array.
  output logic [1:0] dac [0:3],
  output logic start_n,
  input  logic ready,
  output logic hold,
  output logic channel,
  output logic signed [4:0] sar0,
  output logic signed [4:0] sar1,
  input  logic [1:0] cmp
);
  typedef enum logic [1:0] {IDLE, SETTLE, SAMPLE, SEARCH} state_t;
  state_t state;
  logic [4:0] weight;
  logic signed [4:0] low0, low1, next0, next1;

  assign busy = state != IDLE;
  assign hold = state == SAMPLE;
  assign sar0 = low0 + weight;
  assign sar1 = low1 + weight;
  assign next0 = cmp[0] ? sar0 : low0;
  assign next1 = cmp[1] ? sar1 : low1;

  always_ff @(posedge clk) begin
    start_n <= 1'b1;
    done <= 1'b0;
    case (state)
      IDLE: if (go) begin
        for (int i = 0; i < 4; i++) dac[i] <= x[i];
        start_n <= 1'b0;
        state <= SETTLE;
      end
      SETTLE: if (start_n && ready) state <= SAMPLE;
      SAMPLE: begin
        channel <= 1'b0;
        weight <= 5'b10000;
        low0 <= -5'sd16;
        low1 <= -5'sd16;
        state <= SEARCH;
      end
      SEARCH: begin
        weight <= weight >> 1;
        low0 <= next0;
        low1 <= next1;
        if (weight[0]) begin
          code0 <= next0;
          code1 <= next1;
          done <= 1'b1;
          weight <= 5'b10000;
          low0 <= -5'sd16;
          low1 <= -5'sd16;
          channel <= 1'b1;
          if (channel) state <= IDLE;
        end
      end
    endcase
    if (!rst_n) begin
      state <= IDLE;
      channel <= 1'b0;
      weight <= 5'b0;
      low0 <= 5'b0;
      low1 <= 5'b0;
      for (int i = 0; i < 4; i++) dac[i] <= 2'b0;
    end
  end
endmodule
