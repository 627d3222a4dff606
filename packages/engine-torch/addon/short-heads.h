#pragma once
// Heads of short sequences, where packing takes longer than the products: plain float32, in the core's caches.
#include "heads.h"

namespace winnow {

/** Rows [rows, 32] → columns: [panels of rows][32 of depth][32 rows], zeros where rows end. */
inline float* transposed(const PanelView& panel, Scratch& scratch) {
  const int64_t panels = ceilDivide(panel.rows, kPanel);
  float* const into = scratch.take<float>(panels * kPanel * kPanel);
  for (int64_t row = 0; row < panels * kPanel; row += kPanel)
    for (int half = 0; half < 2; half++)
      transposeHalf(panel, row, half * kTile, into + row * kPanel + half * kTileElements);
  return into;
}

/** As `attend`. */
template <typename Number>
void attendShort(const AttentionArguments& of, const HeadPanels& heads, const Panels<Number>& panels, int64_t head,
                 int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel), stride = tokens * kPanel;
  float* const scores = scratch.take<float>(keyPanels * stride);
  float* const sums = scratch.take<float>(tokens);
  for (int64_t i = 0; i < heads.narrow(); i++) {
    const PanelView query = widened(gather(panels, heads.query(head, i), first, tokens, scratch), scratch);
    const float* const keys = transposed(widened(gather(panels, heads.key(head, i), first, tokens, scratch), scratch), scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct(RowsOfPanels{query.data, 0}, tokens, query.columns, keys + j * kPanel * kPanel, scores + j * stride, i > 0);
  }
  const Panels<float> powers{scores, tokens};
  exponentiate<PlainLanes>(of, first, powers, 0, tokens, powers, sums);
  float* const panel = scratch.take<float>(stride);
  for (int64_t i = 0; i < heads.wide(); i++) {
    const PanelView values = widened(gather(panels, heads.value(head, i), first, tokens, scratch), scratch);
    plainProduct(RowsOfPanels{scores, stride}, tokens, tokens, values.data, panel);
    divide(panel, sums, tokens);
    scatter(panel, tokens, panels, heads.attended(head, i), first);
  }
}

/** As `headGradient`. */
template <typename Number>
void shortHeadGradient(const AttentionArguments& of, const HeadPanels& heads, const Panels<Number>& kept,
                       const Panels<Number>& attendedGradient, const Panels<Number>& projected, int64_t head,
                       int64_t first, Scratch& scratch) {
  const int64_t tokens = of.tokens, keyPanels = ceilDivide(tokens, kPanel), stride = tokens * kPanel;
  const auto read = [&](HeadColumns of) { return widened(gather(kept, of, first, tokens, scratch), scratch); };
  const auto keysOf = [&](int64_t j) { return std::min(kPanel, tokens - j * kPanel); };
  float* const weights = scratch.take<float>(keyPanels * stride);    // P
  float* const gradients = scratch.take<float>(keyPanels * stride);  // dP, then dS
  float* const sums = scratch.take<float>(tokens);
  float* const delta = scratch.take<float>(tokens);
  std::fill(delta, delta + tokens, 0.0f);
  for (int64_t i = 0; i < heads.narrow(); i++) {
    const PanelView query = read(heads.query(head, i));
    const float* const keys = transposed(read(heads.key(head, i)), scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct(RowsOfPanels{query.data, 0}, tokens, query.columns, keys + j * kPanel * kPanel, weights + j * stride,
                   i > 0);
  }
  for (int64_t i = 0; i < heads.wide(); i++) {
    const PanelView output = widened(gather(attendedGradient, heads.attendedAlone(head, i), first, tokens, scratch), scratch);
    const float* const values = transposed(read(heads.value(head, i)), scratch);
    addDelta(output, read(heads.attended(head, i)), delta);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct(RowsOfPanels{output.data, 0}, tokens, output.columns, values + j * kPanel * kPanel, gradients + j * stride,
                   i > 0);
  }
  const Panels<float> powers{weights, tokens};
  exponentiate<PlainLanes>(of, first, powers, 0, tokens, powers, sums);
  for (int64_t row = 0; row < tokens; row++) sums[row] = inverseOf(sums[row]);
  for (int64_t j = 0; j < keyPanels; j++)
    softmaxGradient(of.scale, sums, delta, tokens, powers.at(j), gradients + j * stride, powers.at(j), gradients + j * stride);

  float* const panel = scratch.take<float>(stride);
  for (int64_t i = 0; i < heads.narrow(); i++) {
    const PanelView query = read(heads.query(head, i)), key = read(heads.key(head, i));
    plainProduct(RowsOfPanels{gradients, stride}, tokens, tokens, key.data, panel);
    scatter(panel, tokens, projected, heads.query(head, i), first);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct(ColumnsOfPanel{gradients + j * stride, kPanel * kPanel}, keysOf(j), tokens, query.data,
                   panel + j * kPanel * kPanel);
    scatter(panel, tokens, projected, heads.key(head, i), first);
  }
  for (int64_t i = 0; i < heads.wide(); i++) {
    const PanelView output = widened(gather(attendedGradient, heads.attendedAlone(head, i), first, tokens, scratch), scratch);
    for (int64_t j = 0; j < keyPanels; j++)
      plainProduct(ColumnsOfPanel{weights + j * stride, kPanel * kPanel}, keysOf(j), tokens, output.data,
                   panel + j * kPanel * kPanel);
    scatter(panel, tokens, projected, heads.value(head, i), first);
  }
}

}  // namespace winnow
