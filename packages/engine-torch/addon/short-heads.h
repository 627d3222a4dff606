#pragma once
// Heads of short sequences, where packing tiles takes longer than the products: plain float32, in the core's first cache.
#include "heads.h"

namespace winnow {

/** From here on tiles are faster. */
constexpr int64_t kShortSequence = 48;

/** An operand read number by number: (row, depth) at data + row·rowStride + depth·depthStride. */
struct Strided {
  const float* data;
  int64_t rowStride, depthStride;
};

template <int rows>
void plainRows(const Strided& left, int64_t depth, const float* right, float* out, bool adds) {
  Lanes low[rows], high[rows];
  for (int row = 0; row < rows; row++) {
    low[row] = adds ? load(out + row * kPanel) : Lanes{};
    high[row] = adds ? load(out + row * kPanel + kLanes) : Lanes{};
  }
  for (int64_t k = 0; k < depth; k++) {
    const Lanes rightLow = load(right + k * kPanel), rightHigh = load(right + k * kPanel + kLanes);
    for (int row = 0; row < rows; row++) {
      const float factor = left.data[row * left.rowStride + k * left.depthStride];
      low[row] += rightLow * factor;
      high[row] += rightHigh * factor;
    }
  }
  for (int row = 0; row < rows; row++) {
    store(out + row * kPanel, low[row]);
    store(out + row * kPanel + kLanes, high[row]);
  }
}

/** out [rows, 32] (+)= left [rows, depth] × right [depth, 32]. */
inline void plainProduct(Strided left, int64_t rows, int64_t depth, const float* right, float* out, bool adds = false) {
  constexpr int kRows = 6;  // twelve sums, two numbers of the right and one of the left: half of the registers
  int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    plainRows<kRows>({left.data + row * left.rowStride, left.rowStride, left.depthStride}, depth, right,
                     out + row * kPanel, adds);
  }
  for (; row < rows; row++) {
    plainRows<1>({left.data + row * left.rowStride, left.rowStride, left.depthStride}, depth, right,
                 out + row * kPanel, adds);
  }
}

/** Rows [rows, 32] → columns: [panels of rows][32 of depth][32 rows], zeros where rows end. */
inline float* transposed(const PanelView& panel, Scratch& scratch) {
  const int64_t panels = ceilDivide(panel.rows, kPanel);
  float* const into = scratch.take<float>(panels * kPanel * kPanel);
  for (int64_t row = 0; row < panels * kPanel; row += kTile) {
    for (int half = 0; half < 2; half++) {
      __m512i words[16];
      for (int i = 0; i < 16; i++) words[i] = _mm512_castps_si512(panel.half(row + i, half));
      tiles::transpose(words);
      float* const to = into + row / kPanel * kPanel * kPanel + half * kLanes * kPanel + row % kPanel;
      for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * kPanel, words[i]);
    }
  }
  return into;
}

/** As `attend`. */
template <typename Number>
void attendShort(const AttentionArguments& of, const HeadPanels& heads, const Panels<Number>& panels, int64_t head,
                 int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel), stride = tokens * kPanel;
  float* const scores = scratch.take<float>(keyPanels * stride);
  float* const sums = scratch.take<float>(tokens);
  for (int64_t i = 0; i < heads.narrow; i++) {
    const PanelView query = viewOf(panels, heads.query(head) + i, first, tokens, kPanel, scratch);
    const float* const keys = transposed(viewOf(panels, heads.key(head) + i, first, tokens, kPanel, scratch), scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct({query.data, kPanel, 1}, tokens, kPanel, keys + j * kPanel * kPanel, scores + j * stride, i > 0);
  }
  exponentiate(of, scores, 0, tokens, stride, sums);
  float* const panel = scratch.take<float>(stride);
  for (int64_t i = 0; i < heads.wide; i++) {
    const PanelView values = viewOf(panels, heads.value(head) + i, first, tokens, kPanel, scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct({scores + j * stride, kPanel, 1}, tokens, std::min(kPanel, tokens - j * kPanel),
                   values.data + j * kPanel * kPanel, panel, j > 0);
    storeDivided(panel, sums, tokens, panels.at(heads.attended(head) + i, first));
  }
}

/** As `headGradient`. */
template <typename Number>
void shortHeadGradient(const AttentionArguments& of, const HeadPanels& heads, const Panels<Number>& kept,
                       const Panels<float>& attendedGradient, const Panels<float>& projected, int64_t head,
                       int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel), stride = tokens * kPanel;
  const auto read = [&](int64_t panel) { return viewOf(kept, panel, first, tokens, kPanel, scratch); };
  const auto keysOf = [&](int64_t j) { return std::min(kPanel, tokens - j * kPanel); };
  float* const weights = scratch.take<float>(keyPanels * stride);    // P
  float* const gradients = scratch.take<float>(keyPanels * stride);  // dP, then dS
  float* const sums = scratch.take<float>(tokens);
  float* const delta = scratch.take<float>(tokens);
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow; i++) {
    const PanelView query = read(heads.query(head) + i);
    const float* const keys = transposed(read(heads.key(head) + i), scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct({query.data, kPanel, 1}, tokens, kPanel, keys + j * kPanel * kPanel, weights + j * stride, i > 0);
  }
  for (int64_t i = 0; i < heads.wide; i++) {
    const PanelView output = viewOf(attendedGradient, head * heads.wide + i, first, tokens, kPanel, scratch);
    const float* const values = transposed(read(heads.value(head) + i), scratch);
    addDelta(output, read(heads.attended(head) + i), delta);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct({output.data, kPanel, 1}, tokens, kPanel, values + j * kPanel * kPanel, gradients + j * stride,
                   i > 0);
  }
  exponentiate(of, weights, 0, tokens, stride, sums);
  for (int64_t row = 0; row < tokens; row++) sums[row] = 1.0f / sums[row];
  for (int64_t j = 0; j < keyPanels; j++)
    softmaxGradient(of.scale, sums, delta, tokens, weights + j * stride, gradients + j * stride);

  for (int64_t i = 0; i < heads.narrow; i++) {
    const PanelView query = read(heads.query(head) + i), key = read(heads.key(head) + i);
    for (int64_t j = 0; j < keyPanels; j++) {
      plainProduct({gradients + j * stride, kPanel, 1}, tokens, keysOf(j), key.data + j * kPanel * kPanel,
                   projected.at(heads.query(head) + i, first), j > 0);
      plainProduct({gradients + j * stride, 1, kPanel}, keysOf(j), tokens, query.data,
                   projected.at(heads.key(head) + i, first + j * kPanel));
    }
  }
  for (int64_t i = 0; i < heads.wide; i++) {
    const PanelView output = viewOf(attendedGradient, head * heads.wide + i, first, tokens, kPanel, scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct({weights + j * stride, 1, kPanel}, keysOf(j), tokens, output.data,
                   projected.at(heads.value(head) + i, first + j * kPanel));
  }
}

}  // namespace winnow
