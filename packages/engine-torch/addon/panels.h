#pragma once
// What the fused sub-layers are written in: matrices as panels, rows in blocks, weights packed once per call.
#include <cmath>
#include <type_traits>

#include "parallel.h"
#include "tiles.h"

namespace winnow {

/** How the columns of a matrix fall into panels: every group (a head) begins a panel of its own. */
struct Columns {
  int64_t groups, width;

  int64_t total() const { return groups * width; }
  int64_t panelsPerGroup() const { return ceilDivide(width, kPanel); }
  int64_t panels() const { return groups * panelsPerGroup(); }
  int64_t first(int64_t panel) const {
    return panel / panelsPerGroup() * width + panel % panelsPerGroup() * kPanel;
  }
  int64_t count(int64_t panel) const { return std::min(kPanel, width - panel % panelsPerGroup() * kPanel); }
};

/** The rows of all sequences, cut into blocks of some multiple of 32 that keep the threads equally busy. */
struct RowBlocks {
  int64_t rows, blocks;

  static RowBlocks of(int64_t rows, int threads, int64_t rowsPerBlock = 128) {
    const int64_t units = ceilDivide(rows, kPanel);
    const int64_t wanted = roundUp(ceilDivide(rows, rowsPerBlock), threads);
    return {rows, std::max<int64_t>(1, std::min(units, wanted))};
  }
  int64_t units() const { return ceilDivide(rows, kPanel); }
  int64_t first(int64_t block) const { return units() * block / blocks * kPanel; }
  int64_t count(int64_t block) const { return std::min(first(block + 1), rows) - first(block); }
  int64_t largest() const { return ceilDivide(units(), blocks) * kPanel; }
};

/** A matrix panel by panel: [panels][rows][32]. Columns that do not exist hold zeros or whatever a product left there. */
template <typename Number>
struct Panels {
  Number* data;
  int64_t rows;

  Number* at(int64_t panel, int64_t row = 0) const { return data + (panel * rows + row) * kPanel; }
};

/** What the backward pass needs again is kept as it was multiplied. */
template <int planes>
using Kept = std::conditional_t<planes == 1, Bf16, float>;

inline Lanes loadNumbers(const float* from) { return load(from); }
inline Lanes loadNumbers(const Bf16* from) {
  return (Lanes)tiles::widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline void storeNumbers(float* to, Lanes lanes) { store(to, lanes); }
inline void storeNumbers(Bf16* to, Lanes lanes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)lanes));
}

inline Lanes loadFirst(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
  return count <= 0 ? Lanes{} : (Lanes)_mm512_maskz_loadu_ps((1u << count) - 1, from);
}
inline void storeFirst(float* to, Lanes lanes, int64_t count) {
  if (count >= kLanes) store(to, lanes);
  else if (count > 0) _mm512_mask_storeu_ps(to, (1u << count) - 1, (__m512)lanes);
}

/** Some rows of one kept panel as float32. */
inline PanelView viewOf(const Panels<float>& kept, int64_t panel, int64_t row, int64_t rows, int64_t columns,
                        Scratch&) {
  return {kept.at(panel, row), kPanel, rows, columns};
}
inline PanelView viewOf(const Panels<Bf16>& kept, int64_t panel, int64_t row, int64_t rows, int64_t columns,
                        Scratch& scratch) {
  float* const wide = scratch.take<float>(rows * kPanel);
  const Bf16* const from = kept.at(panel, row);
  for (int64_t i = 0; i < rows * kPanel; i += kLanes) store(wide + i, loadNumbers(from + i));
  return {wide, kPanel, rows, columns};
}

template <int planes>
Left<planes> takeLeft(Scratch& scratch, int64_t rows, int64_t depthTiles) {
  // Transposed packing writes whole panels.
  const int64_t wholeRows = roundUp(rows, kPanel);
  return {scratch.take<Bf16>(Left<planes>::elements(wholeRows, depthTiles * kPanel)), depthTiles};
}

template <int planes>
Right<planes> takeRight(Scratch& scratch, int64_t depthTiles, int64_t panels) {
  return {scratch.take<Bf16>(Right<planes>::elements(depthTiles * kPanel, panels * kPanel)), depthTiles};
}

/** A layer's weight [in, out] and bias [out], with the panels that its columns on either side fall into. */
struct Weight {
  const float* weight;
  const float* bias;
  Columns in, out;
};

/** Panel `panel` of the weight as a right operand: x·W. */
template <int planes>
void packWeight(const Weight& layer, const Right<planes>& right, int64_t panel) {
  const int64_t stride = layer.out.total();
  for (int64_t depth = 0; depth < layer.in.panels(); depth++) {
    const float* const corner = layer.weight + layer.in.first(depth) * stride + layer.out.first(panel);
    packRight<planes>({corner, stride, layer.in.count(depth), layer.out.count(panel)}, right, panel, depth);
  }
}

/** Panel `panel` of the transposed weight as a right operand: dy·Wᵀ. Its depth begins at tile `firstDepth` of `right`. */
template <int planes>
void packWeightTransposed(const Weight& layer, const Right<planes>& right, int64_t panel, int64_t firstDepth = 0) {
  const int64_t stride = layer.out.total();
  for (int64_t depth = 0; depth < layer.out.panels(); depth++) {
    const float* const corner = layer.weight + layer.in.first(panel) * stride + layer.out.first(depth);
    packRightTransposed<planes>({corner, stride, layer.in.count(panel), layer.out.count(depth)}, right,
                                firstDepth + depth, panel);
  }
}

/** y = x + product + bias, for one panel [rows, 32] of the product; x and y are [rows, out]. */
inline void addResidual(const Weight& layer, int64_t panel, const float* product, int64_t rows, const float* x,
                        float* y) {
  const int64_t stride = layer.out.total(), first = layer.out.first(panel), columns = layer.out.count(panel);
  for (int half = 0; half < 2; half++) {
    const int64_t at = first + half * kLanes, there = columns - half * kLanes;
    const Lanes bias = loadFirst(layer.bias + at, there);
    for (int64_t row = 0; row < rows; row++) {
      const Lanes sum = load(product + row * kPanel + half * kLanes) + bias;
      storeFirst(y + row * stride + at, loadFirst(x + row * stride + at, there) + sum, there);
    }
  }
}

/** The gradient of one weight [in, out]: left operand inputᵀ [in panels, rows], right operand dy [rows, out panels]. */
template <int planes>
struct WeightGradient {
  Left<planes> input;
  Right<planes> output;
  Columns in, out;
  float* gradient;
};

/**
 * All gradients of a sub-layer's weights at once. A unit of work is a square of panels whose operands, for some of the depth,
 * fit into the core's second cache together: each is read from further away once a unit.
 */
template <int planes>
void multiplyGradients(int threads, std::initializer_list<WeightGradient<planes>> gradients) {
  constexpr int64_t kDepth = 8;  // tiles at a time
  struct Unit {
    const WeightGradient<planes>* of;
    int64_t in, ins, out, outs;
  };
  std::vector<Unit> units;
  for (int64_t group : {8, 4, 2, 1}) {
    units.clear();
    for (const WeightGradient<planes>& each : gradients)
      for (int64_t out = 0; out < each.out.panels(); out += group)
        for (int64_t in = 0; in < each.in.panels(); in += group)
          units.push_back({&each, in, std::min(group, each.in.panels() - in), out,
                           std::min(group, each.out.panels() - out)});
    if (static_cast<int64_t>(units.size()) >= 2 * threads) break;
  }
  parallelFor<TileSession>(threads, static_cast<int64_t>(units.size()), [&](int64_t index, Scratch& scratch) {
    const auto& [of, in, ins, out, outs] = units[index];
    const int64_t elements = ins * kPanel * kPanel;
    float* const sums = scratch.take<float>(outs * elements);
    const int64_t depth = of->output.depthTiles;
    for (int64_t first = 0; first < depth; first += kDepth) {
      const DepthRange range{first, std::min(kDepth, depth - first)};
      for (int64_t j = 0; j < outs; j++)
        product<planes>(of->input, in * 2, ins * 2, of->output, out + j, range, sums + j * elements, first > 0);
    }
    const int64_t stride = of->out.total();
    for (int64_t j = 0; j < outs; j++) {
      const int64_t columns = of->out.count(out + j);
      for (int64_t i = 0; i < ins; i++) {
        float* to = of->gradient + of->in.first(in + i) * stride + of->out.first(out + j);
        const float* from = sums + j * elements + i * kPanel * kPanel;
        for (int64_t row = 0; row < of->in.count(in + i); row++, to += stride, from += kPanel) {
          storeFirst(to, load(from), columns);
          storeFirst(to + kLanes, load(from + kLanes), columns - kLanes);
        }
      }
    }
  });
}

/** Sums over the rows of each block, one line of `width` numbers a block, added up at the end in the blocks' order. */
struct ColumnSums {
  float* lines;
  int64_t width, blocks;

  static ColumnSums take(Scratch& scratch, int64_t width, int64_t blocks) {
    const int64_t padded = roundUp(width, kPanel);
    return {scratch.take<float>(padded * blocks), padded, blocks};
  }
  float* line(int64_t block) const { return lines + block * width; }

  /** The sum over the panel's rows becomes what the line says from `column` on. */
  void set(int64_t block, int64_t column, const PanelView& panel) const {
    Lanes low{}, high{};
    for (int64_t row = 0; row < panel.rows; row++) {
      low += (Lanes)panel.half(row, 0);
      high += (Lanes)panel.half(row, 1);
    }
    storeFirst(line(block) + column, low, panel.columns);
    storeFirst(line(block) + column + kLanes, high, panel.columns - kLanes);
  }

  void finish(float* total, int64_t count) const {
    for (int64_t i = 0; i < count; i++) {
      float sum = 0;
      for (int64_t block = 0; block < blocks; block++) sum += line(block)[i];
      total[i] = sum;
    }
  }
};

}  // namespace winnow
