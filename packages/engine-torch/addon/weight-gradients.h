#pragma once
// The gradients of weights and layer scales, which sum over all rows: products of what was packed block by block.
#include "panels.h"

namespace winnow {

/** The gradient of one weight [in, out]: left operand inputᵀ [in panels, rows], right operand dy [rows, out panels]. */
template <typename Arithmetic>
struct WeightGradient {
  Left<Arithmetic> input;
  Right<Arithmetic> output;
  Columns in, out;
  float* gradient;
};

/**
 * All gradients of a sub-layer's weights at once. A unit of work is a square of panels whose operands, for some of the
 * depth, fit into the core's second cache together: each is read from further away once a unit.
 */
template <typename Arithmetic>
void multiplyGradients(int threads, std::initializer_list<WeightGradient<Arithmetic>> gradients) {
  constexpr int64_t kDepth = 8;  // tiles at a time
  struct Unit {
    const WeightGradient<Arithmetic>* of;
    int64_t in, ins, out, outs;
  };
  std::vector<Unit> units;
  // A whole side of a small model's weight, where operands are half as wide as float32.
  constexpr int64_t kMostPanels = isRounded<Arithmetic> ? 12 : 8;
  for (int64_t group : {kMostPanels, int64_t{8}, int64_t{4}, int64_t{2}, int64_t{1}}) {
    units.clear();
    for (const WeightGradient<Arithmetic>& each : gradients)
      for (int64_t out = 0; out < each.out.panels(); out += group)
        for (int64_t in = 0; in < each.in.panels(); in += group)
          units.push_back({&each, in, std::min(group, each.in.panels() - in), out,
                           std::min(group, each.out.panels() - out)});
    if (static_cast<int64_t>(units.size()) >= 2 * threads) break;
  }
  parallelFor<Arithmetic>(threads, static_cast<int64_t>(units.size()), [&](int64_t index, Scratch& scratch) {
    const auto& [of, in, ins, out, outs] = units[index];
    const int64_t elements = ins * kPanel * kPanel, rows = (ins - 1) * kPanel + of->in.count(in + ins - 1);
    float* const sums = scratch.take<float>(outs * elements);
    const int64_t depth = of->output.depthTiles;
    for (int64_t first = 0; first < depth; first += kDepth) {
      const DepthRange range{first, std::min(kDepth, depth - first)};
      for (int64_t j = 0; j < outs; j++)
        product(of->input, in * 2, rows, of->output, out + j, range, sums + j * elements, first > 0);
    }
    const int64_t stride = of->out.total();
    const int64_t width = std::min(outs * kPanel, stride - of->out.first(out));
    for (int64_t row = 0; row < rows; row++) {
      float* const to = of->gradient + (of->in.first(in) + row) * stride + of->out.first(out);
      const float* from = sums + row * kPanel;
      for (int64_t column = 0; column < width; column += kPanel, from += elements) {
        for (int64_t at = column; at < column + kPanel; at += kLanes)
          storeFirst(to + at, load(from + at - column), width - at);
      }
    }
  });
}

/**
 * The gradients of a layer's weight W and bias b from those of what it multiplied by, W∘s and b∘s, in place; and that of
 * the layer scale s [out]: ds = Σ W∘d(W∘s) + b∘d(b∘s), over the rows of W. Nothing where the layer has none.
 */
template <typename Arithmetic>
void takeScale(const Weight& layer, int threads, float* weightGradient, float* biasGradient, float* scaleGradient) {
  if (layer.scale == nullptr) return;
  const int64_t stride = layer.out.total();
  parallelFor<Arithmetic>(threads, layer.out.panels(), [&](int64_t panel, Scratch&) {
    for (int64_t column = 0; column < layer.out.count(panel); column += kLanes) {
      const int64_t at = layer.out.first(panel) + column, there = layer.out.count(panel) - column;
      const Lanes scale = loadFirst(layer.scale + at, there), ofBias = loadFirst(biasGradient + at, there);
      Lanes sum = ofBias * loadFirst(layer.bias + at, there);
      storeFirst(biasGradient + at, ofBias * scale, there);
      for (int64_t row = 0; row < layer.in.total(); row++) {
        float* const to = weightGradient + row * stride + at;
        const Lanes ofWeight = loadFirst(to, there);
        sum += ofWeight * loadFirst(layer.weight + row * stride + at, there);
        storeFirst(to, ofWeight * scale, there);
      }
      storeFirst(scaleGradient + at, sum, there);
    }
  });
}

}  // namespace winnow
