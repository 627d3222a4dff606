#pragma once
// Layer normalisation over the rows of a block, on the way into a sub-layer and back out of it.
#include "panels.h"

namespace winnow {

struct Norm {
  const float* weight;
  const float* bias;
  int64_t dim;
  float epsilon;
};

/** Rows of x, normalised: (x − mean)/deviation, [rows, stride], zeros behind `dim`; and 1/deviation of each. */
struct Normalized {
  float* rows;
  float* inverseDeviation;
  int64_t stride;

  static Normalized take(Scratch& scratch, int64_t rows, int64_t dim) {
    const int64_t stride = roundUp(dim, kPanel);
    return {scratch.take<float>(rows * stride), scratch.take<float>(rows), stride};
  }
  float* row(int64_t index) const { return rows + index * stride; }
};

/** Asks for numbers that are wanted soon, from further away than the core's caches. */
inline void fetch(const float* numbers, int64_t count) {
  constexpr int64_t kLine = 16;
  for (int64_t i = 0; i < count; i += kLine) __builtin_prefetch(numbers + i, 0, 2);
}

/** Mean and 1/deviation of one row. */
struct RowMoments {
  float mean, inverseDeviation;

  static RowMoments of(const Norm& norm, const float* x) {
    const int64_t dim = norm.dim;
    // Four sums at a time: one would wait for itself.
    const auto sumOfAll = [&](auto numbersAt) {
      Lanes sums[4] = {};
      int64_t i = 0;
      for (; i + 4 * kLanes <= dim; i += 4 * kLanes)
        for (int part = 0; part < 4; part++) sums[part] += numbersAt(i + part * kLanes);
      for (; i < dim; i += kLanes) sums[0] += numbersAt(i);
      return sumOf((sums[0] + sums[1]) + (sums[2] + sums[3]));
    };
    const float mean = sumOfAll([&](int64_t i) { return loadFirst(x + i, dim - i); }) / static_cast<float>(dim);
    const float squares = sumOfAll([&](int64_t i) {
      const Lanes centered = firstLanes(dim - i) ? loadFirst(x + i, dim - i) - mean : Lanes{};
      return centered * centered;
    });
    return {mean, 1.0f / std::sqrt(squares / static_cast<float>(dim) + norm.epsilon)};
  }
};

/** @param beside other rows of that width, null for none, which are wanted soon after and asked for meanwhile */
inline void normalize(const Norm& norm, const float* x, int64_t rows, const Normalized& into,
                      const float* beside = nullptr) {
  const int64_t dim = norm.dim;
  for (int64_t row = 0; row < rows; row++, x += dim) {
    if (beside != nullptr) fetch(beside + row * dim, dim);
    float* const normalized = into.row(row);
    const RowMoments moments = RowMoments::of(norm, x);
    for (int64_t i = 0; i < into.stride; i += kLanes) {
      const Lanes centered = firstLanes(dim - i) ? loadFirst(x + i, dim - i) - moments.mean : Lanes{};
      store(normalized + i, centered * moments.inverseDeviation);
    }
    into.inverseDeviation[row] = moments.inverseDeviation;
  }
}

/** The norm's output, normalised·weight + bias, in panels; zeros behind `dim`. */
template <typename Number>
void normalizeInto(const Norm& norm, const float* x, int64_t rows, const Panels<Number>& into) {
  const int64_t dim = norm.dim;
  for (int64_t row = 0; row < rows; row++, x += dim) {
    const RowMoments moments = RowMoments::of(norm, x);
    for (int64_t i = 0; i < dim; i += kPanel) {
      Number* const to = into.at(i / kPanel, row);
      for (int64_t at = i; at < i + kPanel; at += kLanes) {
        const int64_t there = dim - at;
        const Lanes normalized = (loadFirst(x + at, there) - moments.mean) * moments.inverseDeviation;
        storeNumbers(to + at - i, normalized * loadFirst(norm.weight + at, there) + loadFirst(norm.bias + at, there));
      }
    }
  }
}

/** One panel of the norm's output, normalised·weight + bias, into [rows, 32]. */
template <typename Number>
PanelOf<Number> scaledPanel(const Norm& norm, const Normalized& normalized, int64_t panel, int64_t rows, Number* into) {
  const int64_t column = panel * kPanel;
  for (int64_t first = 0; first < kPanel; first += kLanes) {
    const int64_t at = column + first;
    const Lanes weight = loadFirst(norm.weight + at, norm.dim - at);
    const Lanes bias = loadFirst(norm.bias + at, norm.dim - at);
    for (int64_t row = 0; row < rows; row++)
      storeNumbers(into + row * kPanel + first, load(normalized.row(row) + at) * weight + bias);
  }
  return {into, kPanel, rows, std::min(kPanel, norm.dim - column)};
}

/** Sums for the gradients of a norm's weight and bias. */
struct NormSums {
  ColumnSums weight, bias;

  static NormSums take(Scratch& scratch, int64_t dim, int64_t blocks) {
    return {ColumnSums::take(scratch, dim, blocks), ColumnSums::take(scratch, dim, blocks)};
  }
};

/**
 * Takes one panel [rows, 32] of the gradient of the norm's output: adds to the sums of weight and bias, and leaves
 * gradient·weight in `scaled` (of the shape of `normalized`).
 */
inline void takeGradientPanel(const Norm& norm, const Normalized& normalized, int64_t panel, int64_t rows,
                              const float* gradient, float* scaled, const NormSums& sums, int64_t block) {
  for (int64_t first = 0; first < kPanel; first += kLanes) {
    const int64_t at = panel * kPanel + first;
    const int64_t there = norm.dim - at;
    const Lanes weight = loadFirst(norm.weight + at, there);
    Lanes weightSum{}, biasSum{};
    for (int64_t row = 0; row < rows; row++) {
      const Lanes dy = load(gradient + row * kPanel + first);
      weightSum += dy * load(normalized.row(row) + at);
      biasSum += dy;
      store(scaled + row * normalized.stride + at, dy * weight);
    }
    storeFirst(sums.weight.line(block) + at, weightSum, there);
    storeFirst(sums.bias.line(block) + at, biasSum, there);
  }
}

/** dx = residual + the gradient through the norm, from gradient·weight in `scaled`. */
inline void normGradient(const Norm& norm, const Normalized& normalized, const float* scaled, int64_t rows,
                         const float* residual, float* dx) {
  const int64_t dim = norm.dim;
  const float share = 1.0f / static_cast<float>(dim);
  for (int64_t row = 0; row < rows; row++, residual += dim, dx += dim) {
    const float* const hat = normalized.row(row);
    const float* const g = scaled + row * normalized.stride;
    Lanes sum{}, projection{};
    for (int64_t i = 0; i < normalized.stride; i += kLanes) {
      sum += load(g + i);
      projection += load(g + i) * load(hat + i);
    }
    const float mean = sumOf(sum) * share;
    const float along = sumOf(projection) * share;
    const float inverse = normalized.inverseDeviation[row];
    for (int64_t i = 0; i < dim; i += kLanes) {
      const Lanes through = (load(g + i) - mean - load(hat + i) * along) * inverse;
      storeFirst(dx + i, loadFirst(residual + i, dim - i) + through, dim - i);
    }
  }
}

}  // namespace winnow
